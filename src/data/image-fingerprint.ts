/**
 * A fingerprint of pictures that survives another size, coding and brightness: the low frequencies
 * of a window's cosine transform, whitened.
 *
 *   F[u, v] = sqrt(u^2 + v^2) sum_yx g[y, x] cos(pi u (y + 1/2) / 24) cos(pi v (x + 1/2) / 24)    (4)
 *
 * for 0 < u + v <= 12, g being means of the picture over a 24 x 24 grid in the window. The mean is
 * left out and the whole is scaled to length 1: brightness and contrast cancel. Spectra of pictures
 * fall off as 1 / frequency, so the root makes all terms count alike.
 *
 * Source: Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010 (pHash
 * by DCT); Field, "Relations between the statistics of natural images", 1987 (the fall-off).
 */

import type { Picture } from "./dataset.ts";

const GRID = 24;
const HIGHEST = 12;
/** Side of the thumbnail that is kept of a picture: two cells for each of the grid. */
const SIDE = 48;

const TERMS: readonly (readonly [u: number, v: number])[] = Array.from({ length: HIGHEST + 1 })
  .flatMap((_, u) => Array.from({ length: HIGHEST + 1 - u }, (_, v) => [u, v] as const))
  .filter(([u, v]) => u + v > 0)
  .sort(([u, v], [s, t]) => u + v - (s + t) || u - s);

/** How many of the first terms have u + v <= 5: a shift of 1/32 hardly changes those. */
export const COARSE_TERMS = 20;

/** Below this deviation, in steps of 8 bits, a picture shows nothing to be recognised by. */
const LEAST_CONTRAST = 2;

/** A square of the picture, stretched to its sides: places and side as parts of height and width. */
export interface View {
  readonly y: number;
  readonly x: number;
  readonly side: number;
}

/** What is looked at first: all but a sixteenth on each side, so that there is room to move. */
export const MIDDLE: View = { y: 1 / 16, x: 1 / 16, side: 7 / 8 };

export interface ImageFingerprint {
  /** Grey of SIDE x SIDE cells. */
  readonly thumbnail: Uint8Array;
  /** Equation 4 in the middle. */
  readonly terms: Float32Array;
}

/** Undefined for pictures smaller than the grid, or without contrast. */
export function imageFingerprint(picture: Picture): ImageFingerprint | undefined {
  const { height, width, channels, pixels } = picture;
  if (Math.min(height, width) < GRID) return undefined;
  const grey = channels === 1 ? pixels : greyOf(pixels);
  const whole: View = { y: 0, x: 0, side: 1 };
  const cells = cellMeans(summedAreas(grey, { height, width }), { view: whole, count: SIDE });
  const thumbnail = rounded(cells);
  if (deviation(thumbnail) < LEAST_CONTRAST) return undefined;
  return { thumbnail, terms: viewer({ thumbnail })(MIDDLE) };
}

/** Equation 4 in any view of a thumbnail. */
export function viewer({
  thumbnail,
}: {
  readonly thumbnail: Uint8Array;
}): (view: View) => Float32Array {
  const sums = summedAreas(thumbnail, { height: SIDE, width: SIDE });
  return (view) => transform(cellMeans(sums, { view, count: GRID }));
}

/** The cosine of the angle between two fingerprints, over their first `count` terms. */
export function likeness(a: Float32Array, b: Float32Array, count: number = TERMS.length): number {
  let [product, left, right] = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    product += a[i] * b[i];
    left += a[i] * a[i];
    right += b[i] * b[i];
  }
  return product / (Math.sqrt(left * right) || 1);
}

function greyOf(pixels: Uint8Array): Float32Array {
  const grey = new Float32Array(pixels.length / 3);
  for (let i = 0; i < grey.length; i++) {
    grey[i] = (pixels[3 * i] + pixels[3 * i + 1] + pixels[3 * i + 2]) / 3;
  }
  return grey;
}

/** As Uint8Array.from would do, at a tenth of the time: it goes through an iterator. */
function rounded(cells: Float64Array): Uint8Array {
  const bytes = new Uint8Array(cells.length);
  for (let i = 0; i < cells.length; i++) bytes[i] = Math.round(cells[i]);
  return bytes;
}

function deviation(values: Uint8Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

interface Areas {
  readonly sums: Float64Array;
  readonly height: number;
  readonly width: number;
}

/** Sums over all rectangles from the corner. */
function summedAreas(
  grey: ArrayLike<number>,
  { height, width }: { height: number; width: number },
): Areas {
  const stride = width + 1;
  const sums = new Float64Array((height + 1) * stride);
  for (let y = 0, i = 0; y < height; y++) {
    let row = 0;
    for (let x = 0; x < width; x++, i++) {
      row += grey[i];
      sums[(y + 1) * stride + x + 1] = sums[y * stride + x + 1] + row;
    }
  }
  return { sums, height, width };
}

/** Means over count x count cells of a view; parts of pixels count by their area. */
function cellMeans(
  { sums, height, width }: Areas,
  { view, count }: { view: View; count: number },
): Float64Array {
  const ys = edges(view.y, { side: view.side, size: height, count });
  const xs = edges(view.x, { side: view.side, size: width, count });
  const stride = width + 1;
  const across = count + 1;
  const corners = new Float64Array(across * across);
  for (let i = 0; i < across; i++) {
    const row = Math.min(Math.floor(ys[i]), height - 1);
    for (let j = 0; j < across; j++) {
      const column = Math.min(Math.floor(xs[j]), width - 1);
      const at = row * stride + column;
      const part = xs[j] - column;
      const top = sums[at] + (sums[at + 1] - sums[at]) * part;
      const below = sums[at + stride] + (sums[at + stride + 1] - sums[at + stride]) * part;
      corners[i * across + j] = top + (below - top) * (ys[i] - row);
    }
  }
  const area = (view.side / count) ** 2 * height * width;
  const means = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      const at = i * across + j;
      const sum = corners[at] - corners[at + 1] - corners[at + across] + corners[at + across + 1];
      means[i * count + j] = sum / area;
    }
  }
  return means;
}

function edges(
  start: number,
  { side, size, count }: { side: number; size: number; count: number },
): Float64Array {
  const places = new Float64Array(count + 1);
  for (let i = 0; i <= count; i++) {
    places[i] = Math.min(Math.max((start + (side * i) / count) * size, 0), size);
  }
  return places;
}

const COSINES: Float64Array = Float64Array.from({ length: (HIGHEST + 1) * GRID }, (_, i) =>
  Math.cos((Math.PI * Math.floor(i / GRID) * ((i % GRID) + 0.5)) / GRID),
);

/** Equation 4, along x and then along y. */
function transform(grid: Float64Array): Float32Array {
  const rows = new Float64Array(GRID * (HIGHEST + 1));
  for (let y = 0; y < GRID; y++) {
    for (let v = 0; v <= HIGHEST; v++) {
      let sum = 0;
      for (let x = 0; x < GRID; x++) sum += grid[y * GRID + x] * COSINES[v * GRID + x];
      rows[y * (HIGHEST + 1) + v] = sum;
    }
  }
  const terms = new Float32Array(TERMS.length);
  let square = 0;
  for (let i = 0; i < terms.length; i++) {
    const [u, v] = TERMS[i];
    let sum = 0;
    for (let y = 0; y < GRID; y++) sum += rows[y * (HIGHEST + 1) + v] * COSINES[u * GRID + y];
    terms[i] = sum * Math.sqrt(u * u + v * v);
    square += terms[i] * terms[i];
  }
  const length = Math.sqrt(square) || 1;
  for (let i = 0; i < terms.length; i++) terms[i] /= length;
  return terms;
}
