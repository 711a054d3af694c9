/**
 * The memory plan: a routine becomes a program, in which everything has an address.
 *
 * Each role is a region of its own with addresses from 0. Scratch storage lives from the first to
 * the last call that names it and shares the arena with whatever is not alive at the same time:
 * greedy placement at the lowest free address (Pisarchyk, Lee 2020, "greedy by size"), tried in
 * three orders of which the smallest arena is kept. What one phase alone uses, item by item, needs
 * room for one item a thread; all of that lies side by side in one block a phase. The arena's size is
 * exact: it is the constant that the C declares and the page count that the WebAssembly asks for.
 */

import { mismatch } from "../errors.ts";
import { checkRoutine } from "./check-routine.ts";
import { bitsOf, bytesOf, sizeOf } from "./language.ts";
import { type Phase, phasesOf, reachOf } from "./phases.ts";
import { byteOffsetOf, type Role, type Routine, type Storage } from "./routine.ts";

export interface Placed extends Storage {
  /** Byte address within the region of its role. */
  readonly address: number;
  /** Calls during which a scratch storage (or a view's root) lives, inclusive. */
  readonly first: number;
  readonly last: number;
  /** There is room for one of the items a thread only, `stride` bytes apart. */
  readonly local?: { readonly items: number; readonly stride: number };
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
 * parts    threads that will run it
 */
export function plan(
  routine: Routine,
  { reuse = true, parts = 1 }: { reuse?: boolean; parts?: number } = {},
): Program {
  checkRoutine(routine);
  const named = new Map(routine.storage.map((s) => [s.name, s]));
  const roots = new Map(routine.storage.map((s) => [s.name, rootOf(s, named)]));
  const phases = phasesOf(routine.calls);
  const uses = usesOf(routine, roots);
  const whole: (Block & { role: Role })[] = [];
  const locals = new Map<Phase, Block[]>();
  for (const storage of routine.storage.filter((s) => s.within === undefined)) {
    const mine = uses.get(storage.name) ?? [];
    const phase = reuse ? onlyPhaseOf(storage, mine, { phases, roots, routine }) : undefined;
    const block = blockOf(storage, mine, { phases, reuse, calls: routine.calls.length });
    if (phase?.each === undefined) whole.push({ role: storage.role, ...block });
    else {
      const bytes = block.bytes / phase.each.items;
      const lives = { first: mine[0], last: mine[mine.length - 1] };
      locals.set(phase, [...(locals.get(phase) ?? []), { ...block, bytes, ...lives }]);
    }
  }
  const local = [...locals].map(([phase, blocks], i) => {
    const { addresses, bytes } = smallestPlacement(blocks);
    const stride = align(bytes, LINE);
    const block = { name: `$local.${i}`, bytes: parts * stride, align: LINE, ...phase };
    whole.push({ role: "scratch", ...block });
    const shared = { items: phase.each?.items ?? 1, stride };
    return { name: block.name, shared, addresses, blocks };
  });
  const addresses = new Map<string, number>();
  const regionBytes = { input: 0, output: 0, constant: 0, state: 0, scratch: 0 };
  for (const role of ["input", "output", "constant", "state", "scratch"] as const) {
    const mine = whole.filter((block) => block.role === role);
    const placed = role === "scratch" ? smallestPlacement(mine) : inOrder(mine);
    for (const [name, address] of placed.addresses) addresses.set(name, address);
    regionBytes[role] = placed.bytes;
  }
  const byName = new Map<string, Block & Pick<Placed, "local">>(whole.map((b) => [b.name, b]));
  for (const { name, shared, addresses: inside, blocks } of local) {
    for (const block of blocks) {
      byName.set(block.name, { ...block, local: shared });
      addresses.set(block.name, (addresses.get(name) ?? 0) + (inside.get(block.name) ?? 0));
    }
  }
  const roles = new Map(routine.storage.map(({ name, role }) => [name, role]));
  const storage = routine.storage.map((s): Placed => {
    const root = roots.get(s.name) ?? { name: s.name, byteOffset: 0 };
    const { first = 0, last = 0, local } = byName.get(root.name) ?? {};
    const address = (addresses.get(root.name) ?? 0) + root.byteOffset;
    const role = roles.get(root.name) ?? s.role;
    return { ...s, role, address, first, last, ...(local === undefined ? {} : { local }) };
  });
  return { storage, calls: routine.calls, regionBytes };
}

/** Bytes of a cache line: threads do not write to one another's. */
const LINE = 64;

/** The indices of the calls that name a storage or a view of it, by root. */
function usesOf({ calls }: Routine, roots: Roots): Map<string, number[]> {
  const uses = new Map<string, number[]>();
  calls.forEach(({ arguments: names }, i) => {
    for (const name of new Set(names.map((argument) => roots.get(argument)?.name ?? argument))) {
      const list = uses.get(name);
      if (list === undefined) uses.set(name, [i]);
      else list.push(i);
    }
  });
  return uses;
}

/** The phase over items in which alone a scratch storage is used, item by item. */
function onlyPhaseOf(
  { name, role, shape, type }: Storage,
  uses: readonly number[],
  { phases, roots, routine }: { phases: readonly Phase[]; roots: Roots; routine: Routine },
): Phase | undefined {
  if (role !== "scratch" || uses.length === 0 || type === "s4") return undefined;
  const phase = phases.find(({ first, last }) => first <= uses[0] && uses[0] <= last);
  if (phase?.each === undefined || uses[uses.length - 1] > phase.last) return undefined;
  const isMine = (argument: string): boolean => roots.get(argument)?.name === name;
  const isWhole = routine.storage
    .filter((s) => isMine(s.name))
    .every((s) => roots.get(s.name)?.byteOffset === 0 && sizeOf(s.shape) === sizeOf(shape));
  const isByItem = uses.every((i) => {
    const { arguments: names, kernel } = routine.calls[i];
    return names.every(
      (argument, k) =>
        !isMine(argument) || reachOf({ shape, type }, kernel.buffers[k], phase.each) === "item",
    );
  });
  return isWhole && isByItem ? phase : undefined;
}

type Roots = ReadonlyMap<string, Root>;

interface Root {
  readonly name: string;
  readonly byteOffset: number;
}

function rootOf(start: Storage, all: ReadonlyMap<string, Storage>): Root {
  let [current, byteOffset] = [start, 0];
  for (let depth = 0; current.within !== undefined; depth++) {
    const { name, offset } = current.within;
    const parent = all.get(name);
    if (parent === undefined || depth > all.size) {
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

function blockOf(
  storage: Storage,
  uses: readonly number[],
  { phases, reuse, calls }: { phases: readonly Phase[]; reuse: boolean; calls: number },
): Block {
  const everAlive = storage.role !== "scratch" || !reuse || uses.length === 0;
  const phaseOf = (call: number): Phase | undefined =>
    phases.find(({ first, last }) => first <= call && call <= last);
  return {
    name: storage.name,
    bytes: bytesOf(storage),
    // f32 is for SIMD, which likes whole lines
    align: storage.type === "f32" ? LINE : Math.max(1, bitsOf(storage.type) / 8),
    // other items are at other calls of a phase: what is used in it lives through all of it
    first: everAlive ? 0 : (phaseOf(uses[0])?.first ?? 0),
    last: everAlive ? calls - 1 : (phaseOf(uses[uses.length - 1])?.last ?? calls - 1),
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
