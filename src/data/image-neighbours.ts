/**
 * The pictures nearest to each, from other groups.
 *
 * Pictures drawn as pivots divide the others: each is kept with its nearest four. Those that share a pivot
 * are compared by coarse distances, and the nearest of them are fitted until no other can be as near.
 *
 * Source: Sivic and Zisserman, "Video Google", ICCV 2003 (the inverted file).
 */

import type { View } from "./cell-means.ts";
import { openFrame, squaredDistance } from "./image-distance.ts";
import { COARSE_TERMS, type ImageFingerprint, TERMS } from "./image-fingerprint.ts";

export interface Neighbour {
  readonly item: number;
  /** Equation 9. */
  readonly distance: number;
  /** What of the picture itself fits the neighbour's middle. */
  readonly view: View;
}

export interface Neighbourhood {
  /** The nearest first. */
  readonly near: readonly Neighbour[];
  /** s: to the third of the groups; zero where there are fewer. */
  readonly usual: number;
}

const PICTURES_A_PIVOT = 64;
const PIVOTS_A_PICTURE = 4;

/** Pictures that are fitted at most, and how many of one group: frames of a video are all alike. */
const NEAREST = 16;
const OF_A_GROUP = 3;

export interface Neighbourhoods {
  /** As far as to the third group. */
  of(item: number): Neighbourhood;
  /** Distances of so many neighbours, rising, each of them fitted. */
  distances(item: number, count: number): number[];
}

/**
 * groups  one for each picture: its own is passed over
 * order   of the pictures, the first of which become pivots
 */
export function imageNeighbours(
  fingerprints: readonly ImageFingerprint[],
  { groups, order }: { groups: readonly number[]; order: readonly number[] },
): Neighbourhoods {
  const points = termsInARow(fingerprints);
  const shared = sharedPivots(points, order);
  /** The nearest by all terms among the nearest by coarse ones, and how to fit them. */
  const look = (item: number, count: number) => {
    const frame = openFrame(fingerprints[item]);
    const others = shared(item);
    const coarse = frame.linear(points, { others, count: COARSE_TERMS });
    const near = nearest({ others, squares: coarse, groups }, { item, count });
    const squares = frame.linear(points, { others: near, count: TERMS });
    const rising = [...near.keys()].sort((i, j) => squares[i] - squares[j]);
    const fitted = (other: number) => ({ item: other, ...frame.fit(fingerprints[other].terms) });
    return { candidates: rising.map((i) => ({ other: near[i], square: squares[i] })), fitted };
  };
  return {
    of: (item) => {
      const { candidates, fitted } = look(item, NEAREST);
      const near: Neighbour[] = [];
      let usual = Infinity;
      for (const { other, square } of candidates) {
        if (square >= usual ** 2) break;
        near.push(fitted(other));
        usual = thirdGroup(near, groups);
      }
      near.sort((a, b) => a.distance - b.distance);
      return { near, usual: usual === Infinity ? 0 : usual };
    },
    distances: (item, count) => {
      const { candidates, fitted } = look(item, NEAREST_FOR_ONE * count);
      const distances = candidates.map(({ other }) => fitted(other).distance);
      return distances.sort((r, s) => r - s).slice(0, count);
    },
  };
}

/** Coarse neighbours that are fitted for each that is wanted: the order is not the same. */
const NEAREST_FOR_ONE = 10;

/** Distance to the third of the groups; infinite where there are fewer. */
function thirdGroup(near: readonly Neighbour[], groups: readonly number[]): number {
  const best = new Map<number, number>();
  for (const { item, distance } of near) {
    best.set(groups[item], Math.min(best.get(groups[item]) ?? Infinity, distance));
  }
  return [...best.values()].sort((r, s) => r - s)[2] ?? Infinity;
}

function termsInARow(fingerprints: readonly ImageFingerprint[]): Float64Array {
  const points = new Float64Array(fingerprints.length * TERMS);
  for (const [i, { terms }] of fingerprints.entries()) points.set(terms, i * TERMS);
  return points;
}

/** Of a picture, all that have a pivot in common with it. */
function sharedPivots(
  points: Float64Array,
  order: readonly number[],
): (item: number) => readonly number[] {
  const pivots = order.slice(0, Math.ceil(order.length / PICTURES_A_PIVOT));
  const kept: number[][] = pivots.map(() => []);
  const pivotsOf = order.map((_, item) => {
    const squares = pivots.map((pivot) => squaredDistance(points, item, pivot));
    const rising = [...squares.keys()].sort((p, q) => squares[p] - squares[q]);
    const own = rising.slice(0, PIVOTS_A_PICTURE);
    for (const pivot of own) kept[pivot].push(item);
    return own;
  });
  return (item) => [...new Set(pivotsOf[item].flatMap((pivot) => kept[pivot]))];
}

/** The nearest of others that are of another group. */
function nearest(
  {
    others,
    squares,
    groups,
  }: { others: readonly number[]; squares: Float64Array; groups: readonly number[] },
  { item, count }: { item: number; count: number },
): number[] {
  const groupAt = (at: number) => groups[others[at]];
  const near: number[] = [];
  for (let at = 0; at < squares.length; at++) {
    const group = groupAt(at);
    if (group === groups[item]) continue;
    if (near.length === count && squares[at] >= squares[near[count - 1]]) continue;
    let place = near.length;
    while (place > 0 && squares[near[place - 1]] > squares[at]) place--;
    near.splice(place, 0, at);
    const same = near.filter((known) => groupAt(known) === group);
    const dropped = same.length > OF_A_GROUP ? same[OF_A_GROUP] : near[count];
    if (dropped !== undefined) near.splice(near.indexOf(dropped), 1);
  }
  return near.map((at) => others[at]);
}
