/**
 * The pictures nearest to each, from other groups.
 *
 * Pictures drawn as pivots divide the others: each is kept with its nearest four. Those that share a pivot
 * are compared by coarse distances, and the nearest of them are fitted until no other can be as near.
 *
 * Source: Sivic and Zisserman, "Video Google", ICCV 2003 (the inverted file).
 */

import type { View } from "./cell-means.ts";
import { openFrame, type Points, pointsOf, squaredDistance } from "./image-distance.ts";
import { COARSE_TERMS, type ImageFingerprint, MIDDLE, TERMS } from "./image-fingerprint.ts";
import { blockMeans, blockSquares, contrastOf, stillDistance } from "./image-still.ts";

export interface Neighbour {
  readonly item: number;
  /** Equation 9 or 11. */
  readonly distance: number;
  /** What of the picture itself fits the neighbour's middle. */
  readonly view: View;
}

export interface Neighbourhood {
  /** The nearest first. */
  readonly near: readonly Neighbour[];
  /** s: to the third of the groups or to a picture of one colour; zero where there are fewer. */
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

/** One picture beside others: two squares that cost little, and what those stand for. */
interface Comparison {
  /** Distance to a picture of one colour. */
  readonly contrast: number;
  coarse(others: readonly number[]): Float64Array;
  finer(others: readonly number[]): Float64Array;
  distance(other: number, within: number): { distance: number; view: View };
}

/**
 * Neighbours by equation 9, and by equation 11.
 *
 * groups  one for each picture: its own is passed over
 * order   of the pictures, the first of which become pivots
 */
export function imageNeighbours(
  fingerprints: readonly ImageFingerprint[],
  { groups, order }: { groups: readonly number[]; order: readonly number[] },
): { fitted: Neighbourhoods; still: Neighbourhoods } {
  const coarsely = pointsOf(fingerprints, COARSE_TERMS);
  const shared = sharedPivots(coarsely, order);
  const fully = pointsOf(fingerprints, TERMS);
  const fitted = (item: number): Comparison => {
    const frame = openFrame(fingerprints[item]);
    return {
      contrast: frame.contrast,
      coarse: (others) => frame.linear(coarsely, others),
      finer: (others) => frame.linear(fully, others),
      distance: (other, within) => frame.fit(fingerprints[other].terms, { within }),
    };
  };
  const blocks = blockMeans(fingerprints);
  const still = (item: number): Comparison => {
    const squares = (others: readonly number[]) => blockSquares(blocks, { item, others });
    const distance = (other: number) => stillDistance(fingerprints[item], fingerprints[other]);
    return {
      contrast: contrastOf(fingerprints[item]),
      coarse: squares,
      finer: squares,
      distance: (other) => ({ distance: distance(other), view: MIDDLE }),
    };
  };
  return {
    fitted: neighbourhoods(fitted, { shared, groups }),
    still: neighbourhoods(still, { shared, groups }),
  };
}

function neighbourhoods(
  open: (item: number) => Comparison,
  { shared, groups }: { shared: (item: number) => readonly number[]; groups: readonly number[] },
): Neighbourhoods {
  /** The nearest by finer squares among the nearest by coarse ones. */
  const look = (item: number, count: number): Candidates => {
    const { contrast, coarse, finer, distance } = open(item);
    const others = shared(item);
    const near = nearest({ others, squares: coarse(others), groups }, { item, count });
    const squares = finer(near);
    const rising = [...near.keys()].sort((i, j) => squares[i] - squares[j]);
    return {
      contrast,
      candidates: rising.map((i) => ({ other: near[i], square: squares[i] })),
      fitted: (other, within) => ({ item: other, ...distance(other, within) }),
    };
  };
  return {
    of: (item) => {
      const third = (near: readonly Neighbour[]) => thirdGroup(near, groups);
      const candidates = look(item, NEAREST);
      const near = fitNearest(candidates, { within: third, isLinearTrusted: true });
      const usual = third(near);
      return { near, usual: usual === Infinity ? 0 : Math.min(usual, candidates.contrast) };
    },
    distances: (item, count) => {
      const last = (near: readonly Neighbour[]) => near[count - 1]?.distance ?? Infinity;
      const candidates = look(item, NEAREST_FOR_ONE * count);
      const near = fitNearest(candidates, { within: last, isLinearTrusted: false });
      return near.slice(0, count).map(({ distance }) => distance);
    },
  };
}

/** Coarse neighbours that are fitted for each that is wanted: the order is not the same. */
const NEAREST_FOR_ONE = 10;

interface Candidates extends Pick<Comparison, "contrast"> {
  /** Squares of linear distances, rising. */
  readonly candidates: readonly { readonly other: number; readonly square: number }[];
  readonly fitted: (other: number, within: number) => Neighbour;
}

/**
 * The nearest first.
 *
 * within           how far those of use may be, from the ones fitted so far
 * isLinearTrusted  ends where the linear distance is beyond that
 */
function fitNearest(
  { candidates, fitted }: Candidates,
  {
    within,
    isLinearTrusted,
  }: { within: (near: readonly Neighbour[]) => number; isLinearTrusted: boolean },
): Neighbour[] {
  const near: Neighbour[] = [];
  for (const { other, square } of candidates) {
    const most = within(near);
    if (isLinearTrusted && square >= most ** 2) break;
    const neighbour = fitted(other, most);
    let place = near.length;
    while (place > 0 && near[place - 1].distance > neighbour.distance) place--;
    near.splice(place, 0, neighbour);
  }
  return near;
}

/** Distance to the third of the groups, the nearest first; infinite where there are fewer. */
function thirdGroup(near: readonly Neighbour[], groups: readonly number[]): number {
  const met = new Set<number>();
  for (const { item, distance } of near) {
    met.add(groups[item]);
    if (met.size === 3) return distance;
  }
  return Infinity;
}

/** Of a picture, all that have a pivot in common with it. */
function sharedPivots(
  points: Points,
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
  const metIn = new Uint32Array(order.length);
  let query = 0;
  return (item) => {
    query++;
    const others: number[] = [];
    for (const pivot of pivotsOf[item]) {
      for (const other of kept[pivot]) {
        if (metIn[other] === query) continue; // a Set takes ten times as long
        metIn[other] = query;
        others.push(other);
      }
    }
    return others;
  };
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
