/**
 * Decoded sound and pictures to exactly what a microphone or camera would hand the device: s16 and
 * u8.
 */

import { type Audio, openResampler, type Picture, type Resampler } from "../data/index.ts";
import type { TypedArray } from "../kernel/index.ts";
import { extractor } from "./frontend.ts";
import type { AudioSpec, ImageSpec } from "./spec.ts";

/**
 * Input samples past the clip's end that the resampler's filter can still reach, times max(1, from
 * / to).
 */
const FILTER_REACH = 80;

/**
 * A clip at the spec's rate and length.
 *
 * audio     mono, in [-1, 1], any rate and length
 * resample  keeps the filters of rates that come again
 * into      s16 [spec.samples] to write to, else a new one, which takes longer
 * returns   into: round(32768 x), clamped; padded with zeros or cut at the end
 */
export function prepareAudio(
  { samples, sampleRateHz }: Audio,
  spec: AudioSpec,
  {
    resample = openResampler(),
    into = new Int16Array(spec.samples),
  }: { resample?: Resampler; into?: Int16Array } = {},
): Int16Array {
  const converted = atRate(samples, {
    resample,
    from: sampleRateHz,
    to: spec.sampleRateHz,
    count: spec.samples,
  });
  roundSamples(converted, into);
  return into.fill(0, converted.length);
}

/**
 * clip = round(32768 x), halves up, clamped; 0 for NaN. The sum is exact where it matters, for x is a
 * float; as it is not negative, cutting it off rounds it down, in one instruction.
 */
function roundSamples(samples: Float32Array, clip: Int16Array): void {
  const length = Math.min(samples.length, clip.length);
  for (let i = 0; i < length; i++) {
    const x = samples[i];
    const shifted = x * 32768 + 32768.5;
    if (shifted >= 0 && shifted < 65536) clip[i] = (shifted | 0) - 32768;
    else clip[i] = x > 0 ? 32767 : x < 0 ? -32768 : 0;
  }
}

/** The first `count` samples at another rate; what cannot reach them is not filtered. */
function atRate(
  samples: Float32Array,
  { from, to, count, resample }: { from: number; to: number; count: number; resample: Resampler },
): Float32Array {
  if (from === to) return samples;
  const ratio = from / to;
  const needed = Math.ceil(count * ratio + FILTER_REACH * Math.max(1, ratio));
  return resample(samples.subarray(0, needed), { from, to });
}

/**
 * A picture of the size and colours of spec.source.
 *
 * picture  any size; grey becomes RGB by repetition, RGB grey by BT.601
 * returns  u8 [height, width, channels] of spec.source; resized by the front-end's own kernel where
 *          it differs
 */
export function preparePicture(picture: Picture, spec: ImageSpec): Uint8Array {
  return pictureFitter(spec)(picture);
}

/** `preparePicture` for many pictures: each size that occurs is compiled once. */
export function pictureFitter({ source, resize }: ImageSpec): (picture: Picture) => Uint8Array {
  const known = new Map<string, (pixels: TypedArray) => Int32Array>();
  return ({ pixels, height, width, channels }) => {
    const from = { height, width, channels };
    const key = sizeOf(from);
    if (key === sizeOf(source)) return pixels;
    const toSource =
      known.get(key) ?? extractor({ kind: "image", ...source, source: from, resize }, "raw");
    known.set(key, toSource);
    return Uint8Array.from(toSource(pixels));
  };
}

function sizeOf({ height, width, channels }: ImageSpec["source"]): string {
  return `${height}x${width}x${channels}`;
}
