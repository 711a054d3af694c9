/**
 * A picture as another exposure of it would be: less sharp, brighter or darker, of other colours.
 *
 * Acts on what a camera hands the device, u8 [height, width, channels].
 */

import type { Random } from "../../tensor/index.ts";
import type { ImageAugment } from "./spec.ts";

interface Size {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
}

/** BT.601, as the front-end's grey. */
const LUMA = [0.299, 0.587, 0.114];

/**
 * An altered copy of a picture: blur, then brightness, contrast and saturation; rounded once.
 *
 * pixels    u8 [height, width, channels]
 * perPixel  pixels of the picture in one pixel of what the net sees
 */
export function alterPicture(
  pixels: Uint8Array,
  augment: ImageAugment,
  { size, perPixel, generator }: { size: Size; perPixel: number; generator: Random },
): Uint8Array {
  const { brightness = 0, contrast = 0, saturation = 0, blurPixels = 0 } = augment;
  const factor = (strength: number): number => 1 + strength * (2 * generator.next() - 1);
  const deviation = blurPixels * perPixel * generator.next();
  const factors = { brightness: factor(brightness), contrast: factor(contrast) };
  const values = new Float64Array(pixels);
  blur(values, size, deviation);
  recolour(values, size.channels, { ...factors, saturation: factor(saturation) });
  const altered = new Uint8ClampedArray(values.map(Math.round));
  return new Uint8Array(altered.buffer);
}

interface Factors {
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation: number;
}

/** torchvision's ColorJitter without hue, and without rounding between its steps. Writes `values`. */
function recolour(
  values: Float64Array,
  channels: 1 | 3,
  { brightness, contrast, saturation }: Factors,
): void {
  const greyAt = (i: number): number =>
    channels === 1
      ? values[i]
      : LUMA[0] * values[i] + LUMA[1] * values[i + 1] + LUMA[2] * values[i + 2];
  let mean = 0;
  for (let i = 0; i < values.length; i += channels) mean += greyAt(i);
  mean *= channels / values.length;
  for (let i = 0; i < values.length; i += channels) {
    const grey = greyAt(i);
    for (let c = i; c < i + channels; c++) {
      const coloured = grey + (values[c] - grey) * saturation;
      values[c] = brightness * (coloured + (contrast - 1) * (coloured - mean));
    }
  }
}

const PASSES = 3;

/**
 * Blur by nearly a Gaussian: three boxes with fractional ends on each axis, whose variances add up
 * to deviation^2 exactly; edges repeated. The time does not depend on the deviation.
 *
 * values   [height, width, channels], written here
 * Source: Gwosdek, Grewenig, Bruhn, Weickert 2011, "Theoretical foundations of Gaussian convolution
 * by extended box filtering"
 */
export function blur(
  values: Float64Array,
  { height, width, channels }: Size,
  deviation: number,
): void {
  if (deviation === 0) return;
  const along = (count: number, step: number, starts: (line: number) => number, lines: number) => {
    for (let line = 0; line < lines; line++) {
      blurLine(values, { start: starts(line), step, count }, deviation);
    }
  };
  const row = width * channels;
  along(width, channels, (l) => Math.floor(l / channels) * row + (l % channels), height * channels);
  along(height, row, (l) => l, row);
}

interface Line {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** One line of pixels in place. */
function blurLine(values: Float64Array, { start, step, count }: Line, deviation: number): void {
  const variance = deviation ** 2 / PASSES;
  const r = Math.floor((Math.sqrt(12 * variance + 1) - 1) / 2);
  const end = ((2 * r + 1) * (3 * variance - r * (r + 1))) / (6 * ((r + 1) ** 2 - variance));
  const line = new Float64Array(count);
  const at = (i: number): number => line[Math.max(0, Math.min(count - 1, i))];
  for (let pass = 0; pass < PASSES; pass++) {
    for (let i = 0; i < count; i++) line[i] = values[start + i * step];
    let sum = 0;
    for (let i = -r; i <= r; i++) sum += at(i);
    for (let i = 0; i < count; i++) {
      const ends = end * (at(i - r - 1) + at(i + r + 1));
      values[start + i * step] = (sum + ends) / (2 * r + 1 + 2 * end);
      sum += at(i + r + 1) - at(i - r);
    }
  }
}
