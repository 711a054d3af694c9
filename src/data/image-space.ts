/**
 * How unlike two pictures are, beside what is usual in their dataset, wherever one was moved,
 * scaled a little, lit or coded anew.
 *
 * Terms (equation 4) are centred and divided by their deviation in a sample of the dataset: what all
 * of its pictures have in common, a dot in the middle of a darkening sky, says nothing of a pair. One
 * of two pictures is looked at in nine windows, a cell apart; t_1..t_4 are the directions in which its
 * terms move with the window (down, right, in) and with contrast. With a and b of the two,
 *
 *   r^2 = min over windows and p of |a - b - sum_i p_i t_i|^2 / (|a| |b|)                         (9)
 *
 * Fitted p move the window, and the next p are taken there.
 *
 * Source: Simard, LeCun and Denker, "Efficient Pattern Recognition Using a New Transformation
 * Distance", NIPS 1992.
 */

import type { View } from "./cell-means.ts";
import {
  CELL,
  type ImageFingerprint,
  MIDDLE,
  OFFSETS,
  offsetTerms,
  viewer,
} from "./image-fingerprint.ts";

/** The terms of every picture, whitened. */
export interface ImageSpace extends Whitening {
  readonly fingerprints: readonly ImageFingerprint[];
  readonly points: readonly Float32Array[];
  readonly lengths: readonly number[];
}

/** sample  indices of the pictures that say what is usual; at least one */
export function imageSpace(
  fingerprints: readonly ImageFingerprint[],
  sample: readonly number[],
): ImageSpace {
  const whitening = whiteningOf(sample.map((item) => fingerprints[item].terms));
  const points = fingerprints.map(({ terms }) => whitening.whiten(terms));
  const lengths = points.map((point) => Math.sqrt(dot(point, point)));
  return { ...whitening, fingerprints, points, lengths };
}

export interface Whitening {
  /** Terms centred and divided by their deviations. */
  whiten(terms: Float32Array): Float32Array;
  /** Divided only. */
  stretch(terms: Float32Array): Float32Array;
}

/** Of terms that hardly vary, as a part of the mean deviation. */
const LEAST_DEVIATION = 1e-3;

/** Centre and deviation of each term, from some pictures. */
export function whiteningOf(sample: readonly Float32Array[]): Whitening {
  const count = sample[0].length;
  const [mean, square] = [new Float64Array(count), new Float64Array(count)];
  for (const terms of sample) {
    for (let i = 0; i < count; i++) {
      mean[i] += terms[i] / sample.length;
      square[i] += terms[i] ** 2 / sample.length;
    }
  }
  const deviations = square.map((value, i) => Math.sqrt(Math.max(value - mean[i] ** 2, 0)));
  const least = (LEAST_DEVIATION * deviations.reduce((sum, value) => sum + value, 0)) / count;
  const scaled = (terms: Float32Array, centre: number) => {
    const point = new Float32Array(count);
    for (let i = 0; i < count; i++) {
      point[i] = (terms[i] - centre * mean[i]) / Math.max(deviations[i], least, 1e-9);
    }
    return point;
  };
  return { whiten: (terms) => scaled(terms, 1), stretch: (terms) => scaled(terms, 0) };
}

/** By so many cells down, right and inward on each side. */
function moved({ y, x, side }: View, [down, right, inward]: readonly number[]): View {
  return {
    y: y + (down + inward) * CELL,
    x: x + (right + inward) * CELL,
    side: side - 2 * inward * CELL,
  };
}

/** One picture as others are compared with it. */
export interface Frame {
  /** Equation 9 to another picture. */
  distance(other: number): number;
  /** The same with the window moved to where it fits, and that window. */
  fit(other: number): { distance: number; view: View };
}

const FITS = 2;
/** Farther than this from the middle nothing is left to compare. */
const MOST_CELLS = 2;

export function openFrame(space: ImageSpace, item: number): Frame {
  const fingerprint = space.fingerprints[item];
  const look = viewer(fingerprint);
  const terms = offsetTerms(fingerprint);
  const { basis, solve } = tangents(space, { look, middle: fingerprint.terms });
  const views = terms.map((own, i) =>
    pointAt(space.whiten(own), { view: moved(MIDDLE, [...OFFSETS[i], 0]), basis }),
  );
  const nearest = (index: number) => {
    const other = pointAt(space.points[index], { view: MIDDLE, basis });
    let best = { at: views[0], squared: Infinity };
    for (const at of views) {
      const squared = residual(other, at);
      if (squared < best.squared) best = { at, squared };
    }
    return { other, ...best };
  };
  return {
    distance: (other) => Math.sqrt(nearest(other).squared),
    fit: (index) => {
      const { other, at, squared } = nearest(index);
      let [place, best] = [at, { squared, view: at.view }];
      for (let fit = 0; fit < FITS; fit++) {
        const view = moved(
          place.view,
          solve(other.along.map((value, i) => value - place.along[i])),
        );
        if (!isWithin(view)) break;
        place = pointAt(space.whiten(look(view)), { view, basis });
        const next = residual(other, place);
        if (next < best.squared) best = { squared: next, view };
      }
      return { distance: Math.sqrt(best.squared), view: best.view };
    },
  };
}

/** Squares of distances with no window moved and no p: what is near by these is worth more. */
export function roughDistances(
  { points, lengths }: ImageSpace,
  item: number,
  others: readonly number[],
): Float64Array {
  const own = points[item];
  const squares = new Float64Array(others.length);
  for (let i = 0; i < others.length; i++) {
    const other = points[others[i]];
    let product = 0;
    for (let k = 0; k < own.length; k++) product += own[k] * other[k];
    const [a, b] = [lengths[item], lengths[others[i]]];
    squares[i] = (a * a + b * b - 2 * product) / (a * b || 1);
  }
  return squares;
}

function isWithin({ y, x, side }: View): boolean {
  const isNear = (place: number) => Math.abs(place - MIDDLE.y) <= MOST_CELLS * CELL;
  return isNear(y) && isNear(x) && y + side <= 1 && x + side <= 1 && y >= 0 && x >= 0;
}

/** A point, its length and what it has along each tangent. */
interface Place {
  readonly view: View;
  readonly point: Float32Array;
  readonly length: number;
  readonly along: readonly number[];
}

function pointAt(
  point: Float32Array,
  { view, basis }: { view: View; basis: readonly Float32Array[] },
): Place {
  const along = basis.map((direction) => dot(direction, point));
  return { view, point, length: Math.sqrt(dot(point, point)), along };
}

function residual(a: Place, b: Place): number {
  let squared = a.length ** 2 + b.length ** 2 - 2 * dot(a.point, b.point);
  for (let i = 0; i < a.along.length; i++) squared -= (a.along[i] - b.along[i]) ** 2;
  return Math.max(0, squared) / (a.length * b.length || 1);
}

export function dot(a: Float32Array, b: Float32Array, count: number = a.length): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += a[i] * b[i];
  return sum;
}

/** Below this part of its length a tangent says nothing that the others do not. */
const LEAST_NEW = 1e-3;

/** The tangents as an orthonormal basis, and moves (cells) from what a difference has along it. */
function tangents(
  { whiten, stretch }: ImageSpace,
  { look, middle }: { look: (view: View) => Float32Array; middle: Float32Array },
): { basis: Float32Array[]; solve: (along: readonly number[]) => number[] } {
  const slope = (move: readonly number[]) => {
    const [ahead, behind] = [0.5, -0.5].map((part) =>
      whiten(
        look(
          moved(
            MIDDLE,
            move.map((cells) => part * cells),
          ),
        ),
      ),
    );
    return ahead.map((value, i) => value - behind[i]);
  };
  const moves = [slope([1, 0, 0]), slope([0, 1, 0]), slope([0, 0, 1])];
  return orthonormal([...moves, stretch(middle)]);
}

/** Gram-Schmidt; `solve` is its triangle, backwards. */
function orthonormal(directions: readonly Float32Array[]): {
  basis: Float32Array[];
  solve: (along: readonly number[]) => number[];
} {
  const basis: Float32Array[] = [];
  const triangle: number[][] = [];
  for (const direction of directions) {
    const rest = Float32Array.from(direction);
    const column = basis.map((known) => {
      const share = dot(known, rest);
      for (let i = 0; i < rest.length; i++) rest[i] -= share * known[i];
      return share;
    });
    const length = Math.sqrt(dot(rest, rest));
    const isNew = length > LEAST_NEW * Math.sqrt(dot(direction, direction));
    basis.push(isNew ? rest.map((value) => value / length) : new Float32Array(rest.length));
    triangle.push([...column, isNew ? length : Infinity]);
  }
  const solve = (along: readonly number[]) => {
    const parts = [...along];
    for (let i = parts.length - 1; i >= 0; i--) {
      parts[i] /= triangle[i][i];
      for (let j = 0; j < i; j++) parts[j] -= parts[i] * triangle[i][j];
    }
    return parts.slice(0, 3);
  };
  return { basis, solve };
}
