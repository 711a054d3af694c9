/**
 * Weights as integers: symmetric, one scale an output channel (the last axis), 8 or 4 bits.
 *
 * 8 bits take the largest absolute value. With 4 bits a smaller scale is often better, so the scale
 * is the one of 40 fractions of the largest that minimises the squared error.
 */

import type { Bits } from "./quantized-graph.ts";

export interface QuantizedWeights {
  readonly values: Int8Array;
  /** One a channel; never 0. */
  readonly scales: Float64Array;
}

/** Smallest and largest integer of a width; 8 bits stay symmetric. */
export function limitsOf(bits: Bits): { low: number; high: number } {
  return bits === 8 ? { low: -127, high: 127 } : { low: -8, high: 7 };
}

/**
 * Quantize weights whose last axis has one entry a channel.
 *
 * leastScales  [channels], positive: a channel's scale is not below it, however small its weights
 */
export function quantizeWeights(
  weights: Float32Array,
  leastScales: ArrayLike<number>,
  bits: Bits,
): QuantizedWeights {
  const channels = leastScales.length;
  const scales = new Float64Array(channels);
  const values = new Int8Array(weights.length);
  const limits = limitsOf(bits);
  for (let c = 0; c < channels; c++) {
    const column: number[] = [];
    for (let i = c; i < weights.length; i += channels) column.push(weights[i]);
    scales[c] = Math.max(bestScale(column, bits), leastScales[c]);
    column.forEach((w, row) => {
      values[row * channels + c] = rounded(w, scales[c], limits);
    });
  }
  return { values, scales };
}

function rounded(w: number, scale: number, { low, high }: { low: number; high: number }): number {
  return Math.max(low, Math.min(high, Math.round(w / scale)));
}

function bestScale(column: readonly number[], bits: Bits): number {
  const limits = limitsOf(bits);
  const largest = column.reduce((max, w) => Math.max(max, Math.abs(w)), 0);
  if (largest === 0) return 0;
  const full = largest / limits.high;
  if (bits === 8) return full;
  let [best, smallest] = [full, Number.POSITIVE_INFINITY];
  for (let keep = 1; keep > 0.4; keep -= 0.015) {
    const scale = full * keep;
    const error = column.reduce((sum, w) => sum + (w - scale * rounded(w, scale, limits)) ** 2, 0);
    if (error < smallest) [best, smallest] = [scale, error];
  }
  return best;
}
