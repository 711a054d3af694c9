/**
 * Addresses as affine forms: offset + sum of coefficient * term, in elements.
 *
 * A term is a variable or, where an index is no sum of products with constants, any other
 * expression kept whole. Consumers use it to keep loop-invariant parts of an address out of inner
 * loops.
 */

import { type Buffer, type Expr, parts, stridesOf } from "./language.ts";

export interface Term {
  /** Equal keys mean equal expressions. */
  readonly key: string;
  readonly expr: Expr;
  readonly coefficient: number;
}

export interface Affine {
  readonly offset: number;
  /** Sorted by key; no coefficient is zero. */
  readonly terms: readonly Term[];
}

/** The flat element index of an access. */
export function addressOf(buffer: Buffer, index: readonly Expr[]): Affine {
  const terms = new Map<string, Term>();
  let offset = 0;
  const visit = (expr: Expr, factor: number): void => {
    if (expr.op === "constant") {
      offset += expr.value * factor;
    } else if (expr.op === "add" || expr.op === "sub") {
      visit(expr.a, factor);
      visit(expr.b, expr.op === "add" ? factor : -factor);
    } else if (expr.op === "mul" && expr.b.op === "constant") {
      visit(expr.a, factor * expr.b.value);
    } else if (expr.op === "mul" && expr.a.op === "constant") {
      visit(expr.b, factor * expr.a.value);
    } else {
      const key = keyOf(expr);
      const coefficient = (terms.get(key)?.coefficient ?? 0) + factor;
      if (coefficient === 0) terms.delete(key);
      else terms.set(key, { key, expr, coefficient });
    }
  };
  stridesOf(buffer.shape).forEach((stride, axis) => {
    visit(index[axis], stride);
  });
  return { offset, terms: [...terms.values()].sort((a, b) => (a.key < b.key ? -1 : 1)) };
}

/** A text that is equal for equal expressions. */
export function keyOf(expr: Expr): string {
  if (expr.op === "variable") return expr.name;
  if (expr.op === "constant") return `${expr.type}:${expr.value}`;
  const own = expr.op === "load" ? expr.buffer.name : expr.op === "mulShift" ? expr.shift : "";
  return `${expr.op}:${own}(${parts(expr).map(keyOf).join(",")})`;
}
