/**
 * Arrays that were computed before, in packs in one folder: any number of processes may read and
 * add at once, and be killed at any moment.
 *
 * There is no lock and nothing is changed in place. What is new goes into a pack of its own, which
 * appears by renaming; its name is the hash of its bytes, so two that hold the same are one. Small
 * packs are merged into one before they are removed. Who finds a pack gone computes again.
 */

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Entry, type Key, openPack, type Pack, packEntries } from "./feature-pack.ts";

export interface FeatureStore {
  /**
   * Read what is known.
   *
   * keys     of what is wanted
   * take     gets a view of the values, which the next ones overwrite, with the index of their key
   * returns  indices of keys that are not known, ascending
   */
  read(keys: readonly Key[], take: (index: number, values: Int32Array) => void): number[];
  /** Remember; written with others that are waiting, at the latest by `flush`. */
  add(key: Key, values: Int32Array): void;
  /** throws  what the operating system says if it cannot be written */
  flush(): void;
}

const SUFFIX = ".pack";
export const PARTIAL = ".partial";

/** A pack is written when this much is waiting: what a kill can cost. */
const PENDING_BYTES = 16 * 2 ** 20;

/** More packs than this are merged, as far as they are smaller than a full one. */
const MAX_PACKS = 8;

/**
 * The store in a folder, which need not exist.
 *
 * length   values under each key; a pack of another length is none
 */
export function openFeatureStore(folder: string, length: number): FeatureStore {
  let waiting: Entry[] = [];
  let waitingBytes = 0;
  const flush = (): void => {
    const entries = waiting;
    [waiting, waitingBytes] = [[], 0];
    if (entries.length === 0) return;
    writePack(folder, entries);
    merge(folder, length);
  };
  return {
    flush,
    add: (key, values) => {
      waiting.push([key, values]);
      waitingBytes += values.byteLength;
      if (waitingBytes > PENDING_BYTES) flush();
    },
    read: (keys, take) => {
      const missing = indicesByKey(keys);
      for (const name of packNames(folder)) {
        if (missing.size === 0) break;
        const path = join(folder, name);
        const isWhole = withPack(path, length, (pack) => readWanted(pack, missing, take));
        if (isWhole === true) touch(path);
      }
      return [...missing.values()].flat().sort((a, b) => a - b);
    },
  };
}

function indicesByKey(keys: readonly Key[]): Map<Key, number[]> {
  const indices = new Map<Key, number[]>();
  for (const [i, key] of keys.entries()) {
    const known = indices.get(key);
    if (known === undefined) indices.set(key, [i]);
    else known.push(i); // the same content twice
  }
  return indices;
}

/** Read a pack; one in which anything is damaged is removed afterwards. */
function withPack(path: string, length: number, use: (pack: Pack) => boolean): boolean | undefined {
  let pack: Pack | undefined;
  let isWhole = false;
  try {
    pack = openPack(path);
    if (pack?.length === length) isWhole = use(pack);
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    return undefined; // merged or pruned by another process, or not ours to read
  } finally {
    pack?.close();
  }
  if (!isWhole) remove(path);
  return isWhole;
}

/** Take what is missing, and it no longer is; returns whether all that was read is whole. */
function readWanted(
  pack: Pack,
  missing: Map<Key, number[]>,
  take: (index: number, values: Int32Array) => void,
): boolean {
  const slots = [...pack.keys.keys()].filter((slot) => missing.has(pack.keys[slot]));
  let isWhole = true;
  pack.read(slots, (slot, values) => {
    const key = pack.keys[slot];
    if (values === undefined) isWhole = false;
    else for (const index of missing.get(key) ?? []) take(index, values);
    if (values !== undefined) missing.delete(key);
  });
  return isWhole;
}

/** Used now: the packs that were not used for longest are pruned first. */
function touch(path: string): void {
  try {
    const now = new Date();
    utimesSync(path, now, now);
  } catch {
    // gone, or a cache that can only be read
  }
}

function packNames(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(SUFFIX));
  } catch {
    return [];
  }
}

/** Returns the name. */
function writePack(folder: string, entries: readonly Entry[]): string {
  const bytes = packEntries(entries);
  const name = `${createHash("sha256").update(bytes).digest("hex").slice(0, 32)}${SUFFIX}`;
  const path = join(folder, name);
  const partial = `${path}.${process.pid}${PARTIAL}`;
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(partial, bytes);
    renameSync(partial, path);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
  return name;
}

/** Small packs into one, so that reading does not open ever more files. */
function merge(folder: string, length: number): void {
  const names = packNames(folder);
  if (names.length <= MAX_PACKS) return;
  const entries = new Map<Key, Int32Array>();
  const merged: string[] = [];
  let bytes = 0;
  for (const name of names) {
    withPack(join(folder, name), length, (pack) => {
      const size = pack.keys.length * length * 4;
      if (size >= PENDING_BYTES || bytes + size > MAX_PACKS * PENDING_BYTES) return true;
      bytes += size;
      merged.push(name);
      let isWhole = true;
      pack.read([...pack.keys.keys()], (slot, values) => {
        if (values === undefined) isWhole = false;
        else entries.set(pack.keys[slot], values.slice());
      });
      return isWhole;
    });
  }
  if (merged.length < 2) return;
  const whole = writePack(folder, [...entries]);
  for (const name of merged) if (name !== whole) remove(join(folder, name));
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // not ours to remove, or open elsewhere on a system that minds
  }
}
