/**
 * bench training: samples a second of a training step and of batch inference, ours and of the peers
 * that are installed, in turn in the same run (docs/bench.md has the rules).
 */

import { existsSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import {
  type Candidate,
  type Dropout,
  type Entrant,
  installOf,
  median,
  OURS,
  ownCandidates,
  type PeerName,
  peerCandidates,
  peerNames,
  type Racer,
  race,
  ratioOf,
  type Task,
  type Workload,
} from "../../../src/bench/index.ts";
import { UserError, unknown } from "../../../src/errors.ts";
import { FEATURE_SCALE } from "../../../src/features/index.ts";
import { hasFusedMultiplyAdd } from "../../../src/kernel/index.ts";
import { costOf, type Graph, initialWeights } from "../../../src/model/index.ts";
import { benchGraph, randomExamples } from "../bench-nets.ts";
import { type Context, pause } from "../context.ts";
import { writeWhole } from "../run-folder.ts";
import { nameOf, renderTraining, type TrainingRow } from "../training-table.ts";

export interface BenchTrainingOptions {
  readonly preset?: string;
  readonly seed?: number;
  /** Fewer and shorter rounds: to see that it works, not to compare. */
  readonly quick?: boolean;
  /** Names of peers; none for [] or ["none"]. */
  readonly peers?: readonly string[];
  /** Also write the JSON there. */
  readonly out?: string;
}

export interface BenchTrainingResult {
  readonly preset: string;
  readonly batch: number;
  readonly macs: number;
  readonly parameters: number;
  readonly rounds: number;
  readonly burstSeconds: number;
  /** On one thread. */
  readonly compileMs: number;
  /** On one thread, compiling included. */
  readonly firstStepMs: number;
  /** Ours in training, float, by number of threads. */
  readonly samplesPerSecond: Readonly<Record<string, number>>;
  readonly spread: Readonly<Record<string, { readonly slowest: number; readonly fastest: number }>>;
  /** Training by peer that is installed: its best setting and number of threads. */
  readonly peers: Readonly<Record<string, number>>;
  readonly rows: readonly TrainingRow[];
  readonly missing: Readonly<Record<string, string>>;
  readonly failed: readonly { readonly what: string; readonly reason: string }[];
  readonly machine: string;
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  readonly versions: readonly string[];
}

const BATCH = 64;
const TASKS: readonly Task[] = ["train", "infer"];
/** As many threads as our engine takes by default at most. */
const MOST_THREADS = 8;
/** Scores of a peer differ by rounding; another net differs by about their size. */
const SAME_NET = 1e-2;

const FULL = { rounds: 7, burstSeconds: 0.6, settleMs: 200 };
const QUICK = { rounds: 2, burstSeconds: 0.1, settleMs: 50 };

type Measured = Entrant & { readonly peer?: PeerName };

/** Measure, print the tables, and return them. */
export async function benchTraining(
  context: Context,
  options: BenchTrainingOptions,
): Promise<BenchTrainingResult> {
  const { preset = "tinym2net", seed = 1, quick = false, out } = options;
  if (out !== undefined && existsSync(out)) {
    throw new UserError(`bench training: --out ${out} is there; give another name`);
  }
  const names = peersOf(options.peers);
  const workload = workloadOf(benchGraph(preset), seed);
  const settings = quick ? QUICK : FULL;
  const entrants: Entrant[] = [];
  const dropouts: Dropout[] = [];
  for (const task of TASKS) {
    const measured = await measure(context, workload, { task, names, ...settings });
    entrants.push(...measured.entrants);
    dropouts.push(...measured.dropouts);
  }
  const result = resultOf(workload, { preset, ...settings }, { entrants, dropouts });
  print(context, result);
  if (out !== undefined) {
    await writeWhole(out, `${JSON.stringify({ schemaVersion: 1, ...result }, null, 2)}\n`);
    context.print(`Written: ${out}`);
  }
  return result;
}

function peersOf(given: readonly string[] = peerNames): PeerName[] {
  return given
    .filter((name) => name !== "none")
    .map((name) => {
      const known = peerNames.find((peer) => peer === name);
      if (known === undefined) throw unknown("peer", name, [...peerNames, "none"]);
      return known;
    });
}

function workloadOf(graph: Graph, seed: number): Workload {
  const { inputs, labels } = randomExamples(graph, BATCH, seed);
  const maps = Object.entries(inputs).map(([name, values]) => [name, Int8Array.from(values)]);
  return {
    graph,
    weights: initialWeights(graph, seed),
    batch: BATCH,
    inputScale: FEATURE_SCALE,
    fused: hasFusedMultiplyAdd(),
    inputs: Object.fromEntries(maps),
    labels,
  };
}

async function measure(
  context: Context,
  workload: Workload,
  options: { task: Task; names: readonly PeerName[] } & typeof FULL,
) {
  const { task, names, ...settings } = options;
  const { environment, reporter } = context;
  const threadCounts = [...new Set([1, Math.min(MOST_THREADS, availableParallelism())])];
  const ours = ownCandidates(workload, task, threadCounts);
  const peers = names.flatMap((name) =>
    peerCandidates(name, workload, { task, threadCounts, environment }),
  );
  reporter.stage(task === "train" ? "training" : "inference");
  let expected: Float32Array | undefined;
  const objection = ({ logits }: Racer, { engine }: Candidate): string | undefined => {
    if (engine === OURS) expected = logits;
    return logits === undefined || expected === undefined
      ? undefined
      : objectionTo(logits, expected);
  };
  const onTurn = async (done: number, total: number, who: Candidate): Promise<void> => {
    reporter.update(done, total, nameOf(who));
    await pause(context);
  };
  const measured = await race([...ours, ...peers], {
    batch: BATCH,
    ...settings,
    objection,
    onTurn,
  });
  reporter.done();
  const lost = measured.dropouts.find(({ candidate }) => candidate.engine === OURS);
  if (lost !== undefined) throw new Error(`bench training: ours failed: ${lost.reason}`);
  return measured;
}

/** Why scores are not those of our net. */
function objectionTo(logits: Float32Array, expected: Float32Array): string | undefined {
  const differences = expected.map((value, i) => Math.abs(value - (logits[i] ?? Number.NaN)));
  const worst = differences.reduce((a, b) => Math.max(a, b), 0);
  const largest = expected.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  return worst <= SAME_NET * largest
    ? undefined
    : `computes another net: scores differ by ${worst.toPrecision(2)}`;
}

function resultOf(
  { graph }: Workload,
  run: { preset: string; rounds: number; burstSeconds: number },
  { entrants, dropouts }: { entrants: readonly Measured[]; dropouts: readonly Dropout[] },
): BenchTrainingResult {
  const { macs, parameters } = costOf(graph);
  const { preset, rounds, burstSeconds } = run;
  const rows = entrants.map((entrant) => rowOf(entrant, entrants));
  const own = rows.filter(
    ({ task, engine, variant }) => task === "train" && engine === OURS && variant === "float",
  );
  const byThreads = <T>(of: (row: TrainingRow) => T): Record<string, T> =>
    Object.fromEntries(own.map((row) => [row.threads, of(row)]));
  const [{ compileMs = 0, firstStepMs }] = entrants;
  const [{ model: cpu = "unknown" } = {}] = cpus();
  const cores = availableParallelism();
  const { version: node, platform, arch } = process;
  return {
    ...{ preset, batch: BATCH, macs, parameters, rounds, burstSeconds, compileMs, firstStepMs },
    samplesPerSecond: byThreads(({ samplesPerSecond }) => samplesPerSecond),
    spread: byThreads(({ slowest, fastest }) => ({ slowest, fastest })),
    peers: bestOfPeers(entrants),
    rows,
    missing: Object.fromEntries(
      dropouts
        .filter(({ isMissing }) => isMissing)
        .map(({ candidate }) => candidate)
        .filter(isOfPeer)
        .map(({ peer }) => [peer, installOf(peer)]),
    ),
    failed: dropouts
      .filter(({ isMissing }) => !isMissing)
      .map(({ candidate, reason }) => ({
        what: `${nameOf(candidate)}, ${candidate.task}`,
        reason,
      })),
    machine: `${cpu.trim()}, ${cores} cores, Node ${node}, ${platform} ${arch}`,
    ...{ cpu: cpu.trim(), cores, node },
    versions: [...new Set(entrants.map(({ version }) => version))],
  };
}

function rowOf(entrant: Entrant, all: readonly Entrant[]): TrainingRow {
  const { candidate, rates, firstStepMs } = entrant;
  const { task, engine, setting, variant, threads } = candidate;
  const ours = all.find(({ candidate: other }) => {
    const isAlike = other.task === task && other.variant === variant && other.threads === threads;
    return other.engine === OURS && isAlike;
  });
  return {
    ...{ task, engine, setting, variant, threads },
    samplesPerSecond: median(rates),
    slowest: Math.min(...rates),
    fastest: Math.max(...rates),
    ratio: ours === undefined ? null : ratioOf(ours, entrant),
    firstStepMs,
  };
}

function bestOfPeers(entrants: readonly Entrant[]): Record<string, number> {
  const best: Record<string, number> = {};
  for (const { candidate, rates } of entrants) {
    if (!isOfPeer(candidate) || candidate.task !== "train") continue;
    best[candidate.peer] = Math.max(best[candidate.peer] ?? 0, median(rates));
  }
  return best;
}

function isOfPeer(candidate: Candidate): candidate is Candidate & { readonly peer: PeerName } {
  return "peer" in candidate;
}

function print(context: Context, result: BenchTrainingResult): void {
  const { preset, rounds, burstSeconds, machine, versions, rows, missing, failed } = result;
  context.print(`${preset}, batch ${BATCH}, measured on ${machine}`);
  context.print(`${rounds} rounds of ${burstSeconds} s each in turn; ${versions.join("; ")}\n`);
  context.print(renderTraining(rows));
  for (const [peer, install] of Object.entries(missing)) {
    context.print(`${peer}: not installed: ${install}`);
  }
  for (const { what, reason } of failed) context.print(`${what}: left out: ${reason}`);
}
