/**
 * Resizing as real numbers: what the integer kernel is measured against. It is at most half a grey
 * level away.
 */

import { LUMA } from "./image-routine.ts";
import { type ImageSpec, regionOf } from "./spec.ts";

/**
 * Resize by integrals over areas or by bilinear interpolation between pixel centres, without
 * rounding.
 *
 * pixels   u8 of spec.source, [height, width, channels]
 * returns  [height, width, channels] of the spec, 0 to 255
 */
export function resizeFloat(pixels: Uint8Array, spec: ImageSpec): Float64Array {
  const { height, width, channels } = spec;
  const region = regionOf(spec);
  const rows = resizeWeight(spec.resize, region.height, height);
  const columns = resizeWeight(spec.resize, region.width, width);
  const out = new Float64Array(height * width * channels);
  for (let i = 0; i < out.length; i++) {
    const c = i % channels;
    const ox = Math.floor(i / channels) % width;
    const oy = Math.floor(i / channels / width);
    for (let iy = 0; iy < region.height; iy++) {
      if (rows(oy, iy) === 0) continue;
      for (let ix = 0; ix < region.width; ix++) {
        const weight = rows(oy, iy) * columns(ox, ix);
        if (weight > 0)
          out[i] += weight * colour(pixels, spec, { iy: iy + region.top, ix: ix + region.left, c });
      }
    }
  }
  return out;
}

type Weight = (output: number, input: number) => number;

/** How much of an input is in an output of a resize along one axis. */
export function resizeWeight(resize: ImageSpec["resize"], from: number, to: number): Weight {
  return resize === "area" ? box(from, to) : tent(from, to);
}

function box(from: number, to: number): Weight {
  const ratio = from / to;
  return (o, i) => Math.max(0, Math.min((o + 1) * ratio, i + 1) - Math.max(o * ratio, i)) / ratio;
}

function tent(from: number, to: number): Weight {
  return (o, i) => {
    const centre = Math.max(0, Math.min(from - 1, ((o + 0.5) * from) / to - 0.5));
    return Math.max(0, 1 - Math.abs(centre - i));
  };
}

function colour(
  pixels: Uint8Array,
  { source, channels }: ImageSpec,
  { iy, ix, c }: { iy: number; ix: number; c: number },
): number {
  const at = (iy * source.width + ix) * source.channels;
  if (source.channels === channels) return pixels[at + c];
  if (source.channels === 1) return pixels[at];
  const luma = LUMA.reduce((sum, weight, k) => sum + weight * pixels[at + k], 128);
  return Math.floor(luma / 256);
}
