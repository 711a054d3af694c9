/**
 * What is measured: one net with its weights, and one batch in memory. All candidates get the same.
 */

import { type Graph, initialWeights, quantizationAware, type Weights } from "../model/index.ts";
import { compileInferenceThreads, compileTrainingThreads, parametersOf } from "../tensor/index.ts";
import { type Burst, type Candidate, type Racer, stepsFor } from "./race.ts";

export interface Workload {
  readonly graph: Graph;
  readonly weights: Weights;
  readonly batch: number;
  /** Real value of one step of the s8 inputs. */
  readonly inputScale: number;
  /** Our own products are added with one rounding. */
  readonly fused: boolean;
  /** [batch, ...shape] by name. */
  readonly inputs: Readonly<Record<string, Int8Array>>;
  readonly labels: Int32Array;
}

/** Adam as every candidate runs it; docs/tensor.md, equation 5. */
export const ADAM = { rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

/** Name of our own engine in the tables. */
export const OURS = "tinym2net";

/** Kinds of training step that this engine knows. */
export const VARIANTS = ["float", "8-bit aware", "8-bit aware, learned steps"] as const;

export type Variant = (typeof VARIANTS)[number];

/** Our training steps, or our inference. */
export function ownCandidates(
  workload: Workload,
  task: Candidate["task"],
  threadCounts: readonly number[],
): Candidate[] {
  const base = { engine: OURS, setting: "", task } as const;
  if (task === "infer") {
    return threadCounts.map((threads) => {
      const start = (): Promise<Racer> => inferer(workload, threads);
      return { ...base, variant: "float", threads, start };
    });
  }
  return VARIANTS.flatMap((variant) =>
    threadCounts.map((threads) => {
      const start = (): Promise<Racer> => trainer(workload, variant, threads);
      return { ...base, variant, threads, start };
    }),
  );
}

async function trainer(workload: Workload, variant: Variant, threads: number): Promise<Racer> {
  const { batch, inputScale, fused } = workload;
  const graph = graphOf(workload.graph, variant);
  // what rounding adds, the first steps of the activations, is drawn before, as all weights are
  const weights = { ...initialWeights(graph, 1), ...workload.weights };
  const started = performance.now();
  const runner = await compileTrainingThreads(graph, { batch, inputScale, fused }, threads);
  const compileMs = performance.now() - started;
  fill({ ...workload, graph, weights }, (name) => runner.view(name));
  runner.view("$labels").set(workload.labels);
  runner.view("$weight").fill(1 / batch);
  let count = 0;
  const step = (): void => {
    count++;
    const { rate, beta1, beta2 } = ADAM;
    runner.view("$hyper").set([rate, 1 - beta1 ** count, 1 - beta2 ** count, 0]);
    runner.view("$counter").set([1, count]);
    runner.run();
  };
  step();
  return {
    version: `${OURS}, Node ${process.version}`,
    firstStepMs: performance.now() - started,
    compileMs,
    burst: async (seconds): Promise<Burst> => {
      const burst = stepsFor(seconds, step);
      return { ...burst, loss: runner.view("$loss")[0] };
    },
    stop: () => runner.stop(),
  };
}

function graphOf(graph: Graph, variant: Variant): Graph {
  if (variant === "float") return graph;
  return quantizationAware(graph, { learned: variant !== "8-bit aware" });
}

async function inferer(workload: Workload, threads: number): Promise<Racer> {
  const { graph, batch, inputScale, fused } = workload;
  const started = performance.now();
  const runner = await compileInferenceThreads(graph, { batch, inputScale, fused }, threads);
  fill(workload, (name) => runner.view(name));
  runner.run();
  return {
    version: `${OURS}, Node ${process.version}`,
    firstStepMs: performance.now() - started,
    logits: Float32Array.from(runner.view("$logits")),
    burst: async (seconds) => stepsFor(seconds, () => runner.run()),
    stop: () => runner.stop(),
  };
}

type Settable = { set(values: ArrayLike<number>): void };

function fill({ graph, weights, inputs }: Workload, view: (name: string) => Settable): void {
  for (const { name } of parametersOf(graph)) view(name).set(weights[name]);
  for (const { name } of graph.inputs) view(name).set(inputs[name]);
}
