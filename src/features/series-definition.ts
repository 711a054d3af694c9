/** A series' front-end as real numbers: what the integer kernel is measured against. */

import { resizeWeight } from "./image-definition.ts";
import type { SeriesSpec } from "./spec.ts";

/**
 * Means over equal spans of time, or interpolation between readings, without rounding.
 *
 * readings  [samples, channels], in steps of the s16
 * returns   [length, channels], in the same steps
 */
export function seriesFloat(readings: ArrayLike<number>, spec: SeriesSpec): Float64Array {
  const { samples, length, channels } = spec;
  const weight = resizeWeight(spec.resize, samples, length);
  const out = new Float64Array(length * channels);
  for (let t = 0; t < length; t++) {
    for (let i = 0; i < samples; i++) {
      const w = weight(t, i);
      if (w === 0) continue;
      for (let c = 0; c < channels; c++) out[t * channels + c] += w * readings[i * channels + c];
    }
  }
  return out;
}
