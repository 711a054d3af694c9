/**
 * A fingerprint of pictures that survives another size and coding: a thumbnail, and the low frequencies
 * of the cosine transform of a window (equation 4).
 *
 * Both are in grey levels and not scaled by what the picture holds: coding changes a plain sky by as
 * much as a busy scene, so that only levels say whether a difference is more than coding.
 *
 * Source: Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010 (pHash
 * by DCT).
 */

import { cellMeans, summedAreas, type View } from "./cell-means.ts";
import { cosineTerms, countTerms, GRID } from "./cosine-terms.ts";
import type { Picture } from "./dataset.ts";

/** Cells of the grid that fit a side of the picture: two are left beside the middle window. */
export const CELLS = 28;
export const POINTS_A_CELL = 2;
/** Side of the thumbnail that is kept of a picture. */
const SIDE = POINTS_A_CELL * CELLS;
/** Steps of the thumbnail in one of 8 bits: means of a flat sky differ by less than one. */
export const STEPS = 256;

/** u + v up to which moving by a cell is nearly linear. */
const HIGHEST_COARSE = 6;
/** How many terms those are: the first. */
export const COARSE_TERMS: number = countTerms(HIGHEST_COARSE);
export const TERMS: number = countTerms();

/** Smaller pictures show too little. */
const LEAST_SIDE = 16;
/** Below this deviation, in steps of 8 bits, a picture is one colour and the rounding of it. */
const LEAST_CONTRAST = 0.5;

/** A cell of the grid in the middle window, as a part of a picture's side. */
export const CELL: number = 1 / CELLS;

/** What is looked at first: all but two cells on each side, so that there is room to move. */
export const MIDDLE: View = { y: 2 * CELL, x: 2 * CELL, side: GRID * CELL };

export interface ImageFingerprint {
  /** Grey of SIDE x SIDE points, in steps of 1/256 of one of 8 bits. */
  readonly thumbnail: Uint16Array;
  /** Equation 4 in the middle window. */
  readonly terms: Float32Array;
}

/** Undefined for pictures below 16 pixels, or without contrast. */
export function imageFingerprint(picture: Picture): ImageFingerprint | undefined {
  const { height, width, channels, pixels } = picture;
  if (Math.min(height, width) < LEAST_SIDE) return undefined;
  const grey = channels === 1 ? pixels : greyOf(pixels);
  const whole: View = { y: 0, x: 0, side: 1 };
  const means = cellMeans(summedAreas(grey, { height, width }), { view: whole, count: SIDE });
  if (deviation(means) < LEAST_CONTRAST) return undefined;
  const thumbnail = rounded(means);
  return { thumbnail, terms: viewer({ thumbnail })(MIDDLE) };
}

/** Equation 4 in any view of a thumbnail. */
export function viewer({
  thumbnail,
}: Pick<ImageFingerprint, "thumbnail">): (view: View) => Float32Array {
  const sums = summedAreas(thumbnail, { height: SIDE, width: SIDE });
  const cells = new Float64Array(GRID * GRID); // scratch of all views
  return (view) => {
    cellMeans(sums, { view, count: GRID }, cells);
    for (let i = 0; i < cells.length; i++) cells[i] /= STEPS;
    return cosineTerms(cells);
  };
}

/** Points of a side of `detailOf`: as many as the thumbnail has there. */
export const GRID_POINTS: number = 2 * GRID;

/** The picture in a view at GRID_POINTS x GRID_POINTS points, in steps of the thumbnail. */
export function detailOf({ thumbnail }: ImageFingerprint, view: View): Float64Array {
  return cellMeans(summedAreas(thumbnail, { height: SIDE, width: SIDE }), {
    view,
    count: GRID_POINTS,
  });
}

function greyOf(pixels: Uint8Array): Float32Array {
  const grey = new Float32Array(pixels.length / 3);
  for (let i = 0; i < grey.length; i++) {
    grey[i] = (pixels[3 * i] + pixels[3 * i + 1] + pixels[3 * i + 2]) / 3;
  }
  return grey;
}

/** As Uint16Array.from would do, at a tenth of the time: it goes through an iterator. */
function rounded(cells: Float64Array): Uint16Array {
  const points = new Uint16Array(cells.length);
  for (let i = 0; i < cells.length; i++) points[i] = Math.round(cells[i] * STEPS);
  return points;
}

function deviation(values: Float64Array): number {
  let [sum, square] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    sum += values[i];
    square += values[i] * values[i];
  }
  const mean = sum / values.length;
  return Math.sqrt(Math.max(square / values.length - mean * mean, 0));
}
