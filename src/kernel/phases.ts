/**
 * Phases: what runs between two meetings of the threads.
 *
 * A call without `each` is a phase of its own, in which threads share the parallel loops of its
 * kernel. Consecutive calls with the same `each` are one phase: for each item all of them run, one
 * after the other, so that what one leaves in cache the next one finds there. Threads share the
 * items.
 *
 * An argument of such a call is its item's part of a storage, or its chunk's, or the whole of it;
 * which one follows from the sizes. Chunks are runs of consecutive items, whose number does not
 * depend on the threads: a sum over items is added up chunk by chunk, always in the same order.
 */

import { frugalOrder } from "./frugal-order.ts";
import { bytesOf, type ElementType, sizeOf } from "./language.ts";
import {
  byteOffsetOf,
  type Call,
  type Each,
  type Routine,
  type Storage,
  writtenBy,
} from "./routine.ts";

export interface Phase {
  /** Calls from `first` to `last`, inclusive. */
  readonly first: number;
  readonly last: number;
  readonly each?: Each;
}

export function phasesOf(calls: readonly Call[]): Phase[] {
  const phases: Phase[] = [];
  calls.forEach(({ each }, i) => {
    const before = phases[phases.length - 1];
    const goes = each !== undefined && before?.each !== undefined && isSame(each, before.each);
    if (goes) phases[phases.length - 1] = { ...before, last: i };
    else phases.push({ first: i, last: i, ...(each === undefined ? {} : { each }) });
  });
  return phases;
}

function isSame(a: Each, b: Each): boolean {
  return a.items === b.items && a.chunks === b.chunks;
}

/** Items of a chunk; the last one may have fewer. */
export function chunkItems({ items, chunks }: Each): number {
  return Math.ceil(items / chunks);
}

/** The items of one of several threads, whole chunks of them: from and to. */
export function shareOfItems(
  each: Each,
  { part, parts }: { part: number; parts: number },
): [number, number] {
  const at = (share: number): number =>
    Math.min(each.items, Math.floor((each.chunks * share) / parts) * chunkItems(each));
  return [at(part), at(part + 1)];
}

type Sized = Pick<Storage, "shape"> & { readonly type: ElementType };

export type Reach = "whole" | "item" | "chunk";

/** Which part of a storage an argument is; undefined if the sizes fit nothing. */
export function reachOf(
  storage: Sized,
  parameter: Sized,
  each: Each | undefined,
): Reach | undefined {
  const [size, part] = [sizeOf(storage.shape), sizeOf(parameter.shape)];
  if (storage.type !== parameter.type) return undefined;
  if (size === part) return "whole";
  if (each !== undefined && size === part * each.items) return "item";
  if (each !== undefined && size === part * each.chunks) return "chunk";
  return undefined;
}

/**
 * The same calls in an order with few phases: a call runs as soon as what it needs is there, calls
 * by item before the others as long as there are any.
 */
export function inPhases(routine: Routine): Routine {
  const touched = touchedByCalls(routine);
  const data = needsOf(touched);
  const needs = withLate(routine.calls, data);
  const done = new Set<number>();
  const order: number[] = [];
  let isByItem = routine.calls.some(({ each }) => each !== undefined);
  while (order.length < routine.calls.length) {
    const phase: number[] = [];
    for (let before = -1; before < phase.length; ) {
      before = phase.length;
      routine.calls.forEach(({ each }, i) => {
        if (done.has(i) || (each !== undefined) !== isByItem) return;
        const isReady = needs[i].every(
          (k) =>
            done.has(k) && (!isByItem || !phase.includes(k) || isByPart(touched[k], touched[i])),
        );
        if (!isReady) return;
        done.add(i);
        phase.push(i);
      });
    }
    order.push(...(isByItem ? frugally(phase, routine, { touched, needs: data }) : phase));
    isByItem = !isByItem;
  }
  return { ...routine, calls: order.map((i) => routine.calls[i]) };
}

/** The calls of a phase in an order that keeps little alive. */
function frugally(
  phase: readonly number[],
  { storage }: Routine,
  { touched, needs }: { touched: readonly (readonly Touched[])[]; needs: readonly number[][] },
): number[] {
  const scratch = new Map(storage.filter(({ role }) => role === "scratch").map((s) => [s.name, s]));
  const outside = new Set(
    touched.flatMap((mine, i) => (phase.includes(i) ? [] : mine.map(({ root }) => root))),
  );
  const calls = phase.map((i) => ({
    needs: needs[i].map((k) => phase.indexOf(k)).filter((k) => k >= 0),
    uses: new Set(touched[i].map(({ root }) => root).filter((root) => scratch.has(root))),
  }));
  const bytes = (name: string): number => {
    const one = scratch.get(name);
    return one === undefined || outside.has(name) ? 0 : bytesOf(one);
  };
  return frugalOrder(calls, bytes).map((position) => phase[position]);
}

/** A late call also needs what the first call that needs it needs. Later ones first: they may chain. */
function withLate(calls: readonly Call[], needs: readonly (readonly number[])[]): number[][] {
  const all = needs.map((list) => [...list]);
  for (let i = calls.length - 1; i >= 0; i--) {
    if (calls[i].late !== true) continue;
    const first = needs.findIndex((list) => list.includes(i));
    const after = new Set([i]);
    needs.forEach((list, k) => {
      if (list.some((need) => after.has(need))) after.add(k);
    });
    const more = (all[first] ?? []).filter((k) => !after.has(k) && !all[i].includes(k));
    all[i].push(...more);
  }
  return all;
}

/** Memory that a call touches, in bytes of the storage that owns it. */
interface Touched {
  readonly root: string;
  readonly from: number;
  readonly to: number;
  readonly reach: Reach | undefined;
  readonly isWritten: boolean;
}

function touchedByCalls({ calls, storage }: Routine): Touched[][] {
  const byName = new Map(storage.map((one) => [one.name, one]));
  return calls.map(({ kernel, arguments: names, each }) => {
    const written = writtenBy(kernel);
    return names.map((name, i) => {
      const start = byName.get(name);
      let [current, from] = [start, 0];
      while (current?.within !== undefined) {
        const { name: owner, offset } = current.within;
        from += byteOffsetOf(current.type, offset);
        current = byName.get(owner);
      }
      const to = from + (start === undefined ? 0 : bytesOf(start));
      const reach = start && reachOf(start, kernel.buffers[i], each);
      const isWritten = written.has(kernel.buffers[i].name);
      return { root: current?.name ?? name, from, to, reach, isWritten };
    });
  });
}

/** The earlier calls that each call must come after, ascending. */
function needsOf(touched: readonly (readonly Touched[])[]): number[][] {
  const earlier = new Map<string, { call: number; memory: Touched }[]>();
  return touched.map((mine, i) => {
    const needs = new Set<number>();
    for (const memory of mine) {
      for (const other of earlier.get(memory.root) ?? []) {
        if (conflicts(other.memory, memory)) needs.add(other.call);
      }
    }
    for (const memory of mine) {
      const list = earlier.get(memory.root);
      if (list === undefined) earlier.set(memory.root, [{ call: i, memory }]);
      else list.push({ call: i, memory });
    }
    return [...needs].sort((a, b) => a - b);
  });
}

function conflicts(a: Touched, b: Touched): boolean {
  return (a.isWritten || b.isWritten) && a.root === b.root && a.from < b.to && b.from < a.to;
}

/** Whether two calls by item touch the same memory only as their own item's, or chunk's. */
function isByPart(a: readonly Touched[], b: readonly Touched[]): boolean {
  return a.every((x) =>
    b.every((y) => !conflicts(x, y) || (x.reach === y.reach && x.reach !== "whole")),
  );
}
