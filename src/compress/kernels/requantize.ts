/** The end of every integer layer: accumulator -> s8. See fixed-point.ts for the derivation. */

import { build as b, type Expr } from "../../kernel/index.ts";
import type { Multipliers } from "../fixed-point.ts";

export interface Output {
  readonly multipliers: Multipliers;
  readonly zeroPoint: number;
  /** Smallest output: the zero point after a ReLU, else -128. */
  readonly low: number;
  /** Largest output. */
  readonly high?: number;
}

/**
 * clamp(zeroPoint + mulShift(acc, multiplier, 31 - shift), low, high)
 *
 * Equal to shifting the accumulator left first, without the overflow that could have.
 */
export function requantize(
  acc: Expr,
  multiplier: Expr,
  { multipliers, zeroPoint, low, high = 127 }: Output,
): Expr {
  const scaled = b.mulShift(acc, multiplier, 31 - multipliers.shift);
  return b.clamp(b.add(scaled, zeroPoint), low, high);
}
