/** Complex numbers of the loop language: pairs of s32 expressions, and the butterfly of an FFT. */

import { type Buffer, build as b, type Expr, type Statement } from "../kernel/index.ts";

export interface Complex {
  readonly re: Expr;
  readonly im: Expr;
}

/** A complex value in two variables. */
export interface Held {
  readonly value: Complex;
  readonly declare: readonly Statement[];
}

export function held(name: string, { re, im }: Complex): Held {
  const value = { re: b.variable(`${name}_re`, "s32"), im: b.variable(`${name}_im`, "s32") };
  return { value, declare: [b.declare(value.re, re), b.declare(value.im, im)] };
}

/** Point `at` of s32 [points, 2]. */
export function loadPoint(points: Buffer, at: Expr): Complex {
  return { re: b.load(points, at, 0), im: b.load(points, at, 1) };
}

export function storePoint(points: Buffer, at: Expr, { re, im }: Complex): Statement[] {
  return [b.store(points, [at, 0], re), b.store(points, [at, 1], im)];
}

export function plus(x: Complex, y: Complex): Complex {
  return { re: b.add(x.re, y.re), im: b.add(x.im, y.im) };
}

export function minus(x: Complex, y: Complex): Complex {
  return { re: b.sub(x.re, y.re), im: b.sub(x.im, y.im) };
}

export function shiftedDown({ re, im }: Complex, by: Expr | number): Complex {
  return { re: b.shr(re, by), im: b.shr(im, by) };
}

/** c - i s, parts in Q31; a number n stands for (-i)^n, which multiplies exactly. */
export type Twiddle = { readonly cosine: Expr; readonly sine: Expr } | 0 | 1;

/**
 * What multiplies x: the twiddle w, -i w (a quarter turn further), or -conj w (what w is at the
 * mirrored point). For each part of the sum what is added: a part of x, times c or s, with a sign.
 */
const TURNS = {
  once: { re: ["+ re c", "+ im s"], im: ["+ im c", "- re s"] },
  further: { re: ["+ im c", "- re s"], im: ["- re c", "- im s"] },
  mirrored: { re: ["- re c", "+ im s"], im: ["- im c", "- re s"] },
} as const;
export type Turn = keyof typeof TURNS;

/** sum + x w / 2, each product rounded: one SMMLAR or SMMLSR each where there are any. */
export function addTurned(sum: Complex, x: Complex, w: Twiddle, turn: Turn = "once"): Complex {
  const part = (name: "re" | "im"): Expr =>
    TURNS[turn][name].reduce((total: Expr, term) => {
      const [sign, of, by] = term.split(" ");
      const a = of === "re" ? x.re : x.im;
      const isPlus = sign === "+";
      if (typeof w === "number") {
        if ((by === "s") !== (w === 1)) return total;
        return isPlus ? b.add(total, half(a)) : b.sub(total, half(a));
      }
      return b.add(total, b.mulShift(isPlus ? a : b.sub(0, a), by === "c" ? w.cosine : w.sine, 32));
    }, sum[name]);
  return { re: part("re"), im: part("im") };
}

function half(x: Expr): Expr {
  return b.shr(x, 1);
}

/** 2 x - y: the other output of a butterfly whose input is x and whose first output is y. */
export function reflected(x: Complex, y: Complex): Complex {
  return { re: b.sub(b.mul(x.re, 2), y.re), im: b.sub(b.mul(x.im, 2), y.im) };
}

/** a + x w and a - x w, x at twice the scale of a. */
export function butterfly(
  name: string,
  [a, x]: readonly [Held, Held],
  twiddle: Twiddle,
  turn: Turn = "once",
): { sum: Complex; rest: Complex; declare: Statement[] } {
  const sum = held(`${name}_sum`, addTurned(a.value, x.value, twiddle, turn));
  const rest = held(`${name}_rest`, reflected(a.value, sum.value));
  const declare = [a, x, sum, rest].flatMap((point) => point.declare);
  return { sum: sum.value, rest: rest.value, declare };
}

/** A twiddle and what has to be declared before it is used. */
export interface HeldTwiddle<T extends Twiddle = Twiddle> {
  readonly value: T;
  readonly declare: readonly Statement[];
}

/** The twiddle in two columns of row k of a table. */
export function heldTwiddle(
  name: string,
  twiddles: Buffer,
  k: Expr,
  column: number,
): HeldTwiddle<Exclude<Twiddle, number>> {
  const [cosine, sine] = ["cosine", "sine"].map((part) => b.variable(`${name}_${part}`, "s32"));
  const declare = [cosine, sine].map((part, i) => b.declare(part, b.load(twiddles, k, column + i)));
  return { value: { cosine, sine }, declare };
}

/** The twiddle (-i)^n. */
export function exactly(n: 0 | 1): HeldTwiddle {
  return { value: n, declare: [] };
}
