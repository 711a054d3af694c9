/**
 * SHA-256 of a dataset's files, remembered by path, size, inode and times of change, so that what
 * has not changed is not read again.
 *
 * A change that keeps all of those is not seen (writing to the raw disk, setting the clock back);
 * --no-cache reads everything. A file that changed a moment ago is not remembered: a second change
 * within the resolution of the clock would look like none. One text file a dataset, written whole and
 * renamed; its last line is the hash of the others.
 */

import { createHash } from "node:crypto";
import {
  type BigIntStats,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { PARTIAL } from "./feature-store.ts";

export interface FileHashes {
  /**
   * A file is looked at once, so that all that a verb does goes by one state of it.
   *
   * path     in the dataset, with forward slashes
   * returns  64 hexadecimal digits
   * throws   what the operating system says if it cannot be read
   */
  of(path: string): string;
  /** Whether a file is still the one that was hashed: asked before keeping what was made of it. */
  isUnchanged(path: string): boolean;
  /** throws  what the operating system says if it cannot be written */
  save(): void;
}

/** A file is settled when it has not changed for this long; the coarsest clocks tick every 2 s. */
const SETTLED_MS = 2000n;
const BLOCK_BYTES = 2 ** 20;

interface Known {
  readonly hash: string;
  /** Size, inode, times. */
  readonly state: string;
}

/**
 * Hashes of the files below a folder.
 *
 * cache   folder of the cache
 * now     milliseconds since 1970, as the file system counts
 */
export function openFileHashes(folder: string, cache: string, now: () => number): FileHashes {
  const place = createHash("sha256").update(realpathSync(folder)).digest("hex").slice(0, 32);
  const memo = join(cache, "files", `${place}.txt`);
  const known = readMemo(memo);
  const seen = new Map<string, Known>();
  let isChanged = false;
  const look = (path: string): Known => {
    const file = join(folder, path);
    const status = statSync(file, { bigint: true });
    const state = stateOf(status);
    const kept = known.get(path);
    if (kept?.state === state) return kept;
    const found = { hash: hashOf(file), state };
    if (isSettled(status, now()) && stateOf(statSync(file, { bigint: true })) === state) {
      known.set(path, found);
      isChanged = true;
    }
    return found;
  };
  return {
    of: (path) => {
      const found = seen.get(path) ?? look(path);
      seen.set(path, found);
      return found.hash;
    },
    isUnchanged: (path) => {
      const status = statSync(join(folder, path), { bigint: true, throwIfNoEntry: false });
      return status !== undefined && stateOf(status) === seen.get(path)?.state;
    },
    save: () => {
      if (isChanged) writeMemo(memo, known);
      isChanged = false;
    },
  };
}

function stateOf({ size, ino, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${size} ${ino} ${mtimeNs} ${ctimeNs}`;
}

function isSettled({ mtimeMs, ctimeMs }: BigIntStats, nowMs: number): boolean {
  const latest = mtimeMs > ctimeMs ? mtimeMs : ctimeMs;
  return BigInt(Math.floor(nowMs)) - latest > SETTLED_MS;
}

/** Block by block: a recording may be larger than memory is. */
function hashOf(path: string): string {
  const hash = createHash("sha256");
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  const file = openSync(path, "r");
  try {
    for (;;) {
      const count = readSync(file, block);
      if (count === 0) return hash.digest("hex");
      hash.update(block.subarray(0, count));
    }
  } finally {
    closeSync(file);
  }
}

/** "<hash> <size> <inode> <mtime> <ctime> <path>" a line. */
const LINE = /^([0-9a-f]{64}) (\d+ \d+ -?\d+ -?\d+) (.+)$/s;

function readMemo(path: string): Map<string, Known> {
  const known = new Map<string, Known>();
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return known; // none yet
  }
  const end = text.lastIndexOf("\n", text.length - 2) + 1;
  if (text.slice(end).trim() !== digest(text.slice(0, end))) return known; // damaged
  for (const line of text.slice(0, end).split("\n")) {
    const [, hash, state, name] = LINE.exec(line) ?? [];
    if (hash !== undefined) known.set(name, { hash, state });
  }
  return known;
}

function writeMemo(path: string, known: ReadonlyMap<string, Known>): void {
  const lines = [...known]
    .filter(([name]) => !name.includes("\n"))
    .map(([name, { hash, state }]) => `${hash} ${state} ${name}\n`);
  const text = lines.join("");
  mkdirSync(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}${PARTIAL}`;
  writeFileSync(partial, `${text}${digest(text)}\n`);
  renameSync(partial, path);
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
