/**
 * Feature maps altered in place: masks, mirror, crop, cutout.
 *
 * A map is s8 [height, width, channels]; of sound, height is time and width the bands or
 * coefficients. What is blanked becomes 0, which the scaling of features makes the training mean.
 */

import type { Random } from "../../tensor/index.ts";
import type { AudioAugment, ImageAugment, Masks } from "./spec.ts";

type Shape = readonly [number, number, number];

interface Rectangle {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

const NO_MASKS: Masks = { count: 0, share: 0 };

/**
 * SpecAugment without time warping (Park et al. 2019, 2.1): masks over all bands of some frames,
 * and over all frames of some bands.
 *
 * map      written here
 */
export function maskSound(
  map: Int8Array,
  { timeMasks = NO_MASKS, bandMasks = NO_MASKS }: AudioAugment,
  { shape, generator }: { shape: Shape; generator: Random },
): void {
  const [height, width] = shape;
  const draw = (extent: number, { share }: Masks): [number, number] => {
    const length = generator.integer(Math.floor(share * extent) + 1);
    return [generator.integer(extent - length + 1), length];
  };
  for (let i = 0; i < timeMasks.count; i++) {
    const [top, length] = draw(height, timeMasks);
    blank(map, shape, { top, left: 0, height: length, width });
  }
  for (let i = 0; i < bandMasks.count; i++) {
    const [left, length] = draw(width, bandMasks);
    blank(map, shape, { top: 0, left, height, width: length });
  }
}

/**
 * Mirror, crop, cutout, in this order.
 *
 * map         written here
 * isMirrored  decided for all pictures of a sample together
 */
export function alterMap(
  map: Int8Array,
  { cropPixels = 0, cutout = 0 }: ImageAugment,
  { shape, generator, isMirrored }: { shape: Shape; generator: Random; isMirrored: boolean },
): void {
  const [height, width] = shape;
  if (isMirrored) move(map, shape, { row: (y) => y, column: (x) => width - 1 - x });
  const offset = (): number => generator.integer(2 * cropPixels + 1) - cropPixels;
  const [dy, dx] = [offset(), offset()];
  if (dy !== 0 || dx !== 0) {
    move(map, shape, { row: (y) => within(y + dy, height), column: (x) => within(x + dx, width) });
  }
  const side = Math.round(cutout * Math.min(height, width));
  const [y, x] = [generator.integer(height), generator.integer(width)];
  // the centre lies inside, the square may reach outside (DeVries, Taylor 2017)
  blank(map, shape, {
    top: y - Math.floor(side / 2),
    left: x - Math.floor(side / 2),
    height: side,
    width: side,
  });
}

function within(i: number, extent: number): number {
  return Math.max(0, Math.min(extent - 1, i));
}

/** Each pixel from elsewhere in the same map. */
function move(
  map: Int8Array,
  [height, width, channels]: Shape,
  { row, column }: { row: (y: number) => number; column: (x: number) => number },
): void {
  const before = map.slice();
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const source = (row(y) * width + column(x)) * channels;
      for (let c = 0; c < channels; c++) map[at++] = before[source + c];
    }
  }
}

function blank(
  map: Int8Array,
  [rows, columns, channels]: Shape,
  { top, left, height, width }: Rectangle,
): void {
  const [start, end] = [Math.max(0, left), Math.min(columns, left + width)];
  if (start >= end) return;
  for (let y = Math.max(0, top); y < Math.min(rows, top + height); y++) {
    map.fill(0, (y * columns + start) * channels, (y * columns + end) * channels);
  }
}
