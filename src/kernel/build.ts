/**
 * Builders of the loop language: terse functions that fold constants and check types.
 *
 * A number stands for a constant of the other operand's type. Folding is the only rewriting there
 * is.
 */

import { mismatch } from "../errors.ts";
import type {
  BinaryOp,
  Buffer,
  Compare,
  CompareOp,
  Constant,
  ElementType,
  Expr,
  Kernel,
  Load,
  MulShift,
  Scalar,
  Select,
  Statement,
  UnaryOp,
  Variable,
} from "./language.ts";
import { bodiesOf } from "./language.ts";

export type Operand = Expr | number;

export function buffer(name: string, type: ElementType, shape: readonly number[]): Buffer {
  if (shape.some((extent) => !Number.isInteger(extent) || extent < 1)) {
    throw mismatch("buffer", `shape of ${name}`, { expected: "positive integers", got: shape });
  }
  return { name, type, shape };
}

export function kernel(
  name: string,
  buffers: readonly Buffer[],
  body: readonly Statement[],
): Kernel {
  return { name, buffers, body };
}

export function s32(value: number): Constant {
  if ((value | 0) !== value) {
    throw mismatch("s32", "constant", { expected: "a 32-bit integer", got: value });
  }
  return { op: "constant", type: "s32", value };
}

export function f32(value: number): Constant {
  return { op: "constant", type: "f32", value: Math.fround(value) };
}

export function s64(value: number): Constant {
  if (!(Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63)) {
    throw mismatch("s64", "constant", { expected: "a 64-bit integer", got: value });
  }
  return { op: "constant", type: "s64", value };
}

export function variable(name: string, type: Scalar): Variable {
  return { op: "variable", type, name };
}

/** Element of a buffer, one index an axis. */
export function load(from: Buffer, ...index: Operand[]): Load {
  checkRank("load", from, index.length);
  return {
    op: "load",
    type: from.type === "f32" ? "f32" : "s32",
    buffer: from,
    index: index.map((i) => lift(i, "s32")),
  };
}

export function add(a: Operand, b: Operand): Expr {
  return binary("add", a, b);
}
export function sub(a: Operand, b: Operand): Expr {
  return binary("sub", a, b);
}
export function mul(a: Operand, b: Operand): Expr {
  return binary("mul", a, b);
}
export function div(a: Operand, b: Operand): Expr {
  return binary("div", a, b);
}
export function min(a: Operand, b: Operand): Expr {
  return binary("min", a, b);
}
export function max(a: Operand, b: Operand): Expr {
  return binary("max", a, b);
}
export function bitAnd(a: Operand, b: Operand): Expr {
  return binary("and", a, b);
}
export function bitOr(a: Operand, b: Operand): Expr {
  return binary("or", a, b);
}
export function bitXor(a: Operand, b: Operand): Expr {
  return binary("xor", a, b);
}
export function shl(a: Operand, b: Operand): Expr {
  return binary("shl", a, b);
}
export function shr(a: Operand, b: Operand): Expr {
  return binary("shr", a, b);
}
export function shrU(a: Operand, b: Operand): Expr {
  return binary("shrU", a, b);
}
export function addWrap(a: Operand, b: Operand): Expr {
  return binary("addWrap", a, b);
}
export function mulWrap(a: Operand, b: Operand): Expr {
  return binary("mulWrap", a, b);
}
export function clamp(value: Operand, low: number, high: number): Expr {
  return min(max(value, low), high);
}

export function less(a: Operand, b: Operand): Expr {
  return compare("less", a, b);
}
export function lessEqual(a: Operand, b: Operand): Expr {
  return compare("lessEqual", a, b);
}
export function equal(a: Operand, b: Operand): Expr {
  return compare("equal", a, b);
}
/** 0 <= index < extent for every pair. */
export function inside(...pairs: readonly (readonly [Expr, number])[]): Expr {
  return pairs
    .map(([index, extent]) => binary("and", lessEqual(0, index), less(index, extent)))
    .reduce((a, b) => binary("and", a, b));
}

/** What each unary operation takes and gives. */
const UNARY: Readonly<Record<UnaryOp, { takes: readonly Scalar[]; gives: Scalar }>> = {
  floor: { takes: ["f32"], gives: "f32" },
  sqrt: { takes: ["f32"], gives: "f32" },
  clz: { takes: ["s32", "s64"], gives: "s32" },
  toF32: { takes: ["s32"], gives: "f32" },
  toS32: { takes: ["f32", "s64"], gives: "s32" },
  toS64: { takes: ["s32"], gives: "s64" },
  bitsToF32: { takes: ["s32"], gives: "f32" },
  f32ToBits: { takes: ["f32"], gives: "s32" },
};

export function unary(op: UnaryOp, a: Expr): Expr {
  const { takes, gives } = UNARY[op];
  if (!takes.includes(a.type)) {
    throw mismatch(op, "operand type", { expected: takes.join(" or "), got: a.type });
  }
  if (a.op === "constant" && op === "toS64") return s64(a.value);
  return { op, type: gives, a };
}

export function mulShift(a: Operand, b: Operand, shift: number): MulShift {
  if (!(Number.isInteger(shift) && shift >= 1 && shift <= 62)) {
    throw mismatch("mulShift", "shift", { expected: "an integer in [1, 62]", got: shift });
  }
  return { op: "mulShift", type: "s32", a: lift(a, "s32"), b: lift(b, "s32"), shift };
}

export function select(condition: Expr, a: Operand, b: Operand): Select {
  const [left, right] = lifted(a, b);
  return { op: "select", type: left.type, condition, a: left, b: right };
}

export function declare(target: Variable, value: Operand): Statement {
  return { op: "let", variable: target, value: typed(value, target.type, target.name) };
}

export function set(target: Variable, value: Operand): Statement {
  return { op: "set", variable: target, value: typed(value, target.type, target.name) };
}

export function store(to: Buffer, index: readonly Operand[], value: Operand): Statement {
  checkRank("store", to, index.length);
  const type = to.type === "f32" ? "f32" : "s32";
  return {
    op: "store",
    buffer: to,
    index: index.map((i) => lift(i, "s32")),
    value: typed(value, type, to.name),
  };
}

export function when(
  condition: Expr,
  then: readonly Statement[],
  otherwise: readonly Statement[] = [],
): Statement {
  return { op: "when", condition, then, otherwise };
}

interface LoopOptions {
  readonly from?: Operand;
  readonly step?: number;
  readonly parallel?: boolean;
  readonly unrolled?: boolean;
}

/** for (name = from; name < to; name += step), in order. */
export function loop(
  name: string,
  to: Operand,
  body: (index: Variable) => readonly Statement[],
  { from = 0, step = 1, parallel = false, unrolled = false }: LoopOptions = {},
): Statement {
  const index = variable(name, "s32");
  return {
    op: "for",
    variable: index,
    from: lift(from, "s32"),
    to: lift(to, "s32"),
    step,
    lanes: 0,
    parallel,
    unrolled,
    body: checkedBody(name, body(index), false),
  };
}

/** Independent iterations 0 <= name < extent; `vectors` of four of them may run at once. */
export function lanes(
  name: string,
  extent: number,
  body: (index: Variable) => readonly Statement[],
  {
    vectors = 1,
    parallel = false,
    unrolled = false,
  }: { vectors?: number; parallel?: boolean; unrolled?: boolean } = {},
): Statement {
  const index = variable(name, "s32");
  const [from, to] = [s32(0), s32(extent)];
  const statements = checkedBody(name, body(index), true);
  const range = { variable: index, from, to, step: 1 };
  return { op: "for", ...range, lanes: vectors, parallel, unrolled, body: statements };
}

/** A loop keeps its counter; a lanes loop sets only variables of its own, or iterations would depend. */
function checkedBody(
  name: string,
  body: readonly Statement[],
  isLanes: boolean,
): readonly Statement[] {
  const own = new Set<string>();
  const visit = (statement: Statement): void => {
    if (statement.op === "let") own.add(statement.variable.name);
    if (statement.op === "set") {
      const target = statement.variable.name;
      const expected = isLanes
        ? "a variable declared in the lanes loop"
        : "not the loop's variable";
      if (target === name || (isLanes && !own.has(target))) {
        throw mismatch(`loop ${name}`, "target of set", { expected, got: target });
      }
    }
    for (const inner of bodiesOf(statement)) inner.forEach(visit);
  };
  body.forEach(visit);
  return body;
}

function lift(value: Operand, type: Scalar): Expr {
  if (typeof value !== "number") return value;
  return type === "f32" ? f32(value) : type === "s64" ? s64(value) : s32(value);
}

function lifted(a: Operand, b: Operand): [Expr, Expr] {
  const type = typeof a !== "number" ? a.type : typeof b !== "number" ? b.type : "s32";
  return [lift(a, type), lift(b, type)];
}

function typed(value: Operand, type: Scalar, name: string): Expr {
  const expr = lift(value, type);
  if (expr.type !== type)
    throw mismatch("kernel", `type of ${name}`, { expected: type, got: expr.type });
  return expr;
}

function compare(op: CompareOp, a: Operand, b: Operand): Compare {
  const [left, right] = lifted(a, b);
  if (left.type !== right.type) {
    throw mismatch(op, "operand types", { expected: left.type, got: right.type });
  }
  return { op, type: "s32", a: left, b: right };
}

function binary(op: BinaryOp, a: Operand, b: Operand): Expr {
  const [left, right] = lifted(a, b);
  const isShift = op === "shl" || op === "shr" || op === "shrU";
  if (left.type !== right.type && !(isShift && right.type === "s32")) {
    throw mismatch(op, "operand types", { expected: left.type, got: right.type });
  }
  if (op === "div" && left.type !== "f32") {
    throw mismatch(op, "operand type", { expected: "f32", got: left.type });
  }
  return fold(op, left, right) ?? { op, type: left.type, a: left, b: right };
}

/** Constants and neutral elements; s32 only, where folding is exact and shortens addresses. */
function fold(op: BinaryOp, a: Expr, b: Expr): Expr | undefined {
  if (a.type !== "s32" || b.type !== "s32") return undefined;
  if (a.op === "constant" && b.op === "constant") {
    const value = foldConstants(op, a.value, b.value);
    return value === undefined ? undefined : s32(value);
  }
  if (b.op === "constant") {
    if (b.value === 0 && (op === "add" || op === "sub" || op === "shl" || op === "shr")) return a;
    if (b.value === 1 && op === "mul") return a;
    if (b.value === 0 && op === "mul") return b;
  }
  if (a.op === "constant") {
    if (a.value === 0 && op === "add") return b;
    if (a.value === 1 && op === "mul") return b;
    if (a.value === 0 && op === "mul") return a;
  }
  return undefined;
}

function foldConstants(op: BinaryOp, a: number, b: number): number | undefined {
  const value = foldedValue(op, a, b);
  return value !== undefined && (value | 0) === value ? value : undefined;
}

function foldedValue(op: BinaryOp, a: number, b: number): number | undefined {
  if (op === "add") return a + b;
  if (op === "sub") return a - b;
  if (op === "mul") return a * b;
  if (op === "min") return Math.min(a, b);
  return op === "max" ? Math.max(a, b) : undefined;
}

function checkRank(operation: string, target: Buffer, rank: number): void {
  if (rank !== target.shape.length) {
    const what = `indices of ${target.name}`;
    throw mismatch(operation, what, { expected: `${target.shape.length}`, got: rank });
  }
}
