/** Complex numbers of the loop language: pairs of s32 expressions, and the arithmetic of an FFT. */

import { type Buffer, build as b, type Expr, type Statement } from "../kernel/index.ts";

export interface Complex {
  readonly re: Expr;
  readonly im: Expr;
}

/** Storage of a transform of N samples: scratch s32 [N/2 + 1] each. */
export interface Spectrum {
  readonly re: Buffer;
  readonly im: Buffer;
}

/** A complex value in two variables. */
export function held(name: string, { re, im }: Complex): { value: Complex; declare: Statement[] } {
  const value = { re: b.variable(`${name}_re`, "s32"), im: b.variable(`${name}_im`, "s32") };
  return { value, declare: [b.declare(value.re, re), b.declare(value.im, im)] };
}

export function loadPoint({ re, im }: Spectrum, at: Expr): Complex {
  return { re: b.load(re, at), im: b.load(im, at) };
}

export function storePoint({ re, im }: Spectrum, at: Expr, value: Complex): Statement[] {
  return [b.store(re, [at], value.re), b.store(im, [at], value.im)];
}

export function plus(x: Complex, y: Complex): Complex {
  return { re: b.add(x.re, y.re), im: b.add(x.im, y.im) };
}

export function minus(x: Complex, y: Complex): Complex {
  return { re: b.sub(x.re, y.re), im: b.sub(x.im, y.im) };
}

export function shifted({ re, im }: Complex, by: Expr): Complex {
  return { re: b.shl(re, by), im: b.shl(im, by) };
}

export function half(x: Expr): Expr {
  return b.shr(x, 1);
}

export function halved({ re, im }: Complex): Complex {
  return { re: half(re), im: half(im) };
}

/**
 * x * conj(w) / 2 for w in Q31: high words of products, one instruction each where there are SMMULR
 * and SMMLAR.
 */
export function halfTimesConjugate(x: Complex, w: Complex): Complex {
  const product = (a: Expr, c: Expr): Expr => b.mulShift(a, c, 32);
  return {
    re: b.add(product(x.re, w.re), product(x.im, w.im)),
    im: b.sub(product(x.im, w.re), product(x.re, w.im)),
  };
}
