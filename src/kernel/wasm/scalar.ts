/** Expressions that have one value: the scalar half of the encoder. */

import {
  type Buffer,
  type Compare,
  type Expr,
  isUnary,
  type Load,
  type MulShift,
  type Unary,
} from "../language.ts";
import { float, OP, SIMD, signed, unsigned } from "./bytes.ts";
import {
  affineOf,
  constant,
  emit,
  getLocal,
  parameterOf,
  pushAddress,
  type Scope,
  scalarLocal,
} from "./scope.ts";

const S32: Readonly<Record<string, number>> = {
  add: OP.i32Add,
  sub: OP.i32Sub,
  mul: OP.i32Mul,
  and: OP.i32And,
  or: OP.i32Or,
  xor: OP.i32Xor,
  shl: OP.i32Shl,
  shr: OP.i32ShrS,
  shrU: OP.i32ShrU,
  addWrap: OP.i32Add,
  mulWrap: OP.i32Mul,
};
const S64: Readonly<Record<string, number>> = {
  add: OP.i64Add,
  sub: OP.i64Sub,
  mul: OP.i64Mul,
  shl: OP.i64Shl,
  shr: OP.i64ShrS,
};
const F32: Readonly<Record<string, number>> = {
  add: OP.f32Add,
  sub: OP.f32Sub,
  mul: OP.f32Mul,
  div: OP.f32Div,
};
const BINARY = { s32: S32, s64: S64, f32: F32 };
const COMPARE = {
  less: { s32: OP.i32LtS, s64: OP.i64LtS, f32: OP.f32Lt },
  lessEqual: { s32: OP.i32LeS, s64: OP.i64LeS, f32: OP.f32Le },
  equal: { s32: OP.i32Eq, s64: OP.i64Eq, f32: OP.f32Eq },
};

/** Push the value of an expression. */
export function pushScalar(scope: Scope, expr: Expr): void {
  if (isUnary(expr)) return pushUnary(scope, expr);
  switch (expr.op) {
    case "constant":
      if (expr.type === "f32") emit(scope, OP.f32Const, ...float(expr.value));
      else emit(scope, expr.type === "s64" ? OP.i64Const : OP.i32Const, ...signed(expr.value));
      return;
    case "variable": {
      const copies = scope.lane?.splats.get(expr.name);
      if (copies === undefined) return getLocal(scope, scalarLocal(scope, expr.name, expr.type));
      getLocal(scope, copies);
      return emit(scope, 0xfd, SIMD.f32x4ExtractLane, 0);
    }
    case "load":
      return pushLoad(scope, expr);
    case "select":
      pushScalar(scope, expr.a);
      pushScalar(scope, expr.b);
      pushScalar(scope, expr.condition);
      return emit(scope, OP.select);
    case "mulShift":
      return pushMulShift(scope, expr);
    case "less":
    case "lessEqual":
    case "equal":
      return pushCompare(scope, expr);
    case "min":
    case "max":
      return pushMinMax(scope, expr.op, expr.a, expr.b);
    default:
  }
  const opcode = BINARY[expr.type][expr.op];
  if (opcode === undefined) throw new Error(`internal: no ${expr.op} of ${expr.type}`);
  pushScalar(scope, expr.a);
  pushScalar(scope, expr.b);
  if (expr.type === "s64" && expr.b.type === "s32") emit(scope, OP.i64ExtendI32S);
  emit(scope, opcode);
}

/**
 * b if it is beyond a, else a: compare and select, operands evaluated twice (they are pure).
 * WebAssembly has no integer minimum, and its own of floats treats zeros and NaN in a way that takes
 * processors eight instructions.
 */
function pushMinMax(scope: Scope, op: "min" | "max", a: Expr, b: Expr): void {
  pushScalar(scope, b);
  pushScalar(scope, a);
  const [less, than] = op === "min" ? [b, a] : [a, b];
  pushCompare(scope, { op: "less", type: "s32", a: less, b: than }, true);
}

function pushCompare(scope: Scope, { op, a, b }: Compare, thenSelect = false): void {
  pushScalar(scope, a);
  pushScalar(scope, b);
  emit(scope, COMPARE[op][a.type]);
  if (thenSelect) emit(scope, OP.select);
}

function pushUnary(scope: Scope, { op, a }: Unary): void {
  pushScalar(scope, a);
  const wide = a.type === "s64";
  switch (op) {
    case "floor":
      return emit(scope, OP.f32Floor);
    case "sqrt":
      return emit(scope, OP.f32Sqrt);
    case "clz":
      return wide ? emit(scope, OP.i64Clz, OP.i32WrapI64) : emit(scope, OP.i32Clz);
    case "toF32":
      return emit(scope, OP.f32ConvertI32S);
    case "toS32":
      return wide ? emit(scope, OP.i32WrapI64) : emit(scope, 0xfc, 0x00);
    case "toS64":
      return emit(scope, OP.i64ExtendI32S);
    case "bitsToF32":
      return emit(scope, OP.f32ReinterpretI32);
    case "f32ToBits":
      return emit(scope, OP.i32ReinterpretF32);
    default:
      op satisfies never;
  }
}

function pushMulShift(scope: Scope, { a, b, shift }: MulShift): void {
  pushScalar(scope, a);
  emit(scope, OP.i64ExtendI32S);
  pushScalar(scope, b);
  emit(scope, OP.i64ExtendI32S, OP.i64Mul);
  emit(scope, OP.i64Const, ...signed(2 ** (shift - 1)), OP.i64Add);
  emit(scope, OP.i64Const, ...signed(shift), OP.i64ShrS, OP.i32WrapI64);
}

/** Alignment hint (log2 of bytes) 0: addresses of packed buffers need not be aligned. */
const ALIGN = 0;

function pushLoad(scope: Scope, { buffer, index }: Load): void {
  const affine = affineOf(scope, buffer, index);
  const offset = pushAddress(scope, buffer, affine, (expr) => pushScalar(scope, expr));
  if (buffer.type === "s4") return nibble(scope, buffer);
  const opcodes = {
    s8: OP.i32Load8S,
    u8: OP.i32Load8U,
    s16: OP.i32Load16S,
    s32: OP.i32Load,
    f32: OP.f32Load,
  };
  emit(scope, opcodes[buffer.type], ALIGN, ...unsigned(offset));
}

/** Element index on the stack -> sign-extended nibble: ((byte >> 4*(i&1)) << 28) >> 28. */
function nibble(scope: Scope, buffer: Buffer): void {
  const index = scalarLocal(scope, "$nibble", "s32");
  emit(scope, OP.localTee, ...unsigned(index));
  constant(scope, 1);
  emit(scope, OP.i32ShrU);
  getLocal(scope, parameterOf(scope, buffer));
  emit(scope, OP.i32Add, OP.i32Load8U, ALIGN, 0);
  getLocal(scope, index);
  constant(scope, 1);
  emit(scope, OP.i32And);
  constant(scope, 2);
  emit(scope, OP.i32Shl, OP.i32ShrU);
  constant(scope, 28);
  emit(scope, OP.i32Shl);
  constant(scope, 28);
  emit(scope, OP.i32ShrS);
}
