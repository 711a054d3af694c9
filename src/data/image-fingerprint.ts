/**
 * A fingerprint of pictures that survives another size, coding and brightness: the low frequencies
 * of a window's cosine transform, weighted by frequency.
 *
 *   F[u, v] = sqrt(u^2 + v^2) sum_yx g[y, x] cos(pi u (y + 1/2) / 24) cos(pi v (x + 1/2) / 24)    (4)
 *
 * for 0 < u + v <= 12, in the order of u + v, g being means of the picture over a 24 x 24 grid in
 * the window. The mean is left out and the whole is scaled to length 1: brightness and contrast
 * cancel. Spectra of pictures fall off as 1 / frequency, so the root makes all terms count alike.
 *
 * Source: Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010 (pHash
 * by DCT); Field, "Relations between the statistics of natural images", 1987 (the fall-off).
 */

import { type Areas, cellMeans, summedAreas, type View } from "./cell-means.ts";
import { countTerms, GRID, HIGHEST, windowTerms } from "./cosine-terms.ts";
import type { Picture } from "./dataset.ts";

/** Cells of the grid that fit a side of the picture: two are left beside the middle window. */
const CELLS = 28;
/** Side of the thumbnail that is kept of a picture: two points for each cell of the grid. */
const SIDE = 2 * CELLS;
/** Steps of the thumbnail in one of 8 bits: means of a flat sky differ by less than one. */
export const STEPS = 256;

/** u + v up to which moving by half a cell hardly changes terms, and how many those are. */
const HIGHEST_COARSE = 6;
export const COARSE_TERMS: number = countTerms(HIGHEST_COARSE);

/** Smaller pictures show too little. */
const LEAST_SIDE = 16;
/** Below this deviation, in steps of 8 bits, a picture is one colour and the rounding of it. */
const LEAST_CONTRAST = 0.5;

/** A cell of the grid in the middle window, as a part of a picture's side. */
export const CELL: number = 1 / CELLS;

/** What is looked at first: all but two cells on each side, so that there is room to move. */
export const MIDDLE: View = { y: 2 * CELL, x: 2 * CELL, side: GRID * CELL };

/** Cells down and to the right of the middle, of the windows that are looked at. */
export const OFFSETS: readonly (readonly [down: number, right: number])[] = [-1, 0, 1].flatMap(
  (down) => [-1, 0, 1].map((right) => [down, right] as const),
);

export interface ImageFingerprint {
  /** Grey of SIDE x SIDE points, in steps of 1/256 of one of 8 bits. */
  readonly thumbnail: Uint16Array;
  /** Equation 4 in the middle. */
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

/** Equation 4 in the windows at OFFSETS; `isCoarse` for COARSE_TERMS, which then have length 1. */
export function offsetTerms(
  { thumbnail }: { readonly thumbnail: Uint16Array },
  { isCoarse = false }: { isCoarse?: boolean } = {},
): Float32Array[] {
  const side = CELLS - 2; // of the two cells around the middle one is used
  const cells = new Float64Array(side * side);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const at = (2 * y + 2) * SIDE + 2 * x + 2;
      const upper = thumbnail[at] + thumbnail[at + 1];
      cells[y * side + x] = upper + thumbnail[at + SIDE] + thumbnail[at + SIDE + 1];
    }
  }
  return windowTerms(cells, { side, step: 1, highest: isCoarse ? HIGHEST_COARSE : HIGHEST });
}

/** Equation 4 in any view of a thumbnail. */
export function viewer({
  thumbnail,
}: {
  readonly thumbnail: Uint16Array;
}): (view: View) => Float32Array {
  let sums: Areas | undefined;
  return (view) => {
    sums ??= summedAreas(thumbnail, { height: SIDE, width: SIDE });
    const cells = cellMeans(sums, { view, count: GRID });
    return windowTerms(cells, { side: GRID, step: 1, highest: HIGHEST })[0];
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
