/** One kernel as a routine: the input bears the modality's name, all other storage is prefixed by it. */

import {
  type Buffer,
  build as b,
  call,
  type Role,
  type Routine,
  type Statement,
  type Storage,
} from "../kernel/index.ts";
import type { Table } from "./table.ts";

interface Parts {
  /** Of the kernel and, after the modality, of its call. */
  readonly name: string;
  readonly input: Buffer;
  readonly tables: readonly Table[];
  readonly scratch: readonly Buffer[];
  readonly output: Buffer;
  readonly body: readonly Statement[];
}

/** A routine of one call. */
export function assemble(modality: string, parts: Parts): Routine {
  const { name, input, tables, scratch, output, body } = parts;
  const buffers = [input, ...tables.map(({ buffer }) => buffer), ...scratch, output];
  const storageName = (buffer: Buffer): string =>
    buffer === input ? modality : `${modality}.${buffer.name}`;
  const stored = (buffer: Buffer, role: Role): Storage => ({
    ...buffer,
    name: storageName(buffer),
    role,
  });
  const bindings = Object.fromEntries(buffers.map((buffer) => [buffer.name, storageName(buffer)]));
  const kernel = b.kernel(name.replace("-", "_"), buffers, body);
  return {
    storage: [
      stored(input, "input"),
      ...tables.map(({ buffer, data }) => ({ ...stored(buffer, "constant"), data })),
      ...scratch.map((buffer) => stored(buffer, "scratch")),
      stored(output, "output"),
    ],
    calls: [call(`${modality}.${name}`, kernel, bindings)],
  };
}
