/**
 * A pack: arrays of one length under keys, in a file that is written once and never changed.
 *
 *   "tm2npack", u32 version, u32 type (1 u8, 4 s32), u32 length, u32 count, u32 CRC of the index,
 *   then count times: key (32 bytes), u32 CRC of key and values;
 *   then count times: values [length] of that type.
 *
 * Numbers are little-endian. u8 where it holds every value, so that pixels take a byte. Nothing
 * read is trusted: a wrong size, header or index makes the file no pack, a wrong CRC the entry none.
 */

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { crc32 } from "node:zlib";

/** SHA-256 in hexadecimal. */
export type Key = string;

export type Entry = readonly [Key, Int32Array];

const MAGIC = "tm2npack";
const VERSION = 1;
const HEADER_BYTES = 28;
const KEY_BYTES = 32;
const INDEX_BYTES = KEY_BYTES + 4;
/** Entries that lie side by side are read together up to this size. */
const READ_BYTES = 2 ** 18;

/**
 * The bytes of a pack.
 *
 * entries  at least one, all of one length
 */
export function packEntries(entries: readonly Entry[]): Uint8Array {
  const [[, { length }]] = entries;
  const type = entries.every(([, values]) => values.every((v) => v >= 0 && v <= 255)) ? 1 : 4;
  const index = Buffer.alloc(entries.length * INDEX_BYTES);
  const payloads = entries.map(([key, values], i) => {
    const payload = Buffer.from((type === 1 ? new Uint8Array(values) : values.slice()).buffer);
    index.write(key, i * INDEX_BYTES, "hex");
    index.writeUInt32LE(checksum(index, i, payload), i * INDEX_BYTES + KEY_BYTES);
    return payload;
  });
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(MAGIC, "latin1");
  for (const [i, n] of [VERSION, type, length, entries.length, crc32(index)].entries()) {
    header.writeUInt32LE(n, MAGIC.length + 4 * i);
  }
  return Buffer.concat([header, index, ...payloads]);
}

function checksum(index: Buffer, slot: number, payload: Uint8Array): number {
  const at = slot * INDEX_BYTES;
  return crc32(payload, crc32(index.subarray(at, at + KEY_BYTES)));
}

/** A pack that is open for reading. */
export interface Pack {
  readonly keys: readonly Key[];
  /** Values in each entry. */
  readonly length: number;
  /**
   * Read entries.
   *
   * slots    indices into `keys`, ascending
   * take     gets a view of the values that the next ones overwrite; undefined where they are damaged
   */
  read(slots: readonly number[], take: (slot: number, values?: Int32Array) => void): void;
  close(): void;
}

/**
 * Open a pack.
 *
 * returns  undefined if the file is no whole pack
 * throws   what the operating system says if it cannot be opened or read
 */
export function openPack(path: string): Pack | undefined {
  const file = openSync(path, "r");
  const pack = packOf(file);
  if (pack === undefined) closeSync(file);
  return pack;
}

function packOf(file: number): Pack | undefined {
  const { size } = fstatSync(file);
  const header = readAt(file, 0, HEADER_BYTES);
  if (header.length < HEADER_BYTES || header.toString("latin1", 0, 8) !== MAGIC) return undefined;
  const [version, width, length, count, indexCrc] = [8, 12, 16, 20, 24].map((at) =>
    header.readUInt32LE(at),
  );
  if (version !== VERSION || (width !== 1 && width !== 4)) return undefined;
  const bytes = length * width;
  const start = HEADER_BYTES + count * INDEX_BYTES;
  if (size !== start + count * bytes) return undefined;
  const index = readAt(file, HEADER_BYTES, count * INDEX_BYTES);
  if (crc32(index) !== indexCrc) return undefined;
  const keys = Array.from({ length: count }, (_, i) =>
    index.toString("hex", i * INDEX_BYTES, i * INDEX_BYTES + KEY_BYTES),
  );
  return {
    keys,
    length,
    close: () => closeSync(file),
    read: (slots, take) => {
      const most = Math.min(count, Math.max(1, Math.floor(READ_BYTES / bytes)));
      const values = new Int32Array(most * length);
      const space = width === 4 ? Buffer.from(values.buffer) : Buffer.allocUnsafe(most * bytes);
      for (const [first, last] of runsOf(slots, most)) {
        const wanted = space.subarray(0, (last - first + 1) * bytes);
        const block = readInto(wanted, file, start + first * bytes);
        if (width === 1) values.set(block);
        for (let slot = first; slot <= last; slot++) {
          const from = slot - first;
          const payload = block.subarray(from * bytes, (from + 1) * bytes);
          const crc = index.readUInt32LE(slot * INDEX_BYTES + KEY_BYTES);
          const isWhole = payload.length === bytes && checksum(index, slot, payload) === crc;
          if (isWhole) take(slot, values.subarray(from * length, (from + 1) * length));
          else take(slot);
        }
      }
    },
  };
}

/** Ascending numbers as runs [first, last] of neighbours, none longer than `limit`. */
function runsOf(numbers: readonly number[], limit: number): [number, number][] {
  const runs: [number, number][] = [];
  for (const n of numbers) {
    const run = runs[runs.length - 1];
    if (run !== undefined && n === run[1] + 1 && n - run[0] < limit) run[1] = n;
    else runs.push([n, n]);
  }
  return runs;
}

function readAt(file: number, at: number, length: number): Buffer {
  return readInto(Buffer.allocUnsafe(length), file, at);
}

/** Fill a buffer with the bytes of a file; returns the part that is filled, less where it ends before. */
function readInto(bytes: Buffer, file: number, at: number): Buffer {
  let read = 0;
  while (read < bytes.length) {
    const more = readSync(file, bytes, read, bytes.length - read, at + read);
    if (more === 0) break;
    read += more;
  }
  return bytes.subarray(0, read);
}
