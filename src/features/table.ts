/** Constant tables of the front-end: a buffer of a kernel together with its data. */

import { type Buffer, build as b, type ElementType, type TypedArray } from "../kernel/index.ts";

export interface Table {
  readonly buffer: Buffer;
  readonly data: TypedArray;
}

/** Rounded integers as a table; values must fit the type. */
export function table(
  name: string,
  type: ElementType & ("s16" | "s32"),
  { shape, values }: { shape: readonly number[]; values: readonly number[] },
): Table {
  const integers = values.map((value) => Math.round(value));
  const data = type === "s16" ? Int16Array.from(integers) : Int32Array.from(integers);
  return { buffer: b.buffer(name, type, shape), data };
}

/** A fraction in [-1, 1] as Q31; 1 becomes 1 - 2^-31. */
export function q31(value: number): number {
  return Math.min(Math.round(value * 2 ** 31), 2 ** 31 - 1);
}
