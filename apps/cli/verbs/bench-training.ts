/** bench training: samples a second of a training step. */

import { availableParallelism } from "node:os";
import { FEATURE_SCALE } from "../../../src/features/index.ts";
import { costOf, type Graph, initialWeights } from "../../../src/model/index.ts";
import { compileTrainingThreads } from "../../../src/tensor/index.ts";
import { benchGraph, randomExamples } from "../bench-nets.ts";
import { type Context, pause } from "../context.ts";
import { formatCount } from "../terminal/format.ts";
import { renderTable } from "../terminal/table.ts";

export interface BenchTrainingResult {
  readonly preset: string;
  readonly batch: number;
  readonly macs: number;
  readonly parameters: number;
  readonly compileMs: number;
  readonly firstStepMs: number;
  /** By number of threads. */
  readonly samplesPerSecond: Readonly<Record<string, number>>;
  readonly spread: Readonly<Record<string, { readonly slowest: number; readonly fastest: number }>>;
  /** By peer that is installed; none is looked for in this version. */
  readonly peers: Readonly<Record<string, number>>;
  readonly machine: string;
}

const BATCH = 64;
const STEPS = 12;

/**
 * Forward, backward and Adam on a fixed batch in memory, on one thread and on all; the median of
 * twelve steps after three.
 */
export async function benchTraining(
  context: Context,
  { preset = "tinym2net", seed = 1 }: { preset?: string; seed?: number },
): Promise<BenchTrainingResult> {
  const graph = benchGraph(preset);
  const { macs, parameters } = costOf(graph);
  const counts = [...new Set([1, Math.min(8, availableParallelism())])];
  const timings: Timing[] = [];
  for (const threads of counts) timings.push(await timed(context, graph, { threads, seed }));
  const machine = `Node ${process.version}, ${process.platform} ${process.arch}`;
  const rows = timings.map(({ threads, median, slowest, fastest }) => [
    `${threads}`,
    formatCount(median),
    formatCount(slowest),
    formatCount(fastest),
  ]);
  const [{ compileMs, firstStepMs }] = timings;
  context.print(`${preset}, batch ${BATCH}, float, measured on ${machine}\n`);
  context.print(`${renderTable(["threads", "samples/s (median)", "slowest", "fastest"], rows)}\n`);
  context.print(`compiled in ${compileMs.toFixed(0)} ms, first step ${firstStepMs.toFixed(0)} ms`);
  const by = (of: (timing: Timing) => object | number) =>
    Object.fromEntries(timings.map((timing) => [timing.threads, of(timing)]));
  return {
    preset,
    batch: BATCH,
    macs,
    parameters,
    compileMs,
    firstStepMs,
    samplesPerSecond: by(({ median }) => median) as Record<string, number>,
    spread: by(({ slowest, fastest }) => ({ slowest, fastest })) as BenchTrainingResult["spread"],
    peers: {},
    machine,
  };
}

interface Timing {
  readonly threads: number;
  readonly compileMs: number;
  readonly firstStepMs: number;
  /** Samples a second. */
  readonly median: number;
  readonly slowest: number;
  readonly fastest: number;
}

async function timed(
  context: Context,
  graph: Graph,
  { threads, seed }: { threads: number; seed: number },
): Promise<Timing> {
  const { now, reporter } = context;
  reporter.stage(`${threads} thread${threads === 1 ? "" : "s"}`);
  const started = now();
  const options = { batch: BATCH, inputScale: FEATURE_SCALE };
  const runner = await compileTrainingThreads(graph, options, threads);
  const compileMs = now() - started;
  const examples = randomExamples(graph, BATCH, seed);
  for (const [name, values] of Object.entries(initialWeights(graph, seed))) {
    runner.view(name).set(values);
  }
  for (const { name } of graph.inputs) runner.view(name).set(examples.inputs[name]);
  runner.view("$labels").set(examples.labels);
  runner.view("$weight").fill(1 / BATCH);
  const times: number[] = [];
  for (let step = 1; step <= STEPS + 3; step++) {
    runner.view("$hyper").set([1e-3, 1 - 0.9 ** step, 1 - 0.999 ** step, 0]);
    const before = now();
    runner.run();
    times.push(now() - before);
    reporter.update(step, STEPS + 3);
    await pause(context);
  }
  await runner.stop();
  reporter.done();
  const sorted = times.slice(3).sort((a, b) => a - b);
  const rate = (ms: number): number => (1000 * BATCH) / ms;
  return {
    threads,
    compileMs,
    firstStepMs: times[0],
    median: rate((sorted[STEPS / 2 - 1] + sorted[STEPS / 2]) / 2),
    slowest: rate(sorted[STEPS - 1]),
    fastest: rate(sorted[0]),
  };
}
