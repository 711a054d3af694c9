/**
 * Programs as WebAssembly modules.
 *
 * One function for each different kernel, whose parameters are the addresses of its buffers, and
 * `run`, which calls them in order. All regions lie in one memory: constants and state first, with
 * their data in data segments.
 *
 * For several threads there is still one module, so that the engine compiles a kernel once for all
 * of them: a kernel whose loops are shared has a function a thread, and each thread a `run` of its
 * own.
 */

import { distinctKernels } from "../distinct-kernels.ts";
import type { Runner } from "../interpret.ts";
import type { Placed, Program } from "../plan.ts";
import { type Role, type TypedArray, viewOf } from "../routine.ts";
import { hasFusedMultiplyAdd } from "../runtime.ts";
import { barrierBody } from "./barrier.ts";
import { join, list, OP, section, signed, TYPE, text, unsigned } from "./bytes.ts";
import { encodeKernel } from "./encode.ts";
import { isShared } from "./parts.ts";
import { encodeRuns } from "./run.ts";

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
  /** Threads that will run it. */
  readonly parts?: number;
  /** Milliseconds after which a thread that has not come to a barrier is given up; a minute. */
  readonly patienceMs?: number;
  readonly fused?: boolean;
}

/**
 * A module that exports `run`.
 *
 * fused    products that are added are rounded once where the machine can: other bits than the
 *          interpreter's, see runtime.ts
 * parts    with one part the module has and exports its memory, with the data in it; with several it
 *          imports a shared one as env.memory, without data (see writeData), and exports run0, run1,
 *          ...: each does its share of every call, all meeting where one needs what another wrote
 */
export function encodeModule(
  program: Program,
  { parts = 1, patienceMs, fused = false }: EncodeOptions = {},
): Uint8Array<ArrayBuffer> {
  const { bases, pages } = layoutOf(program);
  const isAlone = parts === 1;
  const { kernels, indexOf } = distinctKernels(program);
  const functions = kernels.map(({ kernel, isByItem }) => {
    // where threads share the items, nobody shares the loops
    const shares = isByItem || !isShared(kernel) ? 1 : parts;
    return Array.from({ length: shares }, (_, part) =>
      encodeKernel(kernel, { part: { part, parts: shares }, fused }),
    );
  });
  const firsts = startsOf(functions);
  const kernelFunctions = functions.flat();
  const runs = encodeRuns(program, {
    functionOf: (call, part) => {
      const index = indexOf.get(call) ?? 0;
      return firsts[index] + (functions[index].length > 1 ? part : 0);
    },
    barrier: kernelFunctions.length,
    bases,
    parts,
  });
  const barrier = isAlone
    ? []
    : [barrierBody({ parts, ...(patienceMs === undefined ? {} : { patienceMs }) })];
  const bodies = [...kernelFunctions, ...barrier, ...runs].map((body) =>
    join([new Uint8Array(unsigned(body.length)), new Uint8Array(body)]),
  );
  const types = [...new Set(kernels.map(({ kernel }) => kernel.buffers.length))];
  const kernelTypes = kernels.flatMap(({ kernel }, i) =>
    functions[i].map(() => [types.indexOf(kernel.buffers.length) + 1]),
  );
  const firstRun = bodies.length - runs.length;
  const bytes = join([
    Uint8Array.from([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]),
    section(1, list([[0x60, 0, 0], ...types.map(signature)])),
    ...(isAlone ? [] : [section(2, list([sharedMemory(pages)]))]),
    section(3, list([...kernelTypes, ...barrier.map(() => [0]), ...runs.map(() => [0])])),
    ...(isAlone ? [section(5, list([[0x00, ...unsigned(pages)]]))] : []),
    section(7, list(exportsOf(runs.length, firstRun))),
    section(10, join([Uint8Array.from(unsigned(bodies.length)), ...bodies])),
    ...(isAlone ? [dataSection(program, bases)] : []),
  ]);
  return bytes as Uint8Array<ArrayBuffer>;
}

/** Index of the first function of each kernel. */
function startsOf(functions: readonly (readonly unknown[])[]): number[] {
  let next = 0;
  return functions.map(({ length }) => {
    const first = next;
    next += length;
    return first;
  });
}

function sharedMemory(pages: number): number[] {
  const limits = [0x03, ...unsigned(pages), ...unsigned(pages)];
  return [...text("env"), ...text("memory"), 2, ...limits];
}

function exportsOf(runs: number, firstRun: number): number[][] {
  if (runs === 1) {
    return [
      [...text("memory"), 2, 0],
      [...text("run"), 0, ...unsigned(firstRun)],
    ];
  }
  return Array.from({ length: runs }, (_, part) => [
    ...text(`run${part}`),
    0,
    ...unsigned(firstRun + part),
  ]);
}

function dataSection({ storage }: Program, bases: Layout["bases"]): Uint8Array {
  const segments = storage.filter(hasOwnData);
  return section(
    11,
    join([
      Uint8Array.from(unsigned(segments.length)),
      ...segments.map((placed) => dataSegment(placed, bases[placed.role])),
    ]),
  );
}

type WithData = Placed & { readonly data: TypedArray };

function hasOwnData(storage: Placed): storage is WithData {
  return storage.data !== undefined && storage.within === undefined;
}

/** Write a program's data where a module that imports its memory expects them. */
export function writeData(program: Program, memory: WebAssembly.Memory): void {
  const { bases } = layoutOf(program);
  for (const { data, role, address } of program.storage.filter(hasOwnData)) {
    new Uint8Array(memory.buffer, bases[role] + address, data.byteLength).set(bytesIn(data));
  }
}

function bytesIn({ buffer, byteOffset, byteLength }: TypedArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

export interface CompileOptions {
  /** Products that are added are rounded once, where the engine can: see runtime.ts. */
  readonly fused?: boolean;
  /** Modules of programs that have been compiled with the same options; added to. */
  readonly modules?: WeakMap<Program, WebAssembly.Module>;
}

/** A program compiled to WebAssembly and ready to run in this thread. */
export function compile(program: Program, { fused = false, modules }: CompileOptions = {}): Runner {
  const module =
    modules?.get(program) ??
    new WebAssembly.Module(encodeModule(program, { fused: fused && hasFusedMultiplyAdd() }));
  modules?.set(program, module);
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

function dataSegment({ data, address }: WithData, base: number): Uint8Array {
  const bytes = bytesIn(data);
  const header = [0, OP.i32Const, ...signed(base + address), OP.end, ...unsigned(bytes.length)];
  return join([Uint8Array.from(header), bytes]);
}
