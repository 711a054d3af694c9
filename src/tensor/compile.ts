/**
 * A net compiled to one shape-specialised WebAssembly module: a training step, or inference on a
 * batch; on one thread or on several.
 */

import {
  compile,
  compileThreads,
  type Program,
  plan,
  type Runner,
  type ThreadedRunner,
} from "../kernel/index.ts";
import type { Net } from "./net.ts";
import {
  type InferenceOptions,
  inferenceRoutine,
  type TrainingOptions,
  trainingRoutine,
} from "./routine.ts";

/** Where equal nets with equal options are compiled once. */
interface Cached {
  readonly cache?: CompileCache;
}

/** What has been compiled: equal nets with equal options are compiled once. */
export interface CompileCache {
  readonly programs: Map<string, Program>;
  readonly modules: WeakMap<Program, WebAssembly.Module>;
}

/** An empty cache, to pass to several compilations. */
export function compileCache(): CompileCache {
  return { programs: new Map(), modules: new WeakMap() };
}

/** The program of a net, from the cache if it is there. */
function programOf(
  { inputs, layers }: Net,
  { cache, ...options }: Readonly<Record<string, unknown>> & { cache?: CompileCache },
  make: () => Program,
): Program {
  if (cache === undefined) return make();
  const key = JSON.stringify([inputs, layers, options]);
  const program = cache.programs.get(key) ?? make();
  cache.programs.set(key, program);
  return program;
}

/**
 * One training step: forward, backward, optimizer.
 *
 * Views: each input (s8 [batch, ...]), `$labels` (s32 [batch]), `$labels2` and `$share2` (s32 and
 * f32 [batch]; zeros, as at first, for one label a sample), `$weight` (f32 [batch], adds up to 1),
 * `$counter` (s32: seed, step), `$hyper` (see optimizer.ts), `$loss` (f32 [1]), `$logits`, every
 * parameter by name, and the states `$parameters`, `$running` and those of the optimizer as a whole,
 * which are all there is to save and restore.
 */
export function compileTraining(net: Net, options: TrainingOptions & Cached): Runner {
  const program = programOf(net, { ...options }, () => plan(trainingRoutine(net, options)));
  return compile(program, compileOptions(options));
}

/**
 * The same on several threads; equal to it in every bit, whatever their number.
 *
 * throws   an Error if a thread cannot be started
 */
export function compileTrainingThreads(
  net: Net,
  options: TrainingOptions & Cached,
  threads: number,
): Promise<ThreadedRunner> {
  const make = (): Program => plan(trainingRoutine(net, options), { parts: threads });
  const program = programOf(net, { ...options, threads }, make);
  return compileThreads(program, threads, compileOptions(options));
}

function compileOptions({ fused = false, cache }: Pick<TrainingOptions, "fused"> & Cached) {
  return cache === undefined ? { fused } : { fused, modules: cache.modules };
}

/** Inference on a batch: inputs as above, `$logits`, parameters by name. */
export function compileInference(net: Net, options: InferenceOptions & Cached): Runner {
  const { keep = false } = options;
  const make = (): Program => plan(inferenceRoutine(net, options), { reuse: !keep });
  return compile(programOf(net, { ...options, inference: true }, make), compileOptions(options));
}

/** The same on several threads; equal to it in every bit, whatever their number. */
export function compileInferenceThreads(
  net: Net,
  options: Omit<InferenceOptions, "keep"> & Cached,
  threads: number,
): Promise<ThreadedRunner> {
  const make = (): Program => plan(inferenceRoutine(net, options), { parts: threads });
  const program = programOf(net, { ...options, inference: true, threads }, make);
  return compileThreads(program, threads, compileOptions(options));
}
