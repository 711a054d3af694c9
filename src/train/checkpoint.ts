/**
 * Checkpoints as bytes: "TM2C", a version, the length of a JSON header, a checksum (FNV-1a) of all
 * that follows, the header, then the arrays it lists.
 *
 * All numbers are little endian; the header is padded with blanks so that the arrays are aligned.
 */

import { UserError } from "../errors.ts";
import type { Checkpoint } from "./fit.ts";

const MAGIC = 0x43324d54; // "TM2C"
/** 2: the parameters that decay come first. */
const VERSION = 2;
const HEADER_BYTES = 16;

export function packCheckpoint({ arrays, ...rest }: Checkpoint): Uint8Array {
  const list = Object.entries(arrays).map(([name, { length }]) => ({ name, length }));
  const text = JSON.stringify({ ...rest, arrays: list });
  const header = new TextEncoder().encode(text + " ".repeat((4 - (text.length % 4)) % 4));
  const padded = Math.ceil(header.length / 4) * 4;
  const floats = list.reduce((total, { length }) => total + length, 0);
  const bytes = new Uint8Array(HEADER_BYTES + padded + 4 * floats);
  bytes.fill(0x20, HEADER_BYTES, HEADER_BYTES + padded);
  bytes.set(header, HEADER_BYTES);
  const values = new Float32Array(bytes.buffer, HEADER_BYTES + padded);
  let at = 0;
  for (const { name, length } of list) {
    values.set(arrays[name], at);
    at += length;
  }
  const checksum = fnv1a(bytes.subarray(HEADER_BYTES));
  new Uint32Array(bytes.buffer, 0, 4).set([MAGIC, VERSION, padded, checksum]);
  return bytes;
}

function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  return hash >>> 0;
}

/**
 * The reverse of packCheckpoint.
 *
 * source   the file's name, for the error
 * throws   UserError if the bytes are no whole checkpoint
 */
export function unpackCheckpoint(input: Uint8Array, source: string): Checkpoint {
  const bytes = Uint8Array.from(input);
  const refuse = (): UserError =>
    new UserError(`${source} is no whole checkpoint; delete it and train from the start`);
  if (bytes.length < HEADER_BYTES) throw refuse();
  const [magic, version, headerBytes, checksum] = new Uint32Array(bytes.buffer, 0, 4);
  if (magic !== MAGIC || version !== VERSION || headerBytes % 4 !== 0) throw refuse();
  if (fnv1a(bytes.subarray(HEADER_BYTES)) !== checksum) throw refuse();
  if (HEADER_BYTES + headerBytes > bytes.length || bytes.length % 4 !== 0) throw refuse();
  const text = new TextDecoder().decode(bytes.subarray(HEADER_BYTES, HEADER_BYTES + headerBytes));
  try {
    const { arrays: list, ...rest } = JSON.parse(text) as Omit<Checkpoint, "arrays"> & {
      arrays: { name: string; length: number }[];
    };
    const values = new Float32Array(bytes.buffer, HEADER_BYTES + headerBytes);
    let at = 0;
    const arrays = Object.fromEntries(
      list.map(({ name, length }) => {
        const start = at;
        at += length;
        return [name, values.slice(start, at)];
      }),
    );
    if (at !== values.length) throw refuse();
    return { ...rest, arrays };
  } catch (error) {
    throw error instanceof UserError ? error : refuse();
  }
}
