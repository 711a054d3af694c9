/**
 * Which pictures are copies of one another, from their fingerprints, without comparing all pairs.
 *
 * Pictures whose coarse terms lie on the same side of K random planes are candidates (eight draws).
 * Of each picture's likest candidates one window is moved and scaled until it fits best, which gives
 * a distance r = sqrt(2 - 2 cos). Small is no proof: dots before a grey sky are all alike. So r is
 * compared with how crowded the place is, taken from a sample of R pictures: if the k-th nearest of
 * them has distance r_k, and the dimension d there follows from r_1..r_k, then among n pictures
 *
 *   E(r) = n (k / R) (r / r_k)^d,     d = sum_j (1/j + .. + 1/(k-1)) / sum_j ln(r_k / r_j)         (5)
 *
 * would come so near by chance (j from k/2 to k - 1). A pair is told where that is less than 0.01 / n
 * for both of its pictures; where even a perfect copy would not be sure, nothing is fitted.
 *
 * Sources: Charikar, STOC 2002 (random planes); Levina and Bickel, NIPS 2004 (dimension, here without
 * the nearest, which may be the copies).
 */

import { type Random, random, shuffle } from "../tensor/index.ts";
import {
  COARSE_TERMS,
  type ImageFingerprint,
  likeness,
  MIDDLE,
  type View,
  viewer,
} from "./image-fingerprint.ts";
import { collectMatches, keyBitsFor, type Match, sharedKeys } from "./shared-keys.ts";

const DRAWS = 8;
const LEAST_KEY_BITS = 12;

/** Candidates that are looked at closely, of each picture, from this coarse likeness on. */
const CANDIDATES = 1;
const LEAST_COARSE = 0.9;

/** Copies are at least so like when fitted: r = 0.24. */
const LEAST_LIKENESS = 0.97;
/** Worth a second, finer round of fitting. */
const PROMISING = 0.85;
/** Less than this after a step: not a copy. */
const HOPELESS = 0.7;

const SAMPLE = 256;
const NEIGHBOURS = 16;
const LEAST_RADIUS = 1e-3;
/** More cannot be told from so few neighbours. */
const MOST_DIMENSIONS = 30;
const WRONG_FINDINGS = 0.01;
/** Of a copy as codings leave it. */
const BEST_LIKENESS = 0.9995;
/** Of fewer, here or in the median, the law is followed too far beyond the sample. */
const LEAST_DIMENSION = 6;

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
  const generator = random("near images");
  const n = fingerprints.length;
  const chance = crowdedness(fingerprints, { groups, generator });
  const isTelling = fingerprints.map((_, item) => n * chance(item, BEST_LIKENESS) < WRONG_FINDINGS);
  const pairs = candidates(fingerprints, { groups, generator, isTelling });
  return fitCandidates(fingerprints, pairs).filter(
    ({ a, b, likeness: like }) => n * Math.max(chance(a, like), chance(b, like)) < WRONG_FINDINGS,
  );
}

function candidates(
  fingerprints: readonly ImageFingerprint[],
  {
    groups,
    generator,
    isTelling,
  }: { groups: readonly string[]; generator: Random; isTelling: readonly boolean[] },
): Match[] {
  const keyBits = keyBitsFor(fingerprints.length, { least: LEAST_KEY_BITS });
  const pairs = collectMatches<Match>();
  for (let draw = 0; draw < DRAWS; draw++) {
    const planes = Array.from({ length: keyBits }, () =>
      Float32Array.from({ length: COARSE_TERMS }, () => generator.normal()),
    );
    const keys = fingerprints.map(({ terms }) =>
      planes.reduce((key, plane) => 2 * key + (coarseDot(plane, terms) > 0 ? 1 : 0), 0),
    );
    for (const [i, j] of sharedKeys(keys, keys, { keyBits })) {
      if (i >= j || groups[i] === groups[j] || !isTelling[i] || !isTelling[j]) continue;
      const coarse = likeness(fingerprints[i].terms, fingerprints[j].terms, COARSE_TERMS);
      if (coarse >= LEAST_COARSE) pairs.add({ a: i, b: j, likeness: coarse });
    }
  }
  return likest(pairs.list());
}

/** Pairs that are among the first few of either of their pictures. */
function likest(pairs: readonly Match[]): Match[] {
  const taken = new Map<number, number>();
  const take = (item: number) => {
    const count = (taken.get(item) ?? 0) + 1;
    taken.set(item, count);
    return count <= CANDIDATES;
  };
  const ranked = [...pairs].sort((m, n) => n.likeness - m.likeness || m.a - n.a || m.b - n.b);
  return ranked.filter(({ a, b }) => [take(a), take(b)].includes(true));
}

function coarseDot(plane: Float32Array, terms: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < COARSE_TERMS; i++) sum += plane[i] * terms[i];
  return sum;
}

/** Move and scale the window of `a` until it shows what the middle of `b` shows. */
function fitCandidates(
  fingerprints: readonly ImageFingerprint[],
  pairs: readonly Match[],
): Match[] {
  if (pairs.length === 0) return [];
  const ordered = [...pairs].sort((m, n) => m.a - n.a || m.b - n.b);
  const fitted: Match[] = [];
  let [current, look] = [-1, viewer(fingerprints[0])];
  for (const { a, b } of ordered) {
    if (a !== current) [current, look] = [a, viewer(fingerprints[a])];
    const like = fitView(look, fingerprints[b].terms);
    if (like >= LEAST_LIKENESS) fitted.push({ a, b, likeness: like });
  }
  return fitted;
}

function fitView(look: (view: View) => Float32Array, wanted: Float32Array): number {
  let best = { view: MIDDLE, likeness: likeness(look(MIDDLE), wanted) };
  for (const step of [1 / 32, 1 / 64]) {
    if (step < 1 / 32 && best.likeness < PROMISING) break;
    for (let isBetter = true; isBetter; ) {
      const tries = neighbours(best.view, step).map((view) => ({
        view,
        likeness: likeness(look(view), wanted),
      }));
      const next = tries.reduce((m, n) => (n.likeness > m.likeness ? n : m), best);
      isBetter = next !== best && next.likeness >= HOPELESS;
      best = next;
    }
  }
  return best.likeness;
}

/** Views one step away that lie within the picture; a scaled one keeps its middle. */
function neighbours({ y, x, side }: View, step: number): View[] {
  const all = [
    { y: y - step, x, side },
    { y: y + step, x, side },
    { y, x: x - step, side },
    { y, x: x + step, side },
    { y: y + step, x: x + step, side: side - 2 * step },
    { y: y - step, x: x - step, side: side + 2 * step },
  ];
  const isInside = (from: number, length: number) => from >= 0 && from + length <= 1;
  const isNear = (view: View) => view.side >= 3 / 4;
  return all.filter(
    (view) => isInside(view.y, view.side) && isInside(view.x, view.side) && isNear(view),
  );
}

const distance = (like: number) => Math.sqrt(Math.max(0, 2 - 2 * like));

/** p of equation 5 for a picture and a likeness. */
function crowdedness(
  fingerprints: readonly ImageFingerprint[],
  { groups, generator }: { groups: readonly string[]; generator: Random },
): (item: number, like: number) => number {
  const items = shuffle([...fingerprints.keys()], generator).slice(0, SAMPLE);
  const places = new Map<number, Place>();
  const placeOf = (item: number): Place => {
    const known = places.get(item);
    if (known !== undefined) return known;
    const { terms } = fingerprints[item];
    const others = items.filter((other) => groups[other] !== groups[item]);
    const place = placeAmong(others.map((other) => likeness(terms, fingerprints[other].terms)));
    places.set(item, place);
    return place;
  };
  const dimensions = items.map((item) => placeOf(item).dimension).sort((d, e) => d - e);
  const isFlat = (dimensions[dimensions.length >> 1] ?? 0) < LEAST_DIMENSION;
  return (item, like) => {
    const { radius, dimension, share } = placeOf(item);
    if (isFlat || dimension < LEAST_DIMENSION) return 1;
    const expected = fingerprints.length * share * (distance(like) / radius) ** dimension;
    return 1 - Math.exp(-expected);
  };
}

interface Place {
  /** Distance of the k-th nearest of a sample. */
  readonly radius: number;
  readonly dimension: number;
  /** k / R */
  readonly share: number;
}

/** The nearer half of the k is left out of the dimension: it may hold the copies themselves. */
function placeAmong(likenesses: readonly number[]): Place {
  const sorted = likenesses.map(distance).sort((r, s) => r - s);
  const k = Math.min(NEIGHBOURS, Math.floor(sorted.length / 2) + 1);
  const radius = Math.max(sorted[k - 1] ?? 0, LEAST_RADIUS);
  let [expected, found] = [0, 0];
  for (let j = k - 1, harmonic = 0; j >= Math.max(1, k / 2); j--) {
    harmonic += 1 / j;
    expected += harmonic;
    found += Math.log(radius / Math.max(sorted[j - 1], LEAST_RADIUS));
  }
  const dimension = Math.min(expected / (found || 1e-9), MOST_DIMENSIONS);
  return { radius, dimension, share: k / Math.max(sorted.length, 1) };
}
