/**
 * The memory plan: a routine becomes a program, in which everything has an address.
 *
 * Each role is a region of its own with addresses from 0. Scratch storage lives from the first to
 * the last call that names it and shares the arena with whatever is not alive at the same time:
 * greedy placement at the lowest free address (Pisarchyk, Lee 2020, "greedy by size"), tried in
 * three orders of which the smallest arena is kept. The arena's size is exact: it is the constant
 * that the C declares and the page count that the WebAssembly asks for.
 */

import { mismatch } from "../errors.ts";
import { bitsOf, bytesOf } from "./language.ts";
import { byteOffsetOf, checkRoutine, type Role, type Routine, type Storage } from "./routine.ts";

export interface Placed extends Storage {
  /** Byte address within the region of its role. */
  readonly address: number;
  /** Calls during which a scratch storage (or a view's root) lives, inclusive. */
  readonly first: number;
  readonly last: number;
}

export interface Program extends Routine {
  readonly storage: readonly Placed[];
  /** Exact bytes of each region. */
  readonly regionBytes: Readonly<Record<Role, number>>;
}

interface Block {
  readonly name: string;
  readonly bytes: number;
  readonly align: number;
  readonly first: number;
  readonly last: number;
}

/**
 * Give every storage an address.
 *
 * reuse    false keeps all scratch storage apart, so that every intermediate value can be read
 *          after a run
 */
export function plan(routine: Routine, { reuse = true }: { reuse?: boolean } = {}): Program {
  checkRoutine(routine);
  const roots = new Map(routine.storage.map((s) => [s.name, rootOf(s, routine.storage)]));
  const blocks = routine.storage
    .filter((s) => s.within === undefined)
    .map((s) => ({ role: s.role, ...lifetime(s, routine, roots, reuse) }));
  const addresses = new Map<string, number>();
  const regionBytes = { input: 0, output: 0, constant: 0, state: 0, scratch: 0 };
  for (const role of ["input", "output", "constant", "state", "scratch"] as const) {
    const mine = blocks.filter((block) => block.role === role);
    const placed = role === "scratch" ? smallestPlacement(mine) : inOrder(mine);
    for (const [name, address] of placed.addresses) addresses.set(name, address);
    regionBytes[role] = placed.bytes;
  }
  const byName = new Map(blocks.map((block) => [block.name, block]));
  const storage = routine.storage.map((s): Placed => {
    const root = roots.get(s.name) ?? { name: s.name, byteOffset: 0 };
    const { first = 0, last = 0 } = byName.get(root.name) ?? {};
    const address = (addresses.get(root.name) ?? 0) + root.byteOffset;
    const role = routine.storage.find(({ name }) => name === root.name)?.role ?? s.role;
    return { ...s, role, address, first, last };
  });
  return { storage, calls: routine.calls, regionBytes };
}

interface Root {
  readonly name: string;
  readonly byteOffset: number;
}

function rootOf(start: Storage, all: readonly Storage[]): Root {
  let [current, byteOffset] = [start, 0];
  for (let depth = 0; current.within !== undefined; depth++) {
    const { name, offset } = current.within;
    const parent = all.find((s) => s.name === name);
    if (parent === undefined || depth > all.length) {
      throw mismatch("plan", `storage that ${current.name} is within`, {
        expected: "known",
        got: name,
      });
    }
    const [end, bytes] = [byteOffsetOf(current.type, offset) + bytesOf(current), bytesOf(parent)];
    if (end > bytes || bitsOf(parent.type) !== bitsOf(current.type)) {
      throw mismatch("plan", `view ${current.name}`, { expected: `inside ${name}`, got: end });
    }
    byteOffset += byteOffsetOf(current.type, offset);
    current = parent;
  }
  return { name: current.name, byteOffset };
}

function lifetime(
  storage: Storage,
  { calls }: Routine,
  roots: ReadonlyMap<string, Root>,
  reuse: boolean,
): Block {
  const uses = calls.flatMap(({ arguments: names }, i) =>
    names.some((name) => roots.get(name)?.name === storage.name) ? [i] : [],
  );
  const everAlive = storage.role !== "scratch" || !reuse || uses.length === 0;
  return {
    name: storage.name,
    bytes: bytesOf(storage),
    align: Math.max(1, bitsOf(storage.type) / 8),
    first: everAlive ? 0 : uses[0],
    last: everAlive ? calls.length - 1 : uses[uses.length - 1],
  };
}

interface Placement {
  readonly addresses: ReadonlyMap<string, number>;
  readonly bytes: number;
}

function smallestPlacement(blocks: readonly Block[]): Placement {
  const orders: ((a: Block, b: Block) => number)[] = [
    (a, b) => b.bytes - a.bytes || a.first - b.first,
    (a, b) => a.first - b.first || b.bytes - a.bytes,
    (a, b) => b.bytes * (b.last - b.first + 1) - a.bytes * (a.last - a.first + 1),
  ];
  const placements = orders.map((order) => place([...blocks].sort(order)));
  return placements.reduce((best, next) => (next.bytes < best.bytes ? next : best));
}

/** One after the other: for regions in which everything lives for ever. */
function inOrder(blocks: readonly Block[]): Placement {
  const addresses = new Map<string, number>();
  let bytes = 0;
  for (const block of blocks) {
    const address = align(bytes, block.align);
    addresses.set(block.name, address);
    bytes = address + block.bytes;
  }
  return { addresses, bytes };
}

/** Each block in turn at the lowest address where nothing alive at the same time lies. */
function place(blocks: readonly Block[]): Placement {
  const done: (Block & { address: number })[] = [];
  const addresses = new Map<string, number>();
  let bytes = 0;
  for (const block of blocks) {
    const neighbours = done
      .filter((other) => other.first <= block.last && block.first <= other.last)
      .sort((a, b) => a.address - b.address);
    let address = 0;
    for (const other of neighbours) {
      if (address + block.bytes <= other.address) break;
      address = Math.max(address, align(other.address + other.bytes, block.align));
    }
    done.push({ ...block, address });
    addresses.set(block.name, address);
    bytes = Math.max(bytes, address + block.bytes);
  }
  return { addresses, bytes };
}

function align(address: number, to: number): number {
  return Math.ceil(address / to) * to;
}
