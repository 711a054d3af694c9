/**
 * Expressions of the loop language as C, with as few parentheses as C and its compilers' warnings
 * allow.
 *
 * Operands keep their order of evaluation (a sum is never regrouped, since a regrouped one may
 * overflow); only indices are, whose size is known.
 */

import { addressOf, keyOf } from "../affine.ts";
import { add, mul, s32, sub } from "../build.ts";
import {
  type Binary,
  type Buffer,
  type Compare,
  type Constant,
  type Expr,
  isUnary,
  type Select,
  type Unary,
} from "../language.ts";
import type { SupportName } from "./support.ts";

/** What printing one kernel needs and collects. */
export interface Printing {
  readonly kernel: string;
  /** C names of variables and buffers. */
  readonly names: ReadonlyMap<string, string>;
  /** The support functions used so far; printing adds to it. */
  readonly support: Set<SupportName>;
  /** Variables of loops around that C is asked to write out. */
  readonly unrolled: ReadonlySet<string>;
}

/** How tightly a text binds, tightest first. */
const LEVELS = [
  "primary",
  "unary",
  "product",
  "sum",
  "shift",
  "relation",
  "bits",
  "both",
  "either",
  "conditional",
] as const;
export type Level = (typeof LEVELS)[number];

interface Text {
  readonly text: string;
  readonly level: Level;
}

/** An expression as C; in parentheses if it binds less tightly than `limit`. */
export function printExpr(printing: Printing, expr: Expr, limit: Level = "conditional"): string {
  const { text, level } = render(printing, expr);
  return LEVELS.indexOf(level) <= LEVELS.indexOf(limit) ? text : `(${text})`;
}

/** A condition of `if` or `?:`. */
export function printCondition(
  printing: Printing,
  expr: Expr,
  limit: Level = "conditional",
): string {
  if (isBoolean(expr)) return printExpr(printing, expr, limit);
  return `${printExpr(printing, expr, "sum")} != 0`;
}

/** An access without its value: `x[(iy * 32 + ix) * 16 + c]`, `s4(w, i)`. */
export function printAccess(printing: Printing, buffer: Buffer, index: readonly Expr[]): string {
  const name = nameOf(printing, buffer.name);
  const position = printExpr(printing, flatIndex(buffer, index));
  return buffer.type === "s4" ? use(printing, "s4", name, position) : `${name}[${position}]`;
}

/**
 * The address of an access as a pointer and what is constant in the index, variables of loops that
 * are written out included: `x + k, u * 4 + 2`. Apart, because accesses that differ in the latter
 * only then share a pointer.
 */
export function printPlace(printing: Printing, buffer: Buffer, index: readonly Expr[]): string {
  const rest = index.map((i) => withoutConstant(i, printing.unrolled));
  const [all, moving] = [addressOf(buffer, index), addressOf(buffer, rest)];
  const fixed = all.terms
    .filter(({ key }) => printing.unrolled.has(key))
    .map(({ key, expr, coefficient }) => {
      const left = moving.terms.find((term) => term.key === key)?.coefficient ?? 0;
      return mul(expr, coefficient - left);
    })
    .reduceRight((sum, term) => add(term, sum), s32(all.offset - moving.offset));
  const position = flatIndex(buffer, rest);
  const name = nameOf(printing, buffer.name);
  const isBase = position.op === "constant" && position.value === 0;
  const pointer = isBase ? name : `${name} + ${printExpr(printing, position, "sum")}`;
  return `${pointer}, ${printExpr(printing, fixed)}`;
}

/**
 * An index less the constants added to it, and multiples of variables that are as good as constant;
 * one from which something is subtracted stays.
 */
function withoutConstant(expr: Expr, constants: ReadonlySet<string>): Expr {
  if (expr.op === "constant" || isMultiple(expr, constants)) return s32(0);
  if (expr.op !== "add") return expr;
  return add(withoutConstant(expr.a, constants), withoutConstant(expr.b, constants));
}

function isMultiple(expr: Expr, of: ReadonlySet<string>): boolean {
  if (expr.op === "variable") return of.has(expr.name);
  return expr.op === "mul" && expr.b.op === "constant" && isMultiple(expr.a, of);
}

export function nameOf({ names, kernel }: Printing, name: string): string {
  const found = names.get(name);
  if (found === undefined) throw new Error(`internal: ${kernel} has no variable or buffer ${name}`);
  return found;
}

/**
 * Row-major position in Horner's form; regrouped to the left, which needs the fewest parentheses.
 */
function flatIndex({ shape }: Buffer, index: readonly Expr[]): Expr {
  return index.reduce((flat, i, axis) => (axis === 0 ? i : join(mul(flat, shape[axis]), i)));
}

function join(flat: Expr, i: Expr): Expr {
  if (flat.op === "constant" || (i.op !== "add" && i.op !== "sub")) return add(flat, i);
  return i.op === "add" ? join(join(flat, i.a), i.b) : sub(join(flat, i.a), i.b);
}

function render(printing: Printing, expr: Expr): Text {
  if (expr.type === "f32")
    throw new Error(`internal: ${printing.kernel} uses f32, which has no C form`);
  if (isUnary(expr)) return renderUnary(printing, expr);
  switch (expr.op) {
    case "constant":
      return renderConstant(expr, false);
    case "variable":
      return primary(nameOf(printing, expr.name));
    case "load":
      return primary(printAccess(printing, expr.buffer, expr.index));
    case "select":
      return renderSelect(printing, expr);
    case "mulShift": {
      if (expr.shift === 32) {
        const [a, b] = [printExpr(printing, expr.a), printExpr(printing, expr.b)];
        return primary(use(printing, "mul_high", a, b));
      }
      const [a, b] = [printExpr(printing, expr.a), printExpr(printing, expr.b)];
      return primary(use(printing, "mul_shift", a, b, `${expr.shift}`));
    }
    case "less":
    case "lessEqual":
    case "equal":
      return renderCompare(printing, expr);
    default:
      return renderBinary(printing, expr);
  }
}

function primary(text: string): Text {
  return { text, level: "primary" };
}

/** A call of a support function. */
export function use({ support }: Printing, name: SupportName, ...operands: string[]): string {
  support.add(name);
  return `${name}(${operands.join(", ")})`;
}

/** implicit: the context makes a small s64 constant 64 bits wide. */
function renderConstant({ type, value }: Constant, implicit: boolean): Text {
  if (value === -(2 ** 31) && type === "s32") return primary("INT32_MIN");
  if (value <= -(2 ** 63)) return primary("INT64_MIN");
  const digits = BigInt(value).toString();
  if (type === "s64" && !(implicit && Math.abs(value) < 2 ** 31))
    return primary(`INT64_C(${digits})`);
  return { text: digits, level: value < 0 ? "unary" : "primary" };
}

/** One side of an operator whose other side is `other`. */
function side(printing: Printing, expr: Expr, other: Expr, limit: Level): string {
  if (expr.op === "constant" && other.op !== "constant") return renderConstant(expr, true).text;
  return printExpr(printing, expr, limit);
}

function renderSelect(printing: Printing, { condition, a, b }: Select): Text {
  const test = printCondition(printing, condition, "either");
  const [left, right] = [side(printing, a, b, "either"), side(printing, b, a, "either")];
  return { text: `${test} ? ${left} : ${right}`, level: "conditional" };
}

function renderCompare(printing: Printing, { op, a, b }: Compare): Text {
  const sign = { less: "<", lessEqual: "<=", equal: "==" }[op];
  const text = `${side(printing, a, b, "sum")} ${sign} ${side(printing, b, a, "sum")}`;
  return { text, level: "relation" };
}

function renderUnary(printing: Printing, { op, a }: Unary): Text {
  if (op === "clz") {
    return primary(use(printing, a.type === "s64" ? "clz_s64" : "clz_s32", printExpr(printing, a)));
  }
  if (op !== "toS32" && op !== "toS64") throw new Error(`internal: ${op} has no C form`);
  const type = op === "toS64" ? "int64_t" : "int32_t";
  return { text: `(${type})${printExpr(printing, a, "unary")}`, level: "unary" };
}

function renderBinary(printing: Printing, expr: Binary): Text {
  const { op, a, b, type } = expr;
  const isWide = type === "s64";
  const both = (): [string, string] => [printExpr(printing, a), printExpr(printing, b)];
  switch (op) {
    case "add":
    case "sub":
      return renderSum(printing, expr);
    case "mul":
      return {
        text: `${side(printing, a, b, "product")} * ${side(printing, b, a, "unary")}`,
        level: "product",
      };
    case "min":
    case "max":
      return renderMinMax(printing, expr);
    case "and":
    case "or":
    case "xor":
      return renderBits(printing, expr);
    case "shl":
      return renderShiftLeft(printing, expr);
    case "shr":
      checkShift(printing, expr);
      return {
        text: `${printExpr(printing, a, "unary")} >> ${printExpr(printing, b, "unary")}`,
        level: "shift",
      };
    case "shrU":
      checkShift(printing, expr);
      return primary(use(printing, narrow(printing, op, isWide, "shr_u32"), ...both()));
    case "addWrap":
      return primary(use(printing, narrow(printing, op, isWide, "add_wrap"), ...both()));
    case "mulWrap":
      return primary(use(printing, narrow(printing, op, isWide, "mul_wrap"), ...both()));
    case "div":
      throw new Error(`internal: ${printing.kernel} divides integers, which the language does not`);
    default:
      return op satisfies never;
  }
}

function narrow({ kernel }: Printing, op: string, isWide: boolean, name: SupportName): SupportName {
  if (isWide) throw new Error(`internal: ${kernel}: ${op} has no s64 form`);
  return name;
}

/** A negative constant turns the sign: `iy - 1`, not `iy + -1`. */
function renderSum(printing: Printing, { op, a, b }: Binary): Text {
  if (op === "add" && b.op === "mulShift" && b.shift === 32) {
    const opposite = negated(b.a);
    const [sum, x, y] = [a, opposite ?? b.a, b.b].map((part) => printExpr(printing, part));
    return primary(use(printing, opposite ? "mul_high_sub" : "mul_high_add", sum, x, y));
  }
  const turned = b.op === "constant" && b.value < 0 && b.value > -(2 ** 31);
  const right: Expr = turned ? { ...b, value: -b.value } : b;
  const sign = (op === "add") !== turned ? "+" : "-";
  const text = `${side(printing, a, b, "sum")} ${sign} ${side(printing, right, a, "product")}`;
  return { text, level: "sum" };
}

/** x of 0 - x. */
function negated(expr: Expr): Expr | undefined {
  const isNegation = expr.op === "sub" && expr.a.op === "constant" && expr.a.value === 0;
  return isNegation ? expr.b : undefined;
}

/** min(max(v, low), high) with constants low <= high is a clamp. */
function renderMinMax(printing: Printing, { op, a, b, type }: Binary): Text {
  const inner = op === "min" && b.op === "constant" && a.op === "max" ? a : undefined;
  if (inner?.b.op === "constant" && b.op === "constant" && type === "s32") {
    if (inner.b.value <= b.value) {
      const [value, low] = [printExpr(printing, inner.a), printExpr(printing, inner.b)];
      return primary(use(printing, "clamp_s32", value, low, printExpr(printing, b)));
    }
  }
  const names = {
    min: { s32: "min_s32", s64: "min_s64" },
    max: { s32: "max_s32", s64: "max_s64" },
  };
  const name = names[op === "min" ? "min" : "max"][type === "s64" ? "s64" : "s32"] as SupportName;
  return primary(use(printing, name, printExpr(printing, a), printExpr(printing, b)));
}

/**
 * Products by a power of two; the language rules out overflow, C rules out shifting what is
 * negative.
 */
function renderShiftLeft(printing: Printing, expr: Binary): Text {
  const { a, b, type } = expr;
  checkShift(printing, expr);
  const widest = type === "s64" ? 62 : 30;
  if (b.op === "constant" && b.value <= widest) {
    const factor: Constant = {
      op: "constant",
      type: type === "s64" ? "s64" : "s32",
      value: 2 ** b.value,
    };
    return renderBinary(printing, { op: "mul", type, a, b: factor });
  }
  const name = type === "s64" ? "shl_s64" : "shl_s32";
  return primary(use(printing, name, printExpr(printing, a), printExpr(printing, b)));
}

function checkShift({ kernel }: Printing, { op, b, type }: Binary): void {
  const bits = type === "s64" ? 64 : 32;
  if (b.op === "constant" && !(b.value >= 0 && b.value < bits)) {
    throw new Error(`internal: ${kernel}: ${op} of ${bits} bits by ${b.value}`);
  }
}

/** Whether an expression is 0 or 1 by construction. */
function isBoolean(expr: Expr): boolean {
  if (expr.op === "and" || expr.op === "or") return isBoolean(expr.a) && isBoolean(expr.b);
  return expr.op === "less" || expr.op === "lessEqual" || expr.op === "equal";
}

function renderBits(printing: Printing, expr: Binary): Text {
  const { op, a, b } = expr;
  if (op !== "xor" && isBoolean(expr)) {
    const range = rangeOf(a, b);
    if (op === "and" && range !== undefined) {
      const index = printExpr(printing, range.index, "unary");
      return { text: `(uint32_t)${index} < ${range.extent}u`, level: "relation" };
    }
    const [sign, level] = op === "and" ? (["&&", "both"] as const) : (["||", "either"] as const);
    const term = (side: Expr): string =>
      printExpr(printing, side, sameOp(side, op) ? level : "relation");
    return { text: `${term(a)} ${sign} ${term(b)}`, level };
  }
  const sign = { and: "&", or: "|", xor: "^" }[op as "and" | "or" | "xor"];
  const left = printExpr(printing, a, sameOp(a, op) && !isBoolean(a) ? "bits" : "unary");
  return { text: `${left} ${sign} ${printExpr(printing, b, "unary")}`, level: "bits" };
}

function sameOp(expr: Expr, op: string): boolean {
  return expr.op === op;
}

/** 0 <= index && index < extent, which one unsigned comparison decides. */
function rangeOf(a: Expr, b: Expr): { index: Expr; extent: number } | undefined {
  if (a.op !== "lessEqual" || b.op !== "less" || a.a.op !== "constant" || a.a.value !== 0)
    return undefined;
  if (b.b.op !== "constant" || b.b.value < 1 || a.b.type !== "s32") return undefined;
  return keyOf(a.b) === keyOf(b.a) ? { index: a.b, extent: b.b.value } : undefined;
}
