/** The end of every integer layer: accumulator -> s8. See fixed-point.ts for the derivation. */

import { build as b, type Expr } from "../../kernel/index.ts";
import type { Multipliers } from "../fixed-point.ts";

export interface Output {
  readonly multipliers: Multipliers;
  readonly zeroPoint: number;
  /** Smallest output: the zero point after a ReLU, else -128. */
  readonly low: number;
}

/** clamp(zeroPoint + mulShift(acc << shift, multiplier, 31), low, 127) */
export function requantize(
  acc: Expr,
  multiplier: Expr,
  { multipliers, zeroPoint, low }: Output,
): Expr {
  const scaled = b.mulShift(b.shl(acc, multipliers.shift), multiplier, 31);
  return b.clamp(b.add(scaled, zeroPoint), low, 127);
}
