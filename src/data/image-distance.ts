/**
 * How far two pictures are apart, in grey levels, once one is moved and lit as the other.
 *
 * With a the terms (equation 4) of one picture in a window, b those of the other in its middle and
 * g within 1 / 1.4 .. 1.4,
 *
 *   r^2 = min over g, p of g |a(p)|^2 - 2 a(p) b + |b|^2 / g                                       (9)
 *
 * which is |g a - b|^2 / g: the same from either side. p moves the window down, right and inward. t_i
 * being the directions in which a moves with it, p comes from three steps of Gauss and Newton, two
 * by the lowest frequencies; the linear
 * distance leaves what a and b have along the t_i out of both, and moves nothing.
 *
 * Sources: Simard, LeCun and Denker, "Efficient Pattern Recognition Using a New Transformation
 * Distance", NIPS 1992; Baker and Matthews, "Lucas-Kanade 20 Years On", IJCV 2004 (fixed t_i).
 */

import type { View } from "./cell-means.ts";
import { CELL, COARSE_TERMS, type ImageFingerprint, MIDDLE, viewer } from "./image-fingerprint.ts";

/** Beyond this a picture is darkened or stretched rather than copied. */
const MOST_GAIN = 1.4;
/** Before one by all terms: by the first ones a move of a whole cell is nearly linear. */
const COARSE_STEPS = 2;
/** Of 22,270 pairs of drone-av this far beyond after a step, 0.4 % came within by the others. */
const HOPELESS = 1.5;
/** Cells that a step, and all of them, may move the window. */
const LONGEST_STEP = 1;
const MOST_CELLS = 2;
const MOST_INWARD = 1.5;

/** Equation 9 for given squares and product. */
function squaredAt(own: number, product: number, other: number): number {
  const gain = gainOf(own, other);
  return Math.max(0, gain * own - 2 * product + other / gain);
}

function gainOf(own: number, other: number): number {
  const gain = Math.sqrt(other / Math.max(own, 1e-9));
  return Math.min(Math.max(gain, 1 / MOST_GAIN), MOST_GAIN);
}

/** The first `count` terms of every picture, one after the other. */
export interface Points {
  readonly terms: Float64Array;
  readonly count: number;
}

export function pointsOf(fingerprints: readonly ImageFingerprint[], count: number): Points {
  const terms = new Float64Array(fingerprints.length * count);
  for (const [i, own] of fingerprints.entries()) terms.set(own.terms.subarray(0, count), i * count);
  return { terms, count };
}

/** One picture as others are compared with it. */
export interface Frame {
  /** Distance to a picture of one colour, at no gain. */
  readonly contrast: number;
  /** Squares of linear distances to some of the points. */
  linear(points: Points, others: readonly number[]): Float64Array;
  /**
   * The window that fits another's terms, and equation 9 there.
   *
   * within  distances beyond this need not be exact: what has no chance to come within is given up
   */
  fit(other: Float32Array, options?: { within?: number }): { distance: number; view: View };
}

export function openFrame(fingerprint: ImageFingerprint): Frame {
  const look = viewer(fingerprint);
  const slope = (...move: Move) => {
    const [ahead, behind] = [0.5, -0.5].map((part) =>
      look(moved(move.map((cells) => part * cells) as Move)),
    );
    return ahead.map((value, i) => value - behind[i]);
  };
  const slopes = [slope(1, 0, 0), slope(0, 1, 0), slope(0, 0, 1)];
  const coarse = equations(slopes.map((along) => along.subarray(0, COARSE_TERMS)));
  const full = equations(slopes);
  return {
    contrast: Math.sqrt(dot(fingerprint.terms, fingerprint.terms)),
    linear: (points, others) =>
      linearSquares({ middle: fingerprint.terms, slopes }, { points, others }),
    fit: (other, { within = Infinity } = {}) =>
      fitted({ look, coarse, full, middle: fingerprint.terms }, { other, within }),
  };
}

type Move = [down: number, right: number, inward: number];

function moved([down, right, inward]: Readonly<Move>): View {
  return {
    y: MIDDLE.y + (down + inward) * CELL,
    x: MIDDLE.x + (right + inward) * CELL,
    side: MIDDLE.side - 2 * inward * CELL,
  };
}

function linearSquares(
  { middle, slopes }: { middle: Float32Array; slopes: readonly Float32Array[] },
  { points: { terms, count }, others }: { points: Points; others: readonly number[] },
): Float64Array {
  const basis = orthonormal(slopes.map((slope) => slope.subarray(0, count)));
  const rest = new Float64Array(middle.subarray(0, count));
  for (const direction of basis) {
    const share = dot(direction, rest);
    for (let k = 0; k < count; k++) rest[k] -= share * direction[k];
  }
  const [s, t, w] = basis;
  const square = dot(rest, rest);
  const squares = new Float64Array(others.length);
  for (let i = 0; i < others.length; i++) {
    const at = others[i] * count;
    let [product, other, alongS, alongT, alongW] = [0, 0, 0, 0, 0];
    for (let k = 0; k < count; k++) {
      const value = terms[at + k];
      product += value * rest[k];
      other += value * value;
      alongS += value * s[k];
      alongT += value * t[k];
      alongW += value * w[k];
    }
    const left = Math.max(0, other - alongS * alongS - alongT * alongT - alongW * alongW);
    squares[i] = squaredAt(square, product, left);
  }
  return squares;
}

/** Equation 9 with no window moved, of two of the points. */
export function squaredDistance({ terms, count }: Points, a: number, b: number): number {
  const [atA, atB] = [a * count, b * count];
  let [own, product, other] = [0, 0, 0];
  for (let k = 0; k < count; k++) {
    const [x, y] = [terms[atA + k], terms[atB + k]];
    own += x * x;
    product += x * y;
    other += y * y;
  }
  return squaredAt(own, product, other);
}

/** Gram-Schmidt; zero for a direction that says nothing of its own. */
function orthonormal(directions: readonly Float32Array[]): Float64Array[] {
  const basis: Float64Array[] = [];
  for (const direction of directions) {
    const rest = Float64Array.from(direction);
    for (const known of basis) {
      const share = dot(known, rest);
      for (let k = 0; k < rest.length; k++) rest[k] -= share * known[k];
    }
    const length = Math.sqrt(dot(rest, rest)) || 1;
    basis.push(rest.map((value) => value / length));
  }
  return basis;
}

function fitted(
  own: {
    look: (view: View) => Float32Array;
    coarse: (missing: Float32Array) => Move;
    full: (missing: Float32Array) => Move;
    middle: Float32Array;
  },
  { other, within }: { other: Float32Array; within: number },
): { distance: number; view: View } {
  const { look, coarse, full, middle } = own;
  const square = dot(other, other);
  let [seen, move]: [Float32Array, Move] = [middle, [0, 0, 0]];
  let best = { squared: Infinity, view: MIDDLE };
  for (let step = 0; ; step++) {
    const length = dot(seen, seen);
    const squared = squaredAt(length, dot(seen, other), square);
    if (squared < best.squared) best = { squared, view: moved(move) };
    const isHopeless = step > 0 && best.squared > (HOPELESS * within) ** 2;
    if (isHopeless || step > COARSE_STEPS) {
      return { distance: Math.sqrt(best.squared), view: best.view };
    }
    const gain = gainOf(length, square);
    const missing = other.map((value, k) => value / gain - seen[k]);
    move = limited(move, step < COARSE_STEPS ? coarse(missing) : full(missing));
    seen = look(moved(move));
  }
}

/** Moves from what is missing, by least squares. */
function equations(slopes: readonly Float32Array[]): (missing: Float32Array) => Move {
  const squares = slopes.map((a) => slopes.map((b) => dot(a, b)));
  return (missing) =>
    solve(
      squares,
      slopes.map((slope) => dot(slope, missing)),
    );
}

const clamp = (value: number, most: number) => Math.min(Math.max(value, -most), most);

function limited(from: Readonly<Move>, by: Readonly<Move>): Move {
  const [down, right, inward] = from.map((cells, i) => cells + clamp(by[i], LONGEST_STEP));
  const zoom = clamp(inward, MOST_INWARD);
  return [clamp(down, MOST_CELLS), clamp(right, MOST_CELLS), zoom];
}

/** Keeps a direction in which nothing changes where it is. */
const RIDGE = 1e-3;

/** Three equations by elimination; `squares` is positive. */
function solve(squares: readonly (readonly number[])[], along: readonly number[]): Move {
  const rows = squares.map((row, i) => [
    ...row.map((value, j) => (i === j ? value + RIDGE : value)),
    along[i],
  ]);
  for (let pivot = 0; pivot < 3; pivot++) {
    for (let i = 0; i < 3; i++) {
      if (i === pivot) continue;
      const factor = rows[i][pivot] / rows[pivot][pivot];
      for (let j = pivot; j <= 3; j++) rows[i][j] -= factor * rows[pivot][j];
    }
  }
  return [rows[0][3] / rows[0][0], rows[1][3] / rows[1][1], rows[2][3] / rows[2][2]];
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
