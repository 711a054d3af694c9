/**
 * Requantization: from a 32-bit accumulator back to 8 bits, in integers only.
 *
 *   real factor   M = inputScale * weightScale / outputScale
 *   stored as     multiplier = round(M * 2^(31 - shift)), an s32; shift is 0 for M < 1, the same for
 *                 all channels of a layer
 *   applied as    q = clamp(zeroPoint + ((acc * multiplier + 2^(30-shift)) >> (31-shift))), ties upward
 *
 * Source: Jacob et al. 2018 (arXiv:1712.05877), section 2.2, with a single rounding.
 */

import { mismatch } from "../errors.ts";

export interface Multipliers {
  /** Bits by which the right shift is less than 31, one for all channels. */
  readonly shift: number;
  /** Q31 factors, one a channel. */
  readonly values: Int32Array;
}

/**
 * Real factors as fixed point.
 *
 * factors  positive, below 2^8
 * throws   RangeError outside that interval
 */
export function multipliersOf(factors: readonly number[]): Multipliers {
  const largest = Math.max(...factors);
  if (!(Math.min(...factors) > 0 && largest < 256)) {
    throw mismatch("requantize", "real factor", { expected: "in (0, 256)", got: largest });
  }
  let shift = 0;
  // 2^31 itself does not fit an s32
  while (Math.round(largest * 2 ** (31 - shift)) >= 2 ** 31) shift++;
  const values = Int32Array.from(factors, (factor) => Math.round(factor * 2 ** (31 - shift)));
  return { shift, values };
}
