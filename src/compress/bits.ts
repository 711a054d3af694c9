/**
 * The choice of 8 or 4 bits for each layer under a byte limit.
 *
 * Sensitivity of a layer: mean squared change of the scores (in float units) when only its weights
 * go to 4 bits, on training samples. The choice minimises the sum of sensitivities subject to the
 * bytes of all weights: a 0-1 knapsack, solved exactly by dynamic programming over bytes (in units
 * of the greatest common divisor of the savings).
 */

import { CheckError } from "../errors.ts";
import type { Bits } from "./quantized-graph.ts";

export interface LayerChoice {
  readonly name: string;
  /** Bytes of its weights with 8 bits; half of it with 4. */
  readonly bytes: number;
  readonly sensitivity: number;
}

/**
 * Bits for each layer with the smallest total sensitivity.
 *
 * limit    bytes that all weights together may take
 * throws   CheckError if 4 bits everywhere is not small enough
 */
export function chooseBits(
  layers: readonly LayerChoice[],
  limit: number,
): ReadonlyMap<string, Bits> {
  const savings = layers.map(({ bytes }) => bytes - Math.ceil(bytes / 2));
  const total = layers.reduce((sum, { bytes }) => sum + bytes, 0);
  const smallest = total - savings.reduce((a, b) => a + b, 0);
  if (smallest > limit) {
    throw new CheckError(
      `compress: weights need ${smallest} bytes with 4 bits everywhere, limit ${limit}`,
    );
  }
  const unit = savings.reduce(greatestCommonDivisor, 0) || 1;
  const needed = Math.max(0, Math.ceil((total - limit) / unit));
  // cost[s]: least sensitivity that saves at least s units; taken[i][s]: whether layer i is in it
  let cost = new Float64Array(needed + 1).fill(Number.POSITIVE_INFINITY);
  cost[0] = 0;
  const taken: Uint8Array[] = [];
  layers.forEach(({ sensitivity }, i) => {
    const next = cost.slice();
    const choice = new Uint8Array(needed + 1);
    for (let s = 0; s <= needed; s++) {
      const before = cost[Math.max(0, s - savings[i] / unit)] + sensitivity;
      if (before < next[s]) [next[s], choice[s]] = [before, 1];
    }
    cost = next;
    taken.push(choice);
  });
  const bits = new Map<string, Bits>();
  let left = needed;
  for (let i = layers.length - 1; i >= 0; i--) {
    const isFour = taken[i][left] === 1;
    bits.set(layers[i].name, isFour ? 4 : 8);
    if (isFour) left = Math.max(0, left - savings[i] / unit);
  }
  return bits;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
