/**
 * Two neighbouring elements that two neighbouring statements move: what one instruction can do.
 *
 * Only where the order of the two cannot matter, so that a consumer may take them together: both
 * loads into variables, or both stores of values that read no memory.
 */

import { addressOf, keyOf } from "./affine.ts";
import { type Buffer, type Expr, type Load, parts, type Statement } from "./language.ts";

type Let = Extract<Statement, { op: "let" | "set" }>;
export type Store = Extract<Statement, { op: "store" }>;

/** A declaration whose value is an element. */
export type LoadLet = Let & { readonly op: "let"; readonly value: Load };

/** Statements in order, those that move neighbours two by two. */
export function inPairs(body: readonly Statement[]): (readonly Statement[])[] {
  const steps: (readonly Statement[])[] = [];
  for (let i = 0; i < body.length; i++) {
    const next = body.slice(i, i + 2);
    const isPair =
      next.length === 2 && (isLoadPair(next[0], next[1]) || isStorePair(next[0], next[1]));
    steps.push(isPair ? next : [body[i]]);
    if (isPair) i++;
  }
  return steps;
}

/** `let x = b[i]; let y = b[i + 1]`. */
export function isLoadPair(first: Statement, second: Statement): boolean {
  if (!isLoadLet(first) || !isLoadLet(second)) return false;
  const [x, y] = [first.value, second.value];
  return areNeighbours(x, y) && !y.index.some((i) => mentions(i, first.variable.name));
}

/** `b[i] = x; b[i + 1] = y`. */
export function isStorePair(first: Statement, second: Statement): boolean {
  if (first.op !== "store" || second.op !== "store") return false;
  return areNeighbours(first, second) && [...second.index, second.value].every(isWithoutLoads);
}

export function isLoadLet(statement: Statement): statement is LoadLet {
  return statement.op === "let" && statement.value.op === "load";
}

interface Access {
  readonly buffer: Buffer;
  readonly index: readonly Expr[];
}

function areNeighbours(first: Access, second: Access): boolean {
  if (first.buffer.name !== second.buffer.name) return false;
  const [a, b] = [first, second].map(({ buffer, index }) => addressOf(buffer, index));
  const key = ({ terms }: typeof a): string =>
    terms.map(({ key: name, coefficient }) => `${name}*${coefficient}`).join("+");
  return b.offset - a.offset === 1 && key(a) === key(b);
}

function isWithoutLoads(expr: Expr): boolean {
  return expr.op !== "load" && parts(expr).every(isWithoutLoads);
}

function mentions(expr: Expr, name: string): boolean {
  return keyOf(expr) === name || parts(expr).some((part) => mentions(part, name));
}
