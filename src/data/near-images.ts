/**
 * Which pictures are copies of one another, from their fingerprints, without comparing all pairs.
 *
 * Pictures whose coarse terms lie on the same side of random planes, in any of nine windows, are
 * candidates; the likest few of each are compared by the distance r of equation 9. Small is no
 * proof: dots before a grey sky are all alike. So r is held against the k-th nearest of up to R
 * others, at r_k. Where neighbours lie in d dimensions,
 *
 *   E(r) = n^2 (k / R) (r / r_k)^d,     d = median of sum_j (1/j + .. + 1/(k-1)) / sum_j ln(r_k / r_j)  (5)
 *
 * pairs as near as this would be found by chance among all n pictures (j from k/4 to k - 1). A pair
 * is told where that is less than one from either side, and nowhere do the two differ much (10).
 *
 * Sources: Charikar, STOC 2002 (random planes); Levina and Bickel, NIPS 2004 (dimension, here
 * without the nearest, which may be the copies).
 */

import { type Random, random, shuffle } from "../tensor/index.ts";
import type { View } from "./cell-means.ts";
import { imageCandidates } from "./image-candidates.ts";
import { peakDifference } from "./image-detail.ts";
import type { ImageFingerprint } from "./image-fingerprint.ts";
import { type ImageSpace, imageSpace, openFrame, roughDistances } from "./image-space.ts";
import { collectMatches, type Match } from "./shared-keys.ts";

/** Pictures that say what is usual. */
const SAMPLE = 512;
/** R: pictures among which neighbours are looked for. */
const MOST_REFERENCES = 2048;
/** Pictures whose neighbours say how many dimensions there are. */
const DIMENSION_SAMPLE = 64;
const NEIGHBOURS = 16;
/** References that are looked at in all windows, having been nearest as they are. */
const NEAREST = 96;
/** Of fewer, the law is followed too far beyond the sample. */
const LEAST_DIMENSION = 6;
/** A candidate is no copy if it is not much nearer than the fourth of so many at random. */
const GLANCED = 128;
const LEAST_RANK = 4;
const MOST_OF_USUAL = 0.7;
const MOST_FITTED = 0.7;
const WRONG_FINDINGS = 1;
/** Of the strongest detail; interpolation to another size makes 0.25 of a sharp dot. */
const MOST_PEAK = 0.3;
const LEAST_DISTANCE = 1e-4;

/**
 * Pairs that are copies, each once.
 *
 * groups   one for each fingerprint: within a group copies are expected and not looked for
 * returns  the likest first for each `b`
 */
export function nearImages(
  fingerprints: readonly ImageFingerprint[],
  groups: readonly string[],
): Match[] {
  if (fingerprints.length < 2) return [];
  const numbers = new Map([...new Set(groups)].map((group, i) => [group, i]));
  const group = groups.map((name) => numbers.get(name) ?? -1); // compared often
  const generator = random("near images");
  const order = shuffle([...fingerprints.keys()], generator);
  const space = imageSpace(fingerprints, order.slice(0, SAMPLE));
  const expected = crowding(space, { groups: group, order });
  if (expected === undefined) return [];
  const found = collectMatches<Match>();
  for (const { a, b, distance, view } of fitted(space, { groups: group, order, generator })) {
    if (expected(a, distance) >= WRONG_FINDINGS) continue;
    if (expected(b, distance) >= WRONG_FINDINGS) continue;
    if (peakDifference(fingerprints[a], fingerprints[b], { view }) > MOST_PEAK) continue;
    found.add({ a: Math.min(a, b), b: Math.max(a, b), likeness: 1 - distance ** 2 / 2 });
  }
  return found.list();
}

/** Candidates with their distance after fitting, but for those that are no nearer than others. */
function* fitted(
  space: ImageSpace,
  options: { groups: readonly number[]; order: readonly number[]; generator: Random },
): Iterable<{ a: number; b: number; distance: number; view: View }> {
  const { groups, order } = options;
  const few = order.slice(0, GLANCED);
  for (const [a, others] of imageCandidates(space, options)) {
    const frame = openFrame(space, a);
    const unrelated = few.filter((other) => groups[other] !== groups[a]);
    const rank = Math.max(LEAST_RANK, (NEIGHBOURS * few.length) / order.length);
    const sorted = roughDistances(space, a, unrelated).sort();
    const usual = Math.sqrt(sorted[Math.min(Math.round(rank), sorted.length) - 1]);
    for (const b of others) {
      if (frame.distance(b) > MOST_OF_USUAL * usual) continue;
      const { distance, view } = frame.fit(b);
      if (distance < MOST_FITTED * usual) yield { a, b, distance, view };
    }
  }
}

/** E of equation 5; undefined where there are too few pictures or dimensions to say. */
function crowding(
  space: ImageSpace,
  { groups, order }: { groups: readonly number[]; order: readonly number[] },
): ((item: number, distance: number) => number) | undefined {
  const references = order.slice(0, MOST_REFERENCES);
  const n = order.length;
  const places = new Map<number, readonly number[]>();
  const nearOf = (item: number) => {
    const known = places.get(item);
    if (known !== undefined) return known;
    const others = references.filter((other) => groups[other] !== groups[item]);
    const near = nearest(space, { item, others });
    places.set(item, near);
    return near;
  };
  const dimensions = order
    .slice(0, DIMENSION_SAMPLE)
    .map((item) => dimensionOf(nearOf(item)))
    .sort((d, e) => d - e);
  const dimension = dimensions[dimensions.length >> 1];
  if (!(dimension >= LEAST_DIMENSION)) return undefined;
  return (item, distance) => {
    const near = nearOf(item);
    const share = near.length / references.length;
    const ratio = Math.max(distance, LEAST_DISTANCE) / near[near.length - 1];
    return n * n * share * ratio ** dimension;
  };
}

/** Distances of the k nearest, rising; k is 16, or half of what there is. */
function nearest(
  space: ImageSpace,
  { item, others }: { item: number; others: readonly number[] },
): readonly number[] {
  const count = Math.min(NEIGHBOURS, (others.length >> 1) + 1);
  const rough = roughDistances(space, item, others);
  const limit = rough.slice().sort()[Math.min(NEAREST, others.length) - 1];
  const frame = openFrame(space, item);
  return others
    .filter((_, i) => rough[i] <= limit)
    .map((other) => frame.distance(other))
    .sort((r, s) => r - s)
    .slice(0, count);
}

/** Levina and Bickel's estimate; the nearer quarter is left out: it may hold the copies themselves. */
function dimensionOf(near: readonly number[]): number {
  const k = near.length;
  let [expected, found] = [0, 0];
  for (let j = k - 1, harmonic = 0; j >= Math.max(1, k / 4); j--) {
    harmonic += 1 / j;
    expected += harmonic;
    found += Math.log(near[k - 1] / Math.max(near[j - 1], LEAST_DISTANCE));
  }
  return expected / (found || 1e-9);
}
