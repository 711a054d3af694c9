/**
 * The loop language: every computation of the product is written in it once.
 *
 * A kernel is a list of statements over scalars and shaped buffers. It has three consumers: the
 * interpreter (interpret.ts) is the definition, the WebAssembly encoder (wasm/) and the C printer
 * (print-c.ts) must equal it.
 *
 * Conventions
 * - Scalars are s32, s64 and f32. s32 and s64 arithmetic must not overflow (the interpreter throws
 *   if it does); only the `wrap` operations wrap. Shifts right are arithmetic unless named shrU.
 * - Bit width belongs to the buffer: loading s8, u8, s4, s16 or s32 gives an s32. An s4 buffer
 *   holds two values a byte, low nibble first. Storing keeps the low bits.
 * - A loop marked `lanes` promises independent iterations; a consumer may run several at once. One
 *   marked `parallel` promises that threads may share it.
 * - Every variable name is unique within its kernel; a variable without a value is 0.
 */

export type Scalar = "s32" | "s64" | "f32";

export type ElementType = "s8" | "u8" | "s4" | "s16" | "s32" | "f32";

export interface Buffer {
  readonly name: string;
  readonly type: ElementType;
  /** Row-major, last axis contiguous. */
  readonly shape: readonly number[];
}

export type BinaryOp =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "min"
  | "max"
  | "and"
  | "or"
  | "xor"
  | "shl"
  | "shr"
  | "shrU"
  | "addWrap"
  | "mulWrap";

export type CompareOp = "less" | "lessEqual" | "equal";

export type UnaryOp =
  | "floor"
  | "sqrt"
  | "clz"
  | "toF32"
  | "toS32"
  | "toS64"
  | "bitsToF32"
  | "f32ToBits";

export interface Constant {
  readonly op: "constant";
  readonly type: Scalar;
  readonly value: number;
}

export interface Variable {
  readonly op: "variable";
  readonly type: Scalar;
  readonly name: string;
}

export interface Load {
  readonly op: "load";
  readonly type: Scalar;
  readonly buffer: Buffer;
  readonly index: readonly Expr[];
}

export interface Binary {
  readonly op: BinaryOp;
  readonly type: Scalar;
  readonly a: Expr;
  readonly b: Expr;
}

/** Gives 1 or 0 as s32. */
export interface Compare {
  readonly op: CompareOp;
  readonly type: "s32";
  readonly a: Expr;
  readonly b: Expr;
}

export interface Unary {
  readonly op: UnaryOp;
  readonly type: Scalar;
  readonly a: Expr;
}

/**
 * (a * b + 2^(shift-1)) >> shift with a 64-bit product: fixed-point multiplication, ties upward.
 */
export interface MulShift {
  readonly op: "mulShift";
  readonly type: "s32";
  readonly a: Expr;
  readonly b: Expr;
  readonly shift: number;
}

/** Both sides are evaluated. */
export interface Select {
  readonly op: "select";
  readonly type: Scalar;
  readonly condition: Expr;
  readonly a: Expr;
  readonly b: Expr;
}

export type Expr = Constant | Variable | Load | Binary | Compare | Unary | MulShift | Select;

export type Statement =
  | {
      readonly op: "for";
      readonly variable: Variable;
      readonly from: Expr;
      readonly to: Expr;
      readonly step: number;
      /** 0: in order. n > 0: iterations are independent, n vectors of them may run at once. */
      readonly lanes: number;
      /** Threads share the iterations: each stores elsewhere than the others, see wasm/parts.ts. */
      readonly parallel: boolean;
      /** Few iterations, which a compiler of C is asked to write out. */
      readonly unrolled: boolean;
      readonly body: readonly Statement[];
    }
  | { readonly op: "let" | "set"; readonly variable: Variable; readonly value: Expr }
  | {
      readonly op: "store";
      readonly buffer: Buffer;
      readonly index: readonly Expr[];
      readonly value: Expr;
    }
  | {
      readonly op: "when";
      readonly condition: Expr;
      readonly then: readonly Statement[];
      readonly otherwise: readonly Statement[];
    };

export interface Kernel {
  readonly name: string;
  /** In the order of the arguments of the C and WebAssembly function. */
  readonly buffers: readonly Buffer[];
  readonly body: readonly Statement[];
}

/** Bits an element takes in memory. */
export function bitsOf(type: ElementType): number {
  switch (type) {
    case "s4":
      return 4;
    case "s8":
    case "u8":
      return 8;
    case "s16":
      return 16;
    case "s32":
    case "f32":
      return 32;
    default:
      return type satisfies never;
  }
}

/** Elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Bytes of a buffer; an s4 buffer is rounded up to whole bytes. */
export function bytesOf({ type, shape }: { type: ElementType; shape: readonly number[] }): number {
  return Math.ceil((sizeOf(shape) * bitsOf(type)) / 8);
}

/** Row-major strides in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/** Whether an expression has one operand. */
export function isUnary(expr: Expr): expr is Unary {
  return "a" in expr && !("b" in expr);
}

/** Most expressions and statements have nothing below them: none of those makes a list. */
const NO_PARTS: readonly Expr[] = [];
const NO_BODIES: readonly (readonly Statement[])[] = [];

/** The direct parts of an expression, for passes that walk. */
export function parts(expr: Expr): readonly Expr[] {
  if (isUnary(expr)) return [expr.a];
  switch (expr.op) {
    case "constant":
    case "variable":
      return NO_PARTS;
    case "load":
      return expr.index;
    case "select":
      return [expr.condition, expr.a, expr.b];
    default:
      return [expr.a, expr.b];
  }
}

/** The expressions a statement evaluates itself. */
export function expressionsOf(statement: Statement): readonly Expr[] {
  switch (statement.op) {
    case "for":
      return [statement.from, statement.to];
    case "let":
    case "set":
      return [statement.value];
    case "store":
      return [...statement.index, statement.value];
    case "when":
      return [statement.condition];
    default:
      return statement satisfies never;
  }
}

/** The statement lists below a statement. */
export function bodiesOf(statement: Statement): readonly (readonly Statement[])[] {
  if (statement.op === "for") return [statement.body];
  if (statement.op === "when") return [statement.then, statement.otherwise];
  return NO_BODIES;
}
