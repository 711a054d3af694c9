/** Where a product can run: compiled C on this machine, WebAssembly in this process. */

import { arenaBytes, checkInputs, type Product, storageOf, usedStorage } from "../deploy/index.ts";
import { MissingToolError, UserError, unknown } from "../errors.ts";
import {
  compile as compileWasm,
  interpreter,
  type Runner,
  type TypedArray,
  viewOf,
} from "../kernel/index.ts";
import type { Environment } from "./tool.ts";
import { type Compiler, compilerReason, findCompiler, withDriver } from "./toolchain.ts";

export type TargetName = "portable" | "wasm";

export const targetNames: readonly TargetName[] = ["portable", "wasm"];

/** Planned; named so that asking for one is told apart from a misspelling. */
const LATER: readonly string[] = [
  "cortex-m4",
  "cortex-m7",
  "cortex-m33",
  "cortex-m55",
  "cortex-a72",
];

export type Inputs = Readonly<Record<string, TypedArray>>;

/** Contents of storages after a run, by name. */
export type Trace = ReadonlyMap<string, TypedArray>;

export interface Target {
  readonly name: TargetName;
  available(): Promise<{ readonly available: boolean; readonly reason: string }>;
  /** Scores of each sample. */
  run(product: Product, samples: readonly Inputs[]): Promise<Int8Array[]>;
  /**
   * Everything one run writes. Plan the program without reuse, or later values hide earlier ones.
   */
  trace(product: Product, sample: Inputs): Promise<Trace>;
}

/**
 * The target of a name.
 *
 * environment  where the C compiler is looked for (CC, PATH)
 * throws       UserError for an unknown name and for one of a later version
 */
export function target(
  name: string,
  { environment = process.env }: { environment?: Environment } = {},
): Target {
  if (LATER.includes(name)) throw new UserError(`target ${name}: not available in this version`);
  if (name === "portable") return portable(environment);
  if (name === "wasm") return wasm;
  throw unknown("target", name, targetNames);
}

/**
 * For a target that was asked for by name.
 *
 * throws   MissingToolError if it cannot run here
 */
export async function requireAvailable(wanted: Target): Promise<void> {
  const { available, reason } = await wanted.available();
  if (!available) throw new MissingToolError(`target ${wanted.name}: ${reason}`);
}

/** What a program's calls write or hold between them: its scratch and output storage in use. */
export function traceOf(product: Product, { view }: Runner): Trace {
  const kept = usedStorage(product).filter(({ role }) => role === "scratch" || role === "output");
  return new Map(kept.map(({ name }) => [name, view(name).slice()]));
}

/** Copy a sample into a runner, run it, and give back a copy of the scores. */
export function runSample(product: Product, runner: Runner, sample: Inputs): Int8Array {
  checkInputs(product, sample);
  for (const { name } of product.inputs) runner.view(name).set(sample[name]);
  runner.run();
  return Int8Array.from(runner.view(product.scores));
}

/** The definition: everything the interpreter writes in one run. */
export function referenceTrace(product: Product, sample: Inputs): Trace {
  const runner = interpreter(product.program);
  runSample(product, runner, sample);
  return traceOf(product, runner);
}

const wasm: Target = {
  name: "wasm",
  available: async () => ({ available: true, reason: `WebAssembly of Node ${process.version}` }),
  run: async (product, samples) => {
    const runner = compileWasm(product.program);
    return samples.map((sample) => runSample(product, runner, sample));
  },
  trace: async (product, sample) => {
    const runner = compileWasm(product.program);
    runSample(product, runner, sample);
    return traceOf(product, runner);
  },
};

function portable(environment: Environment): Target {
  const compiler = findCompiler(environment);
  const required = (): Compiler => {
    if (compiler !== undefined) return compiler;
    throw new MissingToolError(`target portable: ${compilerReason(environment)}`);
  };
  return {
    name: "portable",
    available: async () => ({
      available: compiler !== undefined,
      reason: compiler?.command ?? compilerReason(environment),
    }),
    run: async (product, samples) => {
      const input = concatenated(samples.map((sample) => bytesOfSample(product, sample)));
      return withDriver(product, required(), async ({ run }) => {
        const scores = new Int8Array((await run(["scores"], input)).buffer);
        const count = product.classes.length;
        return samples.map((_, i) => scores.slice(i * count, (i + 1) * count));
      });
    },
    trace: async (product, sample) =>
      withDriver(product, required(), async ({ run }) =>
        dumped(product, await run(["trace"], bytesOfSample(product, sample))),
      ),
  };
}

/** The bytes of one sample as the driver reads them. */
export function bytesOfSample(product: Product, sample: Inputs): Uint8Array {
  checkInputs(product, sample);
  return concatenated(
    product.inputs.map(({ name }) => {
      const { buffer, byteOffset, byteLength } = sample[name];
      return new Uint8Array(buffer, byteOffset, byteLength);
    }),
  );
}

/** Views of what the driver's trace wrote: the scores, then the arena. */
function dumped(product: Product, bytes: Uint8Array<ArrayBuffer>): Trace {
  const scoreBytes = product.classes.length;
  const expected = scoreBytes + arenaBytes(product);
  if (bytes.length !== expected) {
    throw new Error(`the compiled C: a trace must be ${expected} bytes, got ${bytes.length}`);
  }
  const regions = { output: bytes.slice(0, scoreBytes), scratch: bytes.slice(scoreBytes) };
  const trace = new Map<string, TypedArray>();
  for (const { name, role, type, shape, address } of usedStorage(product)) {
    if (role !== "output" && role !== "scratch") continue;
    trace.set(name, viewOf(type, shape, regions[role].buffer, address));
  }
  const { type, shape, address } = storageOf(product, product.scores);
  return trace.set(product.scores, viewOf(type, shape, regions.output.buffer, address));
}

function concatenated(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
