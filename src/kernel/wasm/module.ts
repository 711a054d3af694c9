/**
 * Programs as WebAssembly modules.
 *
 * One function for each different kernel, whose parameters are the addresses of its buffers, and
 * `run`, which calls them in order. All regions lie in one memory: constants and state first, with
 * their data in data segments.
 */

import type { Runner } from "../interpret.ts";
import type { Kernel } from "../language.ts";
import type { Placed, Program } from "../plan.ts";
import { type Call, type Role, viewOf } from "../routine.ts";
import { hasFusedMultiplyAdd } from "../runtime.ts";
import { barrierBody } from "./barrier.ts";
import { join, list, OP, section, signed, TYPE, text, unsigned } from "./bytes.ts";
import { encodeKernel } from "./encode.ts";
import { type Part, WHOLE } from "./parts.ts";
import { encodeRun } from "./run.ts";

const PAGE_BYTES = 65_536;
const REGIONS: readonly Role[] = ["constant", "state", "input", "output", "scratch"];

export interface Layout {
  /** Byte address of each region. */
  readonly bases: Readonly<Record<Role, number>>;
  readonly pages: number;
}

/** Where the regions of a program lie in the module's memory; each starts at a multiple of 64. */
export function layoutOf({ regionBytes }: Program): Layout {
  const bases = { constant: 0, state: 0, input: 0, output: 0, scratch: 0 };
  let at = 64; // no pointer is 0; the barrier's counters lie below
  for (const role of REGIONS) {
    bases[role] = at;
    at = Math.ceil((at + regionBytes[role]) / 64) * 64;
  }
  return { bases, pages: Math.ceil(at / PAGE_BYTES) };
}

export interface EncodeOptions {
  readonly part?: Part;
  readonly fused?: boolean;
  /** Functions that all parts have in common, by kernel; added to. */
  readonly bodies?: Map<string, readonly number[]>;
}

/**
 * A module that exports `run`.
 *
 * fused    products that are added are rounded once where the machine can: other bits than the
 *          interpreter's, see runtime.ts
 * part     with one part the module has and exports its memory; with several it imports a shared
 *          one as env.memory and runs its share of every call, all parts meeting between two calls
 */
export function encodeModule(
  program: Program,
  { part = WHOLE, fused = false, bodies = new Map() }: EncodeOptions = {},
): Uint8Array<ArrayBuffer> {
  const { bases, pages } = layoutOf(program);
  const isAlone = part.parts === 1;
  const kernels = distinctKernels(program);
  const encoded = [...kernels].map(([key, { kernel, isByItem }]) => {
    if (!isByItem) return encodeKernel(kernel, { part, fused });
    // where threads share the items, nobody shares the loops
    const body = bodies.get(key) ?? encodeKernel(kernel, { fused });
    bodies.set(key, body);
    return body;
  });
  const barrier = isAlone ? [] : [barrierBody(part)];
  const keys = new Map(program.calls.map((call) => [call, callKey(call)]));
  const indexOf = (call: Call): number => kernels.get(keys.get(call) ?? "")?.index ?? 0;
  const runBody = encodeRun(program, { indexOf, barrier: kernels.size, bases, part });
  const types = [...new Set([...kernels.values()].map(({ kernel }) => kernel.buffers.length))];
  const functionTypes = [...kernels.values()].map(({ kernel }) => [
    types.indexOf(kernel.buffers.length) + 1,
  ]);
  const functions = [...encoded, ...barrier, runBody].map((body) =>
    join([Uint8Array.from(unsigned(body.length)), Uint8Array.from(body)]),
  );
  const shared = [
    ...text("env"),
    ...text("memory"),
    2,
    0x03,
    ...unsigned(pages),
    ...unsigned(pages),
  ];
  const ownMemory = [...text("memory"), 2, 0];
  const run = [...text("run"), 0, ...unsigned(functions.length - 1)];
  // every instance would write its data again: the first part alone has them
  const hasData = part.part === 0;
  const bytes = join([
    Uint8Array.from([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]),
    section(1, list([[0x60, 0, 0], ...types.map(signature)])),
    ...(isAlone ? [] : [section(2, list([shared]))]),
    section(3, list([...functionTypes, ...barrier.map(() => [0]), [0]])),
    ...(isAlone ? [section(5, list([[0x00, ...unsigned(pages)]]))] : []),
    section(7, list(isAlone ? [ownMemory, run] : [run])),
    section(10, join([Uint8Array.from(unsigned(functions.length)), ...functions])),
    ...(hasData ? [dataSection(program, bases)] : []),
  ]);
  return bytes as Uint8Array<ArrayBuffer>;
}

function dataSection({ storage }: Program, bases: Layout["bases"]): Uint8Array {
  const segments = storage.filter(({ data, within }) => data !== undefined && !within);
  return section(
    11,
    join([
      Uint8Array.from(unsigned(segments.length)),
      ...segments.map((placed) => dataSegment(placed, bases[placed.role])),
    ]),
  );
}

export interface CompileOptions {
  /** Products that are added are rounded once, where the engine can: see runtime.ts. */
  readonly fused?: boolean;
  /** Modules of programs that have been compiled with the same options; added to. */
  readonly modules?: WeakMap<Program, readonly WebAssembly.Module[]>;
}

/** A program compiled to WebAssembly and ready to run in this thread. */
export function compile(program: Program, { fused = false, modules }: CompileOptions = {}): Runner {
  const [module] = modules?.get(program) ?? [
    new WebAssembly.Module(encodeModule(program, { fused: fused && hasFusedMultiplyAdd() })),
  ];
  modules?.set(program, [module]);
  const instance = new WebAssembly.Instance(module);
  const { memory, run } = instance.exports;
  if (!(memory instanceof WebAssembly.Memory) || typeof run !== "function") {
    throw new Error("internal: the module must export memory and run");
  }
  return { view: viewer(program, memory), run: () => run() };
}

/** Views of a program's storage in a memory laid out by layoutOf. */
export function viewer(program: Program, memory: WebAssembly.Memory): Runner["view"] {
  const { bases } = layoutOf(program);
  const placed = new Map(program.storage.map((storage) => [storage.name, storage]));
  return (name) => {
    const storage = placed.get(name);
    if (storage === undefined) throw new RangeError(`compile: unknown storage ${name}`);
    const { type, shape, role, address, local } = storage;
    if (local !== undefined) throw new RangeError(`compile: ${name} is not kept after a run`);
    return viewOf(type, shape, memory.buffer, bases[role] + address);
  };
}

function signature(parameters: number): number[] {
  return [0x60, ...list(Array.from({ length: parameters }, () => [TYPE.i32])), 0];
}

function dataSegment({ data, address }: Placed, base: number): Uint8Array {
  const bytes = data
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array();
  const header = [0, OP.i32Const, ...signed(base + address), OP.end, ...unsigned(bytes.length)];
  return join([Uint8Array.from(header), bytes]);
}

interface Indexed {
  readonly kernel: Kernel;
  readonly isByItem: boolean;
  readonly index: number;
}

/** Kernels that are equal in everything but their name share one function. */
export function distinctKernels(program: Program): Map<string, Indexed> {
  const kernels = new Map<string, Indexed>();
  for (const call of program.calls) {
    const { kernel, each } = call;
    const indexed = { kernel, isByItem: each !== undefined, index: kernels.size };
    const key = callKey(call);
    if (!kernels.has(key)) kernels.set(key, indexed);
  }
  return kernels;
}

function callKey({ kernel, each }: Call): string {
  return each === undefined ? kernelKey(kernel) : `each ${kernelKey(kernel)}`;
}

export function kernelKey({ buffers, body }: Kernel): string {
  return JSON.stringify([buffers, body]);
}
