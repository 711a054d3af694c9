/**
 * exp and log in f32 arithmetic only, so that every machine rounds alike.
 *
 * Source: Cody, Waite 1980 (argument reduction); coefficients of the Cephes library (Moshier), expf
 * and logf.
 */

import { build as b, type Expr, type Statement, type Variable } from "../../kernel/index.ts";

/** ln 2 in two parts: the first has few bits, so that n * LN2_HIGH is exact. */
const LN2_HIGH = 0.693359375;
const LN2_LOW = -2.1219444e-4;

function polynomial(x: Expr, coefficients: readonly number[]): Expr {
  return coefficients
    .slice(1)
    .reduce<Expr>((sum, c) => b.add(b.mul(sum, x), b.f32(c)), b.f32(coefficients[0]));
}

/**
 * Statements that set `result` to exp(x), for x in [-87, 87].
 *
 * x        a variable; it is not changed
 * name     prefix of the variables used inside
 */
export function exp(result: Variable, x: Expr, name: string): Statement[] {
  const n = b.variable(`${name}_n`, "f32");
  const r = b.variable(`${name}_r`, "f32");
  const scale = b.unary("bitsToF32", b.shl(b.add(b.unary("toS32", n), 127), 23));
  const series = polynomial(
    r,
    [
      1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1,
      5.0000001201e-1,
    ],
  );
  return [
    b.declare(n, b.unary("floor", b.add(b.mul(b.max(x, -87), b.f32(Math.LOG2E)), 0.5))),
    b.declare(r, b.sub(b.sub(b.max(x, -87), b.mul(n, b.f32(LN2_HIGH))), b.mul(n, b.f32(LN2_LOW)))),
    b.declare(result, b.mul(b.add(b.add(b.mul(series, b.mul(r, r)), r), 1), scale)),
  ];
}

/** Statements that set `result` to log(x), for normal x > 0. */
export function log(result: Variable, x: Expr, name: string): Statement[] {
  const exponent = b.variable(`${name}_e`, "s32");
  const m = b.variable(`${name}_m`, "f32");
  const raw = b.unary("f32ToBits", x);
  // Mantissa in [1, 2); above sqrt 2 it is halved, so that m - 1 lies in [-0.29, 0.41].
  const mantissa = b.unary("bitsToF32", b.bitXor(b.bitAnd(raw, 0x007fffff), 127 << 23));
  const big = b.less(b.f32(Math.SQRT2), m);
  const series = polynomial(
    m,
    [
      7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1,
      -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
    ],
  );
  const square = b.mul(m, m);
  const e = b.unary("toF32", exponent);
  return [
    b.declare(exponent, b.sub(b.shr(raw, 23), 127)),
    b.declare(m, mantissa),
    b.set(exponent, b.add(exponent, big)),
    b.set(m, b.sub(b.select(big, b.mul(m, 0.5), m), 1)),
    b.declare(
      result,
      b.add(
        b.add(
          b.add(b.mul(b.mul(series, m), square), b.sub(m, b.mul(square, 0.5))),
          b.mul(e, b.f32(LN2_LOW)),
        ),
        b.mul(e, b.f32(LN2_HIGH)),
      ),
    ),
  ];
}
