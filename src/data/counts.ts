/**
 * From what a picture file holds to pixels of 8 bits.
 *
 * A count v of a grey sensor (8 or 16 bits, or a float in degrees) becomes the pixel
 *
 *   clamp(floor(256 (v - low) / (high - low)), 0, 255)                                         (7)
 *
 * with one fixed range [low, high) for all pictures. Without one it is all that the file can hold,
 * so 8 bits stay as they are and 16 bits keep their upper 8. The range is not taken from each
 * picture: a device that stretches every frame sees noise where nothing is warm and loses how warm
 * it is, while (7) is a subtraction, a multiplication and a division by a constant.
 */

import { UserError } from "../errors.ts";
import type { CountRange, Picture } from "./dataset.ts";

/** What a picture file holds, in the order [height, width, channels]. */
export interface Counts {
  readonly values: Uint8Array | Uint16Array | Float32Array;
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  /** Values are below it; undefined for floats, which need a range. */
  readonly limit?: number;
}

/**
 * Equation (7).
 *
 * range    by default all that the file can hold
 * throws   UserError for colours with a range, floats without one, and NaN
 */
export function countsToPixels(
  { values, limit, ...size }: Counts,
  { range, name }: { range?: CountRange; name: string },
): Picture {
  if (range !== undefined && size.channels === 3) {
    throw new UserError(`${name} has colours; a range of counts is for grey pictures`);
  }
  if (range === undefined && limit === undefined) {
    throw new UserError(`${name} holds floats: give their range in <modality>_low and _high`);
  }
  const { low, high } = range ?? { low: 0, high: limit ?? 0 };
  if (values instanceof Uint8Array && low === 0 && high === 256) return { pixels: values, ...size };
  const pixels = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const level = Math.floor((256 * (values[i] - low)) / (high - low));
    if (Number.isNaN(level)) throw new UserError(`${name} holds NaN at pixel ${i}`);
    pixels[i] = Math.max(0, Math.min(255, level));
  }
  return { pixels, ...size };
}
