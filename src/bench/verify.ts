/**
 * Whether targets give the integers of the reference interpreter, and if not, where they first
 * part.
 *
 * Scores are compared for every sample. On a mismatch the program is planned again without reuse,
 * so that every intermediate value survives, run on both sides, and compared call by call.
 */

import { setImmediate } from "node:timers/promises";
import { type Product, rootStorage, storageOf } from "../deploy/index.ts";
import { type Call, interpreter, plan, type TypedArray, writtenBy } from "../kernel/index.ts";
import { type Inputs, referenceTrace, runSample, type Target, type TargetName } from "./targets.ts";

export interface Difference {
  /** Index of the sample. */
  readonly sample: number;
  /**
   * Label of the call whose result differs; MEMORY_PLAN if only what the arena held before makes
   * the difference.
   */
  readonly layer: string;
  readonly storage: string;
  readonly element: number;
  readonly expected: number;
  readonly got: number;
}

export interface Verification {
  readonly target: TargetName;
  /** null if the target could not run here. */
  readonly equal: boolean | null;
  /** Samples compared. */
  readonly samples: number;
  readonly firstDifference: Difference | null;
  /** Why it could not run. */
  readonly skipped?: string;
}

export interface VerifyProgress {
  readonly stage: "reference" | TargetName;
  readonly done: number;
  readonly total: number;
}

export const MEMORY_PLAN = "memory plan";

/** Compare targets with the interpreter on samples; one result a target, in their order. */
export async function verify(
  product: Product,
  samples: readonly Inputs[],
  targets: readonly Target[],
  { onProgress }: { onProgress?: (progress: VerifyProgress) => void } = {},
): Promise<Verification[]> {
  const total = samples.length;
  const runner = interpreter(product.program);
  const expected: Int8Array[] = [];
  for (const sample of samples) {
    expected.push(runSample(product, runner, sample));
    onProgress?.({ stage: "reference", done: expected.length, total });
    await setImmediate(); // an inference takes about a second: let signals and other work through
  }
  const results: Verification[] = [];
  for (const target of targets) {
    onProgress?.({ stage: target.name, done: 0, total });
    results.push(await verifyTarget(product, samples, expected, target));
    onProgress?.({ stage: target.name, done: total, total });
  }
  return results;
}

async function verifyTarget(
  product: Product,
  samples: readonly Inputs[],
  expected: readonly Int8Array[],
  target: Target,
): Promise<Verification> {
  const { available, reason } = await target.available();
  if (!available) {
    return { target: target.name, equal: null, samples: 0, firstDifference: null, skipped: reason };
  }
  const scores = await target.run(product, samples);
  const sample = expected.findIndex((want, i) => firstUnequal(want, scores[i]) !== undefined);
  const result = { target: target.name, samples: samples.length };
  if (sample < 0) return { ...result, equal: true, firstDifference: null };
  const found = await locate(product, samples[sample], target);
  const firstDifference = found ?? planDifference(product, expected[sample], scores[sample]);
  return { ...result, equal: false, firstDifference: { sample, ...firstDifference } };
}

type Place = Omit<Difference, "sample">;

/** The first call whose results differ; undefined if none does once nothing shares memory. */
async function locate(
  product: Product,
  sample: Inputs,
  target: Target,
): Promise<Place | undefined> {
  const apart = withCalls(product, product.program.calls);
  const expected = referenceTrace(apart, sample);
  const got = await target.trace(apart, sample);
  for (const [i, call] of apart.program.calls.entries()) {
    for (const name of writtenArguments(call)) {
      if (firstUnequal(expected.get(name), got.get(name)) === undefined) continue;
      const place = isWrittenAgain(apart, i, name)
        ? await compareAfter(apart, sample, target, i, name)
        : difference(call, name, expected.get(name), got.get(name));
      if (place !== undefined) return place;
    }
  }
  return undefined;
}

/** A later call may have changed the storage: stop after this one and look. */
async function compareAfter(
  product: Product,
  sample: Inputs,
  target: Target,
  i: number,
  name: string,
): Promise<Place | undefined> {
  const { calls } = product.program;
  const begun = withCalls(product, calls.slice(0, i + 1));
  const expected = referenceTrace(begun, sample);
  const got = await target.trace(begun, sample);
  return difference(calls[i], name, expected.get(name), got.get(name));
}

/** A product that makes only the given calls, and keeps every storage apart. */
function withCalls(product: Product, calls: readonly Call[]): Product {
  const { storage } = product.program;
  return { ...product, program: plan({ storage, calls }, { reuse: false }) };
}

function writtenArguments({ kernel, arguments: names }: Call): string[] {
  const written = writtenBy(kernel);
  return kernel.buffers.flatMap(({ name }, i) => (written.has(name) ? [names[i]] : []));
}

function isWrittenAgain(product: Product, i: number, name: string): boolean {
  const rootOf = (storage: string): string =>
    rootStorage(product, storageOf(product, storage)).name;
  const later = product.program.calls.slice(i + 1).flatMap(writtenArguments);
  return later.some((other) => rootOf(other) === rootOf(name));
}

function difference(
  { label }: Call,
  storage: string,
  expected: TypedArray | undefined,
  got: TypedArray | undefined,
): Place | undefined {
  const element = firstUnequal(expected, got);
  if (element === undefined) return undefined;
  return {
    layer: label,
    storage,
    element,
    expected: expected?.[element] ?? Number.NaN,
    got: got?.[element] ?? Number.NaN,
  };
}

function planDifference({ scores }: Product, expected: Int8Array, got: Int8Array): Place {
  const element = firstUnequal(expected, got) ?? 0;
  return {
    layer: MEMORY_PLAN,
    storage: scores,
    element,
    expected: expected[element],
    got: got[element],
  };
}

/** Index of the first element that differs or is missing; undefined if all are equal. */
function firstUnequal(a: TypedArray | undefined, b: TypedArray | undefined): number | undefined {
  const length = Math.max(a?.length ?? 0, b?.length ?? 0);
  for (let i = 0; i < length; i++) if (a?.[i] !== b?.[i]) return i;
  return undefined;
}
