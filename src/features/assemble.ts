/** One kernel as a routine: the input bears the modality's name, all other storage is prefixed by it. */

import {
  type Buffer,
  build as b,
  bytesOf,
  call,
  type Role,
  type Routine,
  type Statement,
  type Storage,
  type TypedArray,
  viewOf,
} from "../kernel/index.ts";
import type { Table } from "./table.ts";

interface Parts {
  /** Of the kernel and, after the modality, of its call. */
  readonly name: string;
  readonly input: Buffer;
  readonly tables: readonly Table[];
  readonly scratch: readonly Buffer[];
  /** Survives from run to run, zeros at first. */
  readonly state?: readonly Buffer[];
  readonly output: Buffer;
  readonly body: readonly Statement[];
}

/** A routine of one call. */
export function assemble(modality: string, parts: Parts): Routine {
  const { name, input, tables, scratch, state = [], output, body } = parts;
  const held = tables.map(({ buffer }) => buffer);
  const buffers = [input, ...held, ...state, ...scratch, output];
  const storageName = (buffer: Buffer): string =>
    buffer === input ? modality : `${modality}.${buffer.name}`;
  const stored = (buffer: Buffer, role: Role): Storage => ({
    ...buffer,
    name: storageName(buffer),
    role,
  });
  const bindings = Object.fromEntries(buffers.map((buffer) => [buffer.name, storageName(buffer)]));
  const kernel = b.kernel(name.replaceAll("-", "_"), buffers, body);
  return {
    storage: [
      stored(input, "input"),
      ...tables.map(({ buffer, data }) => ({ ...stored(buffer, "constant"), data })),
      ...state.map((buffer) => ({ ...stored(buffer, "state"), data: zerosOf(buffer) })),
      ...scratch.map((buffer) => stored(buffer, "scratch")),
      stored(output, "output"),
    ],
    calls: [call(`${modality}.${name}`, kernel, bindings)],
  };
}

function zerosOf({ type, shape }: Buffer): TypedArray {
  return viewOf(type, shape, new ArrayBuffer(bytesOf({ type, shape })), 0);
}
