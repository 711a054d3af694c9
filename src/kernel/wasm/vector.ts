/**
 * Expressions that differ between lanes: the SIMD half of the encoder. Four lanes of 32 bits a
 * vector.
 */

import type { Affine, Term } from "../affine.ts";
import {
  type Binary,
  type Buffer,
  type Expr,
  isUnary,
  type Load,
  type MulShift,
  parts,
  type Select,
  type Unary,
} from "../language.ts";
import { OP, SIMD, signed, TYPE, unsigned } from "./bytes.ts";
import { pushScalar } from "./scalar.ts";
import {
  affineOf,
  constant,
  emit,
  getLocal,
  type Lane,
  newLocal,
  parameterOf,
  pushAddress,
  type Scope,
  scalarLocal,
  setLocal,
  vectorLocals,
} from "./scope.ts";

const LANES = 4;

export function simd(scope: Scope, opcode: number, ...immediates: number[]): void {
  emit(scope, 0xfd, ...unsigned(opcode), ...immediates);
}

export function isVarying(
  expr: Expr,
  { variable, varying }: Pick<Lane, "variable" | "varying">,
): boolean {
  if (expr.op === "variable") return expr.name === variable || varying.has(expr.name);
  return parts(expr).some((part) => isVarying(part, { variable, varying }));
}

const S32: Readonly<Record<string, number>> = {
  add: SIMD.i32x4Add,
  sub: SIMD.i32x4Sub,
  mul: SIMD.i32x4Mul,
  min: SIMD.i32x4MinS,
  max: SIMD.i32x4MaxS,
  and: SIMD.and,
  or: SIMD.or,
  xor: SIMD.xor,
  addWrap: SIMD.i32x4Add,
  mulWrap: SIMD.i32x4Mul,
};
const SHIFT: Readonly<Record<string, number>> = {
  shl: SIMD.i32x4Shl,
  shr: SIMD.i32x4ShrS,
  shrU: SIMD.i32x4ShrU,
};
const F32: Readonly<Record<string, number>> = {
  add: SIMD.f32x4Add,
  sub: SIMD.f32x4Sub,
  mul: SIMD.f32x4Mul,
  div: SIMD.f32x4Div,
  min: SIMD.f32x4Pmin,
  max: SIMD.f32x4Pmax,
};
const COMPARE = {
  less: { s32: SIMD.i32x4LtS, f32: SIMD.f32x4Lt },
  lessEqual: { s32: SIMD.i32x4LeS, f32: SIMD.f32x4Le },
  equal: { s32: SIMD.i32x4Eq, f32: SIMD.f32x4Eq },
};

/**
 * Whether a varying expression has a vector form here; s64, clz and shifts by varying amounts have
 * none.
 */
export function hasVectorForm(expr: Expr, lane: Lane): boolean {
  if (!isVarying(expr, lane)) return true;
  if (expr.type === "s64" || expr.op === "clz") return false;
  if (expr.op in SHIFT && "b" in expr && isVarying(expr.b, lane)) return false;
  return parts(expr).every((part) => hasVectorForm(part, lane));
}

/** Push the value of an expression in the four lanes of vector `u`. */
export function pushVector(scope: Scope, lane: Lane, expr: Expr, u: number): void {
  if (!isVarying(expr, lane)) return splat(scope, expr);
  if (isUnary(expr)) return pushUnary(scope, lane, expr, u);
  switch (expr.op) {
    case "variable":
      if (expr.name !== lane.variable) return getLocal(scope, vectorLocals(scope, expr.name)[u]);
      splat(scope, expr);
      simd(scope, SIMD.const, ...lanesOf((i) => i + LANES * u));
      return simd(scope, SIMD.i32x4Add);
    case "load":
      return pushVectorLoad(scope, lane, expr, u);
    case "select":
      return pushSelect(scope, lane, expr, u);
    case "mulShift":
      return pushMulShift(scope, lane, expr, u);
    case "less":
    case "lessEqual":
    case "equal":
      pushMask(scope, lane, expr, u);
      simd(scope, SIMD.const, ...lanesOf(() => 1));
      return simd(scope, SIMD.and);
    case "constant":
      return splat(scope, expr);
    default:
      return pushBinary(scope, lane, expr, u);
  }
}

/** The bytes of a v128 constant of four s32. */
function lanesOf(value: (lane: number) => number): number[] {
  return [...new Uint8Array(Int32Array.from({ length: LANES }, (_, i) => value(i)).buffer)];
}

/** Push four copies of a value that is the same in all lanes. */
export function splat(scope: Scope, expr: Expr): void {
  const known = expr.op === "variable" ? scope.lane?.splats.get(expr.name) : undefined;
  if (known !== undefined) return getLocal(scope, known);
  if (expr.op === "load" && (expr.buffer.type === "f32" || expr.buffer.type === "s32")) {
    const affine = affineOf(scope, expr.buffer, expr.index);
    const offset = pushAddress(scope, expr.buffer, affine, (term) => pushScalar(scope, term));
    return simd(scope, SIMD.load32Splat, 0, ...unsigned(offset));
  }
  pushScalar(scope, expr);
  simd(scope, expr.type === "f32" ? SIMD.f32x4Splat : SIMD.i32x4Splat);
}

function pushBinary(scope: Scope, lane: Lane, expr: Binary, u: number): void {
  if (scope.fused && pushFused(scope, lane, expr, u)) return;
  pushVector(scope, lane, expr.a, u);
  if (expr.op in SHIFT) {
    pushScalar(scope, expr.b);
    return simd(scope, SHIFT[expr.op]);
  }
  pushVector(scope, lane, expr.b, u);
  simd(scope, (expr.type === "f32" ? F32 : S32)[expr.op]);
}

/** sum + a * b or sum - a * b as one instruction; false if the expression has another form. */
function pushFused(scope: Scope, lane: Lane, { op, type, a, b }: Binary, u: number): boolean {
  if (type !== "f32" || (op !== "add" && op !== "sub")) return false;
  const [product, rest] = b.op === "mul" || op === "sub" ? [b, a] : [a, b];
  if (product.op !== "mul" || !isVarying(product, lane)) return false;
  for (const operand of [product.a, product.b, rest]) pushVector(scope, lane, operand, u);
  simd(scope, op === "add" ? SIMD.relaxedMadd : SIMD.relaxedNmadd);
  return true;
}

function pushUnary(scope: Scope, lane: Lane, { op, a }: Unary, u: number): void {
  pushVector(scope, lane, a, u);
  if (op === "floor") simd(scope, SIMD.f32x4Floor);
  if (op === "sqrt") simd(scope, SIMD.f32x4Sqrt);
  if (op === "toF32") simd(scope, SIMD.f32x4ConvertI32x4S);
  if (op === "toS32") simd(scope, SIMD.i32x4TruncSatF32x4S);
}

function pushSelect(scope: Scope, lane: Lane, { condition, a, b }: Select, u: number): void {
  pushVector(scope, lane, a, u);
  pushVector(scope, lane, b, u);
  pushMask(scope, lane, condition, u);
  simd(scope, SIMD.bitselect);
}

/** A condition as all ones or all zeros a lane. */
function pushMask(scope: Scope, lane: Lane, condition: Expr, u: number): void {
  const isCompare =
    condition.op === "less" || condition.op === "lessEqual" || condition.op === "equal";
  if (isCompare && isVarying(condition, lane)) {
    const { a, b } = condition;
    pushVector(scope, lane, a, u);
    pushVector(scope, lane, b, u);
    return simd(scope, COMPARE[condition.op][a.type === "f32" ? "f32" : "s32"]);
  }
  if (condition.op === "and" && isCondition(condition.a) && isCondition(condition.b)) {
    pushMask(scope, lane, condition.a, u);
    pushMask(scope, lane, condition.b, u);
    return simd(scope, SIMD.and);
  }
  pushVector(scope, lane, condition, u);
  simd(scope, SIMD.const, ...lanesOf(() => 0));
  simd(scope, SIMD.i32x4Ne);
}

/** Whether an expression is 1 or 0. */
function isCondition(expr: Expr): boolean {
  if (expr.op === "and") return isCondition(expr.a) && isCondition(expr.b);
  return expr.op === "less" || expr.op === "lessEqual" || expr.op === "equal";
}

/**
 * Two 64-bit products at a time, rounded and shifted, then the low words put together.
 *
 * Up to a shift of 32 no copy of the sign reaches the low word, so the shift may fill with zeros,
 * which processors have for 64 bits where they lack the other; by 32 there is nothing to shift, the
 * high words are taken as they lie.
 */
function pushMulShift(scope: Scope, lane: Lane, { a, b, shift }: MulShift, u: number): void {
  const locals = [newLocal(scope, TYPE.v128), newLocal(scope, TYPE.v128)];
  [a, b].forEach((operand, i) => {
    pushVector(scope, lane, operand, u);
    setLocal(scope, locals[i]);
  });
  const rounding = [...new Uint8Array(new BigInt64Array(2).fill(1n << BigInt(shift - 1)).buffer)];
  for (const product of [SIMD.i64x2ExtmulLowI32x4S, SIMD.i64x2ExtmulHighI32x4S]) {
    getLocal(scope, locals[0]);
    getLocal(scope, locals[1]);
    simd(scope, product);
    simd(scope, SIMD.const, ...rounding);
    simd(scope, SIMD.i64x2Add);
    if (shift === 32) continue;
    emit(scope, OP.i32Const, ...signed(shift));
    simd(scope, shift < 32 ? SIMD.i64x2ShrU : SIMD.i64x2ShrS);
  }
  const word = shift === 32 ? 4 : 0;
  const words = [0, 8, 16, 24].flatMap((at) => [0, 1, 2, 3].map((byte) => at + word + byte));
  simd(scope, SIMD.shuffle, ...words);
}

/** How the four elements of a vector lie in memory. */
interface Layout {
  readonly affine: Affine;
  readonly stride: number;
  /** False if some other term than the lane differs between lanes. */
  readonly regular: boolean;
}

/** How an access moves with the lane. */
export function layoutOf(scope: Scope, buffer: Buffer, index: readonly Expr[], lane: Lane): Layout {
  const affine = affineOf(scope, buffer, index);
  const stride = affine.terms.find(({ key }) => key === lane.variable)?.coefficient ?? 0;
  const odd = ({ key, expr }: Term): boolean => key !== lane.variable && isVarying(expr, lane);
  const evenS4 =
    buffer.type !== "s4" ||
    (affine.offset % 2 === 0 &&
      affine.terms.every(({ key, coefficient }) => key === lane.variable || coefficient % 2 === 0));
  return { affine, stride, regular: !affine.terms.some(odd) && evenS4 };
}

function pushVectorLoad(scope: Scope, lane: Lane, { buffer, index }: Load, u: number): void {
  const { affine, stride, regular } = layoutOf(scope, buffer, index, lane);
  if (!regular || stride !== 1) return gather(scope, lane, buffer, index, u);
  const term = (expr: Expr): void => pushScalar(scope, expr);
  const offset = pushAddress(scope, buffer, affine, term, LANES * u);
  const at = [0, ...unsigned(offset)];
  switch (buffer.type) {
    case "f32":
    case "s32":
      return simd(scope, SIMD.load, ...at);
    case "s16":
      return simd(scope, SIMD.load16x4S, ...at);
    case "s8":
    case "u8":
      simd(scope, SIMD.load32Zero, ...at);
      simd(scope, buffer.type === "s8" ? SIMD.i16x8ExtendLowI8x16S : SIMD.i16x8ExtendLowI8x16U);
      return simd(scope, SIMD.i32x4ExtendLowI16x8S);
    case "s4":
      return nibbles(scope, buffer);
    default:
      buffer.type satisfies never;
  }
}

/**
 * Element index on the stack -> four nibbles of two bytes: multiply each to the top, shift back
 * down.
 */
function nibbles(scope: Scope, buffer: Buffer): void {
  constant(scope, 1);
  emit(scope, OP.i32ShrU);
  getLocal(scope, parameterOf(scope, buffer));
  emit(scope, OP.i32Add, 0x2f, 0, 0); // i32.load16_u
  simd(scope, SIMD.i32x4Splat);
  simd(scope, SIMD.const, ...lanesOf((i) => 2 ** (28 - 4 * i)));
  simd(scope, SIMD.i32x4Mul);
  constant(scope, 28);
  simd(scope, SIMD.i32x4ShrS);
}

/** One scalar load a lane, where the elements are not contiguous. */
function gather(scope: Scope, lane: Lane, buffer: Buffer, index: readonly Expr[], u: number): void {
  const isFloat = buffer.type === "f32";
  const locals = spillIndices(scope, lane, index, u);
  simd(scope, SIMD.const, ...lanesOf(() => 0));
  for (let i = 0; i < LANES; i++) {
    pushScalar(scope, laneLoad(scope, buffer, index, locals, i));
    simd(scope, isFloat ? SIMD.f32x4ReplaceLane : SIMD.i32x4ReplaceLane, i);
  }
}

/** Vectors of the varying indices, kept in locals; undefined for uniform ones. */
function spillIndices(
  scope: Scope,
  lane: Lane,
  index: readonly Expr[],
  u: number,
): (number | undefined)[] {
  return index.map((i) => {
    if (!isVarying(i, lane)) return undefined;
    const local = newLocal(scope, TYPE.v128);
    pushVector(scope, lane, i, u);
    setLocal(scope, local);
    return local;
  });
}

/** The access of one lane: varying indices are extracted into scalar variables first. */
function laneLoad(
  scope: Scope,
  buffer: Buffer,
  index: readonly Expr[],
  locals: readonly (number | undefined)[],
  lane: number,
): Load {
  const scalars = index.map((i, axis): Expr => {
    const local = locals[axis];
    if (local === undefined) return i;
    const name = `$lane${axis}`;
    getLocal(scope, local);
    simd(scope, SIMD.i32x4ExtractLane, lane);
    setLocal(scope, scalarLocal(scope, name, "s32"));
    return { op: "variable", type: "s32", name };
  });
  return { op: "load", type: buffer.type === "f32" ? "f32" : "s32", buffer, index: scalars };
}

/** Whether a store has a vector form: contiguous elements, no s4. */
export function canStoreVector(
  scope: Scope,
  buffer: Buffer,
  index: readonly Expr[],
  lane: Lane,
): boolean {
  const { stride, regular } = layoutOf(scope, buffer, index, lane);
  return regular && stride === 1 && buffer.type !== "s4";
}

/** Store the four lanes of vector `u`; 8- and 16-bit buffers keep the low bits. */
export function storeVector(
  scope: Scope,
  lane: Lane,
  { buffer, index, value }: { buffer: Buffer; index: readonly Expr[]; value: Expr },
  u: number,
): void {
  const affine = affineOf(scope, buffer, index);
  const term = (expr: Expr): void => pushScalar(scope, expr);
  const offset = pushAddress(scope, buffer, affine, term, LANES * u);
  const at = [0, ...unsigned(offset)];
  pushVector(scope, lane, value, u);
  if (buffer.type === "f32" || buffer.type === "s32") return simd(scope, SIMD.store, ...at);
  const bytes = buffer.type === "s16" ? 2 : 1;
  const low = Array.from({ length: 16 }, (_, i) => {
    const element = Math.floor(i / bytes);
    return element < LANES ? element * 4 + (i % bytes) : 0;
  });
  const local = newLocal(scope, TYPE.v128);
  setLocal(scope, local);
  getLocal(scope, local);
  getLocal(scope, local);
  simd(scope, SIMD.shuffle, ...low);
  simd(scope, bytes === 2 ? SIMD.store64Lane : SIMD.store32Lane, ...at, 0);
}
