/**
 * Rounding to integers times a step, v = value / step:
 *
 *   q(v) = clamp(floor(v + 1/2), low, high)
 *
 * and its gradients, where rounding passes them on as if it were not there (straight through):
 *
 *   d step q / d value = 1 inside low < v < high, else 0
 *   d step q / d step  = q(v) - v inside, low or high outside
 *
 * Source: Esser et al. 2020 (arXiv:1902.08153), equations 1, 3 and 5.
 */

import { build as b, type Expr } from "../../kernel/index.ts";

/** The smallest and the largest integer. */
export interface Levels {
  readonly low: number;
  readonly high: number;
}

/** Of weights, as in compress: 8 bits stay symmetric. */
export function weightLevels(bits: 8 | 4): Levels {
  return bits === 8 ? { low: -127, high: 127 } : { low: -8, high: 7 };
}

/** Of activations; unsigned ones are s8 with the zero point -128. */
export function activationLevels({ bits, signed }: { bits: 8 | 4; signed: boolean }): Levels {
  const half = 2 ** (bits - 1);
  return signed ? { low: -half, high: half - 1 } : { low: 0, high: 2 * half - 1 };
}

/** A step that can be divided by: one that is learned may cross 0, one of zeros is 0. */
export function positive(step: Expr): Expr {
  return b.max(step, 2 ** -60);
}

export function rounded(v: Expr, { low, high }: Levels): Expr {
  return b.clamp(b.unary("floor", b.add(v, 0.5)), low, high);
}

/** Whether v passes its gradient on. */
export function isInside(v: Expr, { low, high }: Levels): Expr {
  return b.bitAnd(b.less(low, v), b.less(v, high));
}

/** d step q / d step: q - v inside; outside q is low or high. */
export function stepSlope(v: Expr, levels: Levels): Expr {
  return b.sub(rounded(v, levels), b.select(isInside(v, levels), v, b.f32(0)));
}
