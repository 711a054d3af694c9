/**
 * The functions `run`: every phase in order, with the addresses of its arguments.
 *
 * Each thread has one, which calls the kernels for its own share. Threads meet between two phases only where
 * the later one touches memory that an earlier one since the last meeting wrote, or writes what it
 * read.
 */

import { bytesOf, type Kernel } from "../language.ts";
import { chunkItems, type Phase, phasesOf, reachOf, shareOfItems } from "../phases.ts";
import type { Placed, Program } from "../plan.ts";
import { type Call, type Role, writtenBy } from "../routine.ts";
import { OP, signed, TYPE, unsigned } from "./bytes.ts";
import { isShared, type Part } from "./parts.ts";

export interface RunContext {
  /** Index of the function that does a part's share of a call. */
  readonly functionOf: (call: Call, part: number) => number;
  /** Function index of the barrier. */
  readonly barrier: number;
  readonly bases: Readonly<Record<Role, number>>;
  readonly parts: number;
}

/** Locals of `run`: the item, and its chunk. */
const [ITEM, CHUNK] = [0, 1];

/** The bodies of `run`, one a part. */
export function encodeRuns(program: Program, context: RunContext): number[][] {
  const { barrier, parts } = context;
  const placed = new Map(program.storage.map((storage) => [storage.name, storage]));
  const stages = stagesOf(program, placed, context);
  const meet = parts > 1 ? [OP.call, ...unsigned(barrier)] : [];
  return Array.from({ length: parts }, (_, part) => {
    const code = stages.flatMap(({ phase, calls, meetsBefore }) => [
      ...(meetsBefore ? meet : []),
      ...encodePhase(phase, calls, placed, { ...context, part }),
    ]);
    return [1, 2, TYPE.i32, ...code, ...meet, OP.end];
  });
}

interface Stage {
  readonly phase: Phase;
  readonly calls: readonly Call[];
  /** Whether threads meet before it. */
  readonly meetsBefore: boolean;
}

function stagesOf(program: Program, placed: Storages, context: RunContext): Stage[] {
  const writes = new Map<Kernel, ReadonlySet<string>>();
  let since: Range[] = [];
  return phasesOf(program.calls).map((phase) => {
    const calls = program.calls.slice(phase.first, phase.last + 1);
    if (context.parts === 1) return { phase, calls, meetsBefore: false };
    const ranges = rangesOf(calls, { placed, writes }, context);
    const meetsBefore = ranges.some((range) => since.some((other) => collide(range, other)));
    since = meetsBefore ? ranges : [...since, ...ranges];
    return { phase, calls, meetsBefore };
  });
}

/** Memory that a phase touches. */
interface Range {
  readonly from: number;
  readonly to: number;
  readonly isWritten: boolean;
}

function collide(a: Range, b: Range): boolean {
  return (a.isWritten || b.isWritten) && a.from < b.to && b.from < a.to;
}

type Storages = ReadonlyMap<string, Placed>;

function storageOf(name: string, placed: Storages): Placed {
  const storage = placed.get(name);
  if (storage === undefined) throw new Error(`internal: no storage ${name}`);
  return storage;
}

interface Known {
  readonly placed: Storages;
  /** What each kernel writes; added to. */
  readonly writes: Map<Kernel, ReadonlySet<string>>;
}

function rangesOf(
  calls: readonly Call[],
  { placed, writes }: Known,
  { bases, parts }: RunContext,
): Range[] {
  return calls.flatMap(({ kernel, arguments: names }) => {
    const written = writes.get(kernel) ?? writtenBy(kernel);
    writes.set(kernel, written);
    return names.map((name, i): Range => {
      const storage = storageOf(name, placed);
      const from = bases[storage.role] + storage.address;
      const bytes = storage.local ? storage.local.stride * parts : bytesOf(storage);
      return { from, to: from + bytes, isWritten: written.has(kernel.buffers[i].name) };
    });
  });
}

/** One part's. */
type PartContext = RunContext & Pick<Part, "part">;

function encodePhase(
  { each }: Phase,
  calls: readonly Call[],
  placed: Storages,
  context: PartContext,
): number[] {
  const { part, parts, functionOf } = context;
  const encodeCall = (call: Call): number[] => [
    ...call.arguments.flatMap((name, i) => {
      const storage = storageOf(name, placed);
      return encodeAddress(storage, call, i, context);
    }),
    ...[OP.call, ...unsigned(functionOf(call, part))],
  ];
  if (each === undefined) {
    // what cannot be shared, the first thread does alone
    return calls.flatMap((call) => (part === 0 || isShared(call.kernel) ? encodeCall(call) : []));
  }
  const [from, to] = shareOfItems(each, { part, parts });
  if (from >= to) return [];
  return [
    ...[OP.i32Const, ...signed(from), OP.localSet, ITEM, OP.loop, TYPE.empty],
    ...[OP.localGet, ITEM, OP.i32Const, ...signed(chunkItems(each)), OP.i32DivU],
    ...[OP.localSet, CHUNK],
    ...calls.flatMap(encodeCall),
    ...[OP.localGet, ITEM, OP.i32Const, 1, OP.i32Add, OP.localTee, ITEM],
    ...[OP.i32Const, ...signed(to), OP.i32LtS, OP.brIf, 0, OP.end],
  ];
}

/** Push the address of an argument: of the item's part, the chunk's, the thread's or the whole. */
function encodeAddress(
  storage: Placed,
  { kernel, each }: Call,
  argument: number,
  { bases, part }: PartContext,
): number[] {
  const address = bases[storage.role] + storage.address;
  const constant = (value: number): number[] => [OP.i32Const, ...signed(value)];
  if (storage.local) return constant(address + part * storage.local.stride);
  const reach = reachOf(storage, kernel.buffers[argument], each);
  if (reach === undefined || reach === "whole") return constant(address);
  const bytes = bytesOf(kernel.buffers[argument]);
  const moved = [OP.localGet, reach === "item" ? ITEM : CHUNK, ...constant(bytes), OP.i32Mul];
  return [...constant(address), ...moved, OP.i32Add];
}
