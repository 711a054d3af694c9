/**
 * Which pictures are copies of one another, from their fingerprints.
 *
 * There are two looks: r by equation 9, whatever was moved or lit, and by equation 11, where nothing was:
 * what was merely coded anew keeps its light and its detail, which others near it by (9) do not share.
 *
 * A small r is no proof: dots before a grey sky are all alike. A copy is much nearer than anything else.
 * s being the distance to the second of the other groups that are nearest (one may hold a third copy), or to
 * a picture of one colour where that is nearer, among n pictures whose neighbours lie in d dimensions
 *
 *   E(r) = 2 n (r / s)^d,    d = median of sum_j (1/j + .. + 1/(k-1)) / sum_j ln(r_k / r_j)       (5)
 *
 * have a neighbour as near as this by chance (j from k/2 to k - 1, k neighbours at r_1 .. r_k). A pair is
 * told where from both sides E < 1/2 (0.1 where d < 6) and r < s / 2, and nowhere the two differ much (10).
 *
 * Sources: Lowe, "Distinctive Image Features from Scale-Invariant Keypoints", IJCV 2004 (the ratio);
 * Desolneux, Moisan and Morel, "From Gestalt Theory to Image Analysis", 2008 (E); Levina and Bickel,
 * NIPS 2004 (d, here without the nearer half, which may be copies).
 */

import { random, shuffle } from "../tensor/index.ts";
import { peakDifference } from "./image-detail.ts";
import type { ImageFingerprint } from "./image-fingerprint.ts";
import { imageNeighbours, type Neighbourhoods } from "./image-neighbours.ts";
import { collectMatches, type Match } from "./shared-keys.ts";

/** In each of the two looks: less than one in both. */
const MOST_BY_CHANCE = 0.5;
/** In fewer dimensions different pictures do come as near as copies. */
const FEW_DIMENSIONS = 6;
const MOST_IN_FEW = 0.1;
/** However few pictures there are. */
const MOST_RATIO = 0.5;
/** Of the strongest detail; interpolation to another size makes 0.35 of a sharp dot. */
const MOST_PEAK = 0.4;
const LEAST_DISTANCE = 1e-3;
/** Pictures whose neighbours say how many dimensions there are, and how many neighbours (k). */
const DIMENSION_SAMPLE = 512;
const NEIGHBOURS = 6;

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
  const numbers = new Map([...new Set(groups)].map((group, i) => [group, i]));
  const group = groups.map((name) => numbers.get(name) ?? -1); // compared often
  const order = shuffle([...fingerprints.keys()], random("near images"));
  const { fitted, still } = imageNeighbours(fingerprints, { groups: group, order });
  const found = collectMatches<Match>();
  for (const neighbours of [fitted, still]) {
    const most = mostRatio(neighbours, order);
    const around = fingerprints.map((_, item) => neighbours.of(item));
    for (const [a, { near, usual }] of around.entries()) {
      for (const { item: b, distance, view } of near) {
        const ratio = distance / Math.min(usual, around[b].usual);
        if (!(ratio <= most)) continue; // nor where nothing is usual
        if (peakDifference(fingerprints[a], fingerprints[b], { view }) > MOST_PEAK) continue;
        found.add({ a: Math.min(a, b), b: Math.max(a, b), likeness: 1 - ratio });
      }
    }
  }
  return found.list();
}

/** r / s at the most, by equation 5. */
function mostRatio(neighbours: Neighbourhoods, order: readonly number[]): number {
  const dimensions = order
    .slice(0, DIMENSION_SAMPLE)
    .map((item) => dimensionOf(neighbours.distances(item, NEIGHBOURS)))
    .sort((d, e) => d - e);
  const dimension = dimensions[dimensions.length >> 1];
  const most = dimension < FEW_DIMENSIONS ? MOST_IN_FEW : MOST_BY_CHANCE;
  const chance = most / (2 * order.length);
  return Math.min(MOST_RATIO, chance ** (1 / dimension));
}

/** Levina and Bickel's estimate; the nearer half is left out: it may hold the copies themselves. */
function dimensionOf(near: readonly number[]): number {
  const k = near.length;
  let [expected, found] = [0, 0];
  for (let j = k - 1, harmonic = 0; j >= Math.max(1, k / 2); j--) {
    harmonic += 1 / j;
    expected += harmonic;
    found += Math.log(near[k - 1] / Math.max(near[j - 1], LEAST_DISTANCE));
  }
  return expected / (found || 1e-9);
}
