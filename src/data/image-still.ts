/**
 * How far two pictures are apart, in grey levels, where neither was moved or lit anew.
 *
 *   r^2 = sum over all points (a - b)^2 / 4                                                        (11)
 *
 * of the thumbnails, four points being a cell of the grid: the scale of equation 9. Brightness counts
 * here, and so does all detail. Means of 8 x 8 points bound it from below.
 */

import type { Points } from "./image-distance.ts";
import { CELLS, type ImageFingerprint, POINTS_A_CELL, STEPS } from "./image-fingerprint.ts";

const SIDE = CELLS * POINTS_A_CELL;
const BLOCK = 8;
const BLOCKS = SIDE / BLOCK;
const SCALE = (STEPS * POINTS_A_CELL) ** 2;

/** Equation 11. */
export function stillDistance(
  { thumbnail: a }: ImageFingerprint,
  { thumbnail: b }: ImageFingerprint,
): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const rest = a[i] - b[i];
    sum += rest * rest;
  }
  return Math.sqrt(sum / SCALE);
}

/** Equation 11 to a picture of one colour. */
export function contrastOf({ thumbnail }: ImageFingerprint): number {
  let [sum, square] = [0, 0];
  for (let i = 0; i < thumbnail.length; i++) {
    sum += thumbnail[i];
    square += thumbnail[i] ** 2;
  }
  return Math.sqrt((square - sum ** 2 / thumbnail.length) / SCALE);
}

/** Means of blocks of every picture: squares of their differences are at most those of equation 11. */
export function blockMeans(fingerprints: readonly ImageFingerprint[]): Points {
  const count = BLOCKS * BLOCKS;
  const terms = new Float64Array(fingerprints.length * count);
  for (const [i, { thumbnail }] of fingerprints.entries()) {
    for (let y = 0; y < SIDE; y++) {
      const row = i * count + Math.floor(y / BLOCK) * BLOCKS;
      for (let x = 0; x < SIDE; x++) terms[row + Math.floor(x / BLOCK)] += thumbnail[y * SIDE + x];
    }
  }
  const scale = BLOCK * Math.sqrt(SCALE);
  for (let k = 0; k < terms.length; k++) terms[k] /= scale;
  return { terms, count };
}

export function blockSquares(
  { terms, count }: Points,
  { item, others }: { item: number; others: readonly number[] },
): Float64Array {
  const own = item * count;
  const squares = new Float64Array(others.length);
  for (let i = 0; i < others.length; i++) {
    const other = others[i] * count;
    let sum = 0;
    for (let k = 0; k < count; k++) {
      const rest = terms[own + k] - terms[other + k];
      sum += rest * rest;
    }
    squares[i] = sum;
  }
  return squares;
}
