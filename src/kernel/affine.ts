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
  const terms: Term[] = [];
  const strides = stridesOf(buffer.shape);
  let offset = 0;
  for (let axis = 0; axis < strides.length; axis++) {
    offset += collect(index[axis], strides[axis], terms);
  }
  const kept = terms.filter(({ coefficient }) => coefficient !== 0);
  return { offset, terms: kept.sort((a, b) => (a.key < b.key ? -1 : 1)) };
}

/** Add `factor` times an expression's terms to a list; returns its constant part. */
function collect(expr: Expr, factor: number, terms: Term[]): number {
  if (expr.op === "constant") return expr.value * factor;
  if (expr.op === "add" || expr.op === "sub") {
    const constant = collect(expr.a, factor, terms);
    return constant + collect(expr.b, expr.op === "add" ? factor : -factor, terms);
  }
  if (expr.op === "mul" && expr.b.op === "constant") {
    return collect(expr.a, factor * expr.b.value, terms);
  }
  if (expr.op === "mul" && expr.a.op === "constant") {
    return collect(expr.b, factor * expr.a.value, terms);
  }
  const key = keyOf(expr);
  const known = terms.findIndex((term) => term.key === key);
  const coefficient = (terms[known]?.coefficient ?? 0) + factor;
  if (known >= 0) terms[known] = { key, expr, coefficient };
  else terms.push({ key, expr, coefficient });
  return 0;
}

/** A text that is equal for equal expressions. */
export function keyOf(expr: Expr): string {
  if (expr.op === "variable") return expr.name;
  if (expr.op === "constant") return `${expr.type}:${expr.value}`;
  const own = expr.op === "load" ? expr.buffer.name : expr.op === "mulShift" ? expr.shift : "";
  return `${expr.op}:${own}(${parts(expr).map(keyOf).join(",")})`;
}
