/**
 * Expressions of the loop language as closures: the half of the interpreter that computes values.
 */

import { type Buffer, bytesOf, type Expr, isUnary, stridesOf, type Variable } from "./language.ts";
import type { TypedArray } from "./routine.ts";

export type Numeric = () => number;
type Wide = () => bigint;

/** What a run needs of a kernel's arguments. */
export type Bindings = Readonly<Record<string, TypedArray>>;

/** Variables of one kernel: numbers and, for s64, bigints. */
export interface Environment {
  readonly kernel: string;
  readonly bindings: Bindings;
  readonly slots: Map<string, number>;
  readonly numbers: number[];
  readonly wides: bigint[];
}

export function slotOf({ name }: Variable, { slots, numbers, wides }: Environment): number {
  const known = slots.get(name);
  if (known !== undefined) return known;
  const slot = slots.size;
  slots.set(name, slot);
  numbers[slot] = 0;
  wides[slot] = 0n;
  return slot;
}

/** The flat element index, each axis checked. */
export function flat(buffer: Buffer, index: readonly Expr[], environment: Environment): Numeric {
  const axes = index.map((i) => numeric(i, environment));
  const strides = stridesOf(buffer.shape);
  return () => {
    let position = 0;
    for (let axis = 0; axis < axes.length; axis++) {
      const i = axes[axis]();
      if (!(i >= 0 && i < buffer.shape[axis])) {
        const range = `[0, ${buffer.shape[axis]})`;
        throw new RangeError(
          `${environment.kernel}: index ${axis} of ${buffer.name} must be in ${range}, got ${i}`,
        );
      }
      position += i * strides[axis];
    }
    return position;
  };
}

export function arrayOf(buffer: Buffer, { kernel, bindings }: Environment): TypedArray {
  const data = bindings[buffer.name];
  if (data === undefined || data.byteLength < bytesOf(buffer)) {
    throw new RangeError(
      `${kernel}: argument ${buffer.name} must be ${bytesOf(buffer)} bytes, got ${data?.byteLength ?? 0}`,
    );
  }
  return data;
}

function loading(buffer: Buffer, index: readonly Expr[], environment: Environment): Numeric {
  const data = arrayOf(buffer, environment);
  const position = flat(buffer, index, environment);
  if (buffer.type !== "s4") return () => data[position()];
  return () => {
    const i = position();
    const nibble = (data[i >> 1] >> ((i & 1) * 4)) & 15;
    return (nibble ^ 8) - 8;
  };
}

function checked(value: number, name: string): number {
  if ((value | 0) !== value) throw new RangeError(`${name}: s32 must not overflow, got ${value}`);
  return value;
}

/** Closures for s32 and f32 expressions. */
export function numeric(expr: Expr, environment: Environment): Numeric {
  const { numbers, kernel } = environment;
  if (isUnary(expr)) return unaryClosure(expr.op, expr.a, environment);
  switch (expr.op) {
    case "constant": {
      const { value } = expr;
      return () => value;
    }
    case "variable": {
      const slot = slotOf(expr, environment);
      return () => numbers[slot];
    }
    case "load":
      return loading(expr.buffer, expr.index, environment);
    case "select": {
      const condition = numeric(expr.condition, environment);
      const [a, b] = [numeric(expr.a, environment), numeric(expr.b, environment)];
      return () => {
        const [left, right] = [a(), b()];
        return condition() !== 0 ? left : right;
      };
    }
    case "mulShift": {
      const [a, b] = [numeric(expr.a, environment), numeric(expr.b, environment)];
      const { shift } = expr;
      return () => checked(mulShiftExact(a(), b(), shift), kernel);
    }
    case "less":
    case "lessEqual":
    case "equal":
      return comparison(expr.op, expr.a, expr.b, environment);
    default:
      return expr.type === "f32"
        ? floatBinary(expr.op, expr.a, expr.b, environment)
        : intBinary(expr.op, expr.a, expr.b, environment);
  }
}

/** (a * b + 2^(shift-1)) >> shift, exact: the product has up to 62 bits, a double only 53. */
export function mulShiftExact(a: number, b: number, shift: number): number {
  const product = a * b;
  if (Math.abs(product) < 2 ** 52 && shift < 52) {
    return Math.floor((product + 2 ** (shift - 1)) / 2 ** shift);
  }
  return Number((BigInt(a) * BigInt(b) + (1n << BigInt(shift - 1))) >> BigInt(shift));
}

function comparison(
  op: "less" | "lessEqual" | "equal",
  a: Expr,
  b: Expr,
  environment: Environment,
): Numeric {
  const isWide = a.type === "s64";
  const left = isWide ? wide(a, environment) : numeric(a, environment);
  const right = isWide ? wide(b, environment) : numeric(b, environment);
  if (op === "less") return () => (left() < right() ? 1 : 0);
  if (op === "lessEqual") return () => (left() <= right() ? 1 : 0);
  return () => (left() === right() ? 1 : 0);
}

const bits = new DataView(new ArrayBuffer(4));

function unaryClosure(op: Expr["op"], operand: Expr, environment: Environment): Numeric {
  if (operand.type === "s64") {
    const value = wide(operand, environment);
    if (op === "toS32") return () => checked(Number(value()), environment.kernel);
    return () => clz64(value());
  }
  const a = numeric(operand, environment);
  switch (op) {
    case "floor":
      return () => Math.floor(a());
    case "sqrt":
      return () => Math.fround(Math.sqrt(a()));
    case "clz":
      return () => Math.clz32(a());
    case "toF32":
      return () => Math.fround(a());
    case "toS32":
      return () => Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.trunc(a()) || 0));
    case "bitsToF32":
      return () => {
        bits.setInt32(0, a());
        return bits.getFloat32(0);
      };
    default:
      return () => {
        bits.setFloat32(0, a());
        return bits.getInt32(0);
      };
  }
}

function clz64(value: bigint): number {
  return value < 0n ? 0 : 64 - (value === 0n ? 0 : value.toString(2).length);
}

function floatBinary(op: string, a: Expr, b: Expr, environment: Environment): Numeric {
  const [x, y] = [numeric(a, environment), numeric(b, environment)];
  const closures: Record<string, Numeric> = {
    add: () => Math.fround(x() + y()),
    sub: () => Math.fround(x() - y()),
    mul: () => Math.fround(x() * y()),
    div: () => Math.fround(x() / y()),
    min: () => better(x(), y(), (first, second) => second < first),
    max: () => better(x(), y(), (first, second) => first < second),
  };
  return closures[op];
}

/** The first unless the second is beyond it: so for zeros of both signs, and where one is no number. */
function better(x: number, y: number, isBeyond: (x: number, y: number) => boolean): number {
  return isBeyond(x, y) ? y : x;
}

function intBinary(op: string, a: Expr, b: Expr, environment: Environment): Numeric {
  const [x, y] = [numeric(a, environment), numeric(b, environment)];
  const { kernel } = environment;
  const closures: Record<string, Numeric> = {
    add: () => checked(x() + y(), kernel),
    sub: () => checked(x() - y(), kernel),
    mul: () => checked(x() * y(), kernel),
    min: () => Math.min(x(), y()),
    max: () => Math.max(x(), y()),
    and: () => x() & y(),
    or: () => x() | y(),
    xor: () => x() ^ y(),
    shl: () => checked(x() * 2 ** shiftInRange(y(), 31, kernel), kernel),
    shr: () => x() >> shiftInRange(y(), 31, kernel),
    shrU: () => (x() >>> shiftInRange(y(), 31, kernel)) | 0,
    addWrap: () => (x() + y()) | 0,
    mulWrap: () => Math.imul(x(), y()),
  };
  return closures[op];
}

/** Closures for s64 expressions. */
export function wide(expr: Expr, environment: Environment): Wide {
  const { wides, kernel } = environment;
  const inRange = (value: bigint): bigint => {
    if (BigInt.asIntN(64, value) !== value)
      throw new RangeError(`${kernel}: s64 must not overflow`);
    return value;
  };
  switch (expr.op) {
    case "constant": {
      const value = BigInt(expr.value);
      return () => value;
    }
    case "variable": {
      const slot = slotOf(expr, environment);
      return () => wides[slot];
    }
    case "toS64": {
      const a = numeric(expr.a, environment);
      return () => BigInt(a());
    }
    case "select": {
      const condition = numeric(expr.condition, environment);
      const [a, b] = [wide(expr.a, environment), wide(expr.b, environment)];
      return () => (condition() !== 0 ? a() : b());
    }
    case "shl":
    case "shr": {
      const [a, by] = [wide(expr.a, environment), shiftAmount(expr.b, environment)];
      return expr.op === "shl" ? () => inRange(a() << by()) : () => a() >> by();
    }
    case "add":
    case "sub":
    case "mul":
    case "min":
    case "max":
      return wideArithmetic(expr.op, wide(expr.a, environment), wide(expr.b, environment), inRange);
    default:
      throw new RangeError(`${kernel}: ${expr.op} has no s64 form`);
  }
}

function shiftAmount(expr: Expr, environment: Environment): Wide {
  const by = expr.type === "s64" ? wide(expr, environment) : numeric(expr, environment);
  return () => BigInt(shiftInRange(Number(by()), 63, environment.kernel));
}

/** Beyond these C leaves the result open and JavaScript masks the amount. */
function shiftInRange(by: number, largest: number, kernel: string): number {
  if (by >= 0 && by <= largest) return by;
  throw new RangeError(`${kernel}: shift must be in [0, ${largest}], got ${by}`);
}

function wideArithmetic(
  op: "add" | "sub" | "mul" | "min" | "max",
  a: Wide,
  b: Wide,
  inRange: (value: bigint) => bigint,
): Wide {
  switch (op) {
    case "add":
      return () => inRange(a() + b());
    case "sub":
      return () => inRange(a() - b());
    case "mul":
      return () => inRange(a() * b());
    case "min":
      return () => {
        const [x, y] = [a(), b()];
        return x < y ? x : y;
      };
    case "max":
      return () => {
        const [x, y] = [a(), b()];
        return x > y ? x : y;
      };
    default:
      return op satisfies never;
  }
}
