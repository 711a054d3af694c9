/**
 * A routine: a list of kernel calls over named storage, before anything has an address.
 *
 * Roles of storage
 * - input     the caller writes it before a run
 * - output    the caller reads it after a run
 * - constant  has data, is never written
 * - state     has data, survives from run to run
 * - scratch   lives from its first to its last use; plan.ts gives it a place in the arena
 *
 * `within` makes storage a view into another one: that is how concatenation is an address and not a
 * copy.
 */

import { mismatch } from "../errors.ts";
import { type Buffer, bitsOf, bytesOf, type ElementType, type Kernel, sizeOf } from "./language.ts";

export type Role = "input" | "output" | "constant" | "state" | "scratch";

export type TypedArray = Int8Array | Uint8Array | Int16Array | Int32Array | Float32Array;

export interface Storage extends Buffer {
  readonly role: Role;
  /** For constant and state; an s4 buffer holds packed bytes. */
  readonly data?: TypedArray;
  /** A view: elements from `offset` of the named storage (which has the same element type). */
  readonly within?: { readonly name: string; readonly offset: number };
}

export interface Call {
  /** The layer or step it belongs to, for reports and for naming differences. */
  readonly label: string;
  readonly kernel: Kernel;
  /** Storage name for each buffer of the kernel, in its order. */
  readonly arguments: readonly string[];
  /** The call runs once an item, with that item's part of its arguments: see phases.ts. */
  readonly each?: Each;
  /** It costs little and its result much memory: it runs together with the first that needs it. */
  readonly late?: boolean;
}

/** Items of a call, and the chunks in which threads take them. */
export interface Each {
  readonly items: number;
  readonly chunks: number;
}

export interface Routine {
  readonly storage: readonly Storage[];
  readonly calls: readonly Call[];
}

/** A call with its arguments given by kernel buffer name; shapes may differ if sizes agree. */
export function call(
  label: string,
  kernel: Kernel,
  bindings: Readonly<Record<string, string>>,
  each?: Each,
): Call {
  const names = kernel.buffers.map(({ name }) => {
    const bound = bindings[name];
    if (bound === undefined) {
      throw mismatch(`call ${label}`, `argument ${name}`, { expected: "given", got: "nothing" });
    }
    return bound;
  });
  return { label, kernel, arguments: names, ...(each === undefined ? {} : { each }) };
}

/** Which buffers of a kernel it writes. */
export function writtenBy(kernel: Kernel): ReadonlySet<string> {
  const written = new Set<string>();
  const visit = (body: Kernel["body"]): void => {
    for (const statement of body) {
      if (statement.op === "store") written.add(statement.buffer.name);
      if (statement.op === "for") visit(statement.body);
      if (statement.op === "when") {
        visit(statement.then);
        visit(statement.otherwise);
      }
    }
  };
  visit(kernel.body);
  return written;
}

/** A view over memory for one storage; s4 and u8 give bytes. */
export function viewOf(
  type: ElementType,
  shape: readonly number[],
  memory: ArrayBufferLike,
  byteOffset: number,
): TypedArray {
  const size = sizeOf(shape);
  switch (type) {
    case "s8":
      return new Int8Array(memory, byteOffset, size);
    case "u8":
      return new Uint8Array(memory, byteOffset, size);
    case "s4":
      return new Uint8Array(memory, byteOffset, bytesOf({ type, shape }));
    case "s16":
      return new Int16Array(memory, byteOffset, size);
    case "s32":
      return new Int32Array(memory, byteOffset, size);
    case "f32":
      return new Float32Array(memory, byteOffset, size);
    default:
      return type satisfies never;
  }
}

/** Byte offset of element `offset`. */
export function byteOffsetOf(type: ElementType, offset: number): number {
  return (offset * bitsOf(type)) / 8;
}
