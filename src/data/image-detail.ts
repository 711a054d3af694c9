/**
 * Where two pictures differ most, beside the strongest detail in them: a copy differs everywhere a
 * little, another moment of the same scene differs where something moved.
 *
 * a is seen through the window that fits, b through the middle one, at 48 x 48 points; from both the
 * mean of 13 x 13 points around is taken off. With g a fitted by least squares and means over 3 x 3,
 *
 *   q^2 = max mean (g a - b)^2 / max(8^2, max mean b^2)                                           (10)
 *
 * in steps of 8 bits: codings change a plain sky by two or three.
 */

import type { View } from "./cell-means.ts";
import {
  detailOf,
  GRID_POINTS,
  type ImageFingerprint,
  MIDDLE,
  STEPS,
} from "./image-fingerprint.ts";

const BACKGROUND_POINTS = 6;
const PLACE_POINTS = 1;
const LEAST_DETAIL = 8;

/** q of equation 10, `view` being of `a`. */
export function peakDifference(
  a: ImageFingerprint,
  b: ImageFingerprint,
  { view }: { view: View },
): number {
  const [own, other] = [highPassed(detailOf(a, view)), highPassed(detailOf(b, MIDDLE))];
  let [product, square] = [0, 0];
  for (let i = 0; i < own.length; i++) {
    product += own[i] * other[i];
    square += own[i] * own[i];
  }
  const gain = product / (square || 1);
  const squares = own.map((value, i) => (gain * value - other[i]) ** 2);
  const details = other.map((value) => value * value);
  const detail = Math.sqrt(most(blurred(details, PLACE_POINTS)));
  const strongest = Math.max(detail, LEAST_DETAIL * STEPS);
  return Math.sqrt(most(blurred(squares, PLACE_POINTS))) / strongest;
}

const most = (values: Float64Array) =>
  values.reduce((largest, value) => Math.max(largest, value), 0);

function highPassed(points: Float64Array): Float64Array {
  const background = blurred(points, BACKGROUND_POINTS);
  return points.map((value, i) => value - background[i]);
}

/** Means over squares of 2 reach + 1 points, cut off at the edges; rows, then columns. */
function blurred(points: Float64Array, reach: number): Float64Array {
  const rows = new Float64Array(points.length);
  const means = new Float64Array(points.length);
  for (let line = 0; line < GRID_POINTS; line++) {
    averageLine(points, rows, { from: line * GRID_POINTS, stride: 1, reach });
  }
  for (let line = 0; line < GRID_POINTS; line++) {
    averageLine(rows, means, { from: line, stride: GRID_POINTS, reach });
  }
  return means;
}

/** Running means along one line of `points`, into the same line of `means`. */
function averageLine(
  points: Float64Array,
  means: Float64Array,
  { from, stride, reach }: { from: number; stride: number; reach: number },
): void {
  let [sum, count] = [0, 0];
  for (let i = -reach; i < GRID_POINTS; i++) {
    if (i + reach < GRID_POINTS) {
      sum += points[from + (i + reach) * stride];
      count++;
    }
    if (i > reach) {
      sum -= points[from + (i - reach - 1) * stride];
      count--;
    }
    if (i >= 0) means[from + i * stride] = sum / count;
  }
}
