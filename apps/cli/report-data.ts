/** A report's data, put together from the files of a run and of the runs it is compared with. */

import { join } from "node:path";
import type { Verification } from "../../src/bench/index.ts";
import { isWeighted, type QuantizedGraph, weightBytes } from "../../src/compress/index.ts";
import type { FlashPart } from "../../src/deploy/index.ts";
import { UserError } from "../../src/errors.ts";
import { bytesOf, type ElementType } from "../../src/kernel/index.ts";
import { costOf, type Graph } from "../../src/model/index.ts";
import { pairedGain } from "../../src/train/index.ts";
import type {
  ArmResult,
  Equality,
  Gain,
  LayerRow,
  MemoryPlan,
  Report,
} from "../studio/report/index.ts";
import {
  type CompressedModel,
  type Evaluation,
  precisionName,
  type RunRecord,
  readCompressed,
  readModel,
  readRun,
} from "./run.ts";
import { damaged, hasFile, readBytes, readJson } from "./run-folder.ts";
import { INTERVAL_SEED, readEvaluations } from "./scoring.ts";

interface Arm {
  readonly name: string;
  readonly run: string;
  readonly record: RunRecord;
  readonly graph: Graph;
  readonly evaluations: readonly Evaluation[];
  readonly memory: ReadonlyMap<string, { flashBytes: number; ramBytes: number }>;
  /** Hash of the float weights. */
  readonly model: string;
  readonly compressed: CompressedModel | undefined;
}

/**
 * Everything that a run and its single-modality arms know.
 *
 * runs     the run itself first
 */
export async function reportOf(
  runs: readonly string[],
  commands: readonly string[],
): Promise<Report> {
  const arms = await Promise.all(runs.map(readArm));
  const [main] = arms;
  const { dataset, settings } = main.record;
  for (const { run, record } of arms) {
    const { fold } = record.settings;
    if (record.dataset.manifest === dataset.manifest && fold === settings.fold) continue;
    throw new UserError(
      `report: ${run} was trained on another dataset than ${main.run}; compare runs of one dataset and fold`,
    );
  }
  const split = arms.every((arm) => onSplit(arm, "test").length > 0) ? "test" : "val";
  const results = arms.flatMap((arm) => onSplit(arm, split).map((e) => armResult(arm, e)));
  const gain = gainOf(main, arms.slice(1), split);
  const memory = await memoryOf(main.run, settings.modalities);
  return {
    title: `${dataset.name}: ${main.name}`,
    synthetic: dataset.isSynthetic,
    dataset: {
      name: dataset.name,
      classes: dataset.classes,
      modalities: dataset.modalities,
      samples: dataset.samples,
      groups: dataset.groups,
      problems: dataset.problems,
    },
    arms: results,
    ...(gain ? { gain } : {}),
    curves: await Promise.all(arms.map(curveOf)),
    layers: layerRows(main.graph, main.compressed?.graph),
    ...memory,
    equality: await equalityOf(main),
    reproduce: {
      commands,
      facts: [
        { name: "tinym2net", value: main.record.version },
        { name: "seed", value: `${settings.seed}` },
        { name: "preset", value: settings.preset },
        { name: "data, SHA-256", value: dataset.hash },
        { name: "arithmetic", value: `WebAssembly SIMD, ${main.record.settings.engine}` },
      ],
    },
  };
}

async function readArm(run: string): Promise<Arm> {
  const record = await readRun(run);
  const { graph, hash: model } = await readModel(run);
  const evaluations = await readEvaluations(run);
  const isCompressed = await hasFile(run, "compressed.json");
  const compressed = isCompressed ? await readCompressed(run) : undefined;
  const memory = new Map<string, { flashBytes: number; ramBytes: number }>();
  if (compressed !== undefined) {
    const { precision, flashBytes, ramBytes } = compressed;
    memory.set(precisionName(precision), { flashBytes, ramBytes });
  }
  const name = record.settings.modalities.join(" + ");
  return { name, run, record, graph, evaluations, memory, model, compressed };
}

/** Evaluations on the data that the run was trained on; float first. */
function onSplit(arm: Arm, split: string): Evaluation[] {
  return arm.evaluations
    .filter((e) => e.split === split && e.data === arm.record.dataset.hash && isCurrent(arm, e))
    .sort((a, b) => Number(b.precision === "float") - Number(a.precision === "float"));
}

/** Whether it says something of the nets that are in the run now. */
function isCurrent({ model, compressed }: Arm, e: Evaluation): boolean {
  if (e.model !== model) return false;
  const isOfNet = compressed !== undefined && e.precision === precisionName(compressed.precision);
  return !isOfNet || e.compressed === compressed.hash;
}

function armResult({ name, record, graph, memory }: Arm, e: Evaluation): ArmResult {
  const { parameters, macs } = costOf(graph);
  return {
    name,
    modalities: record.settings.modalities,
    precision: e.precision,
    split: e.split,
    n: e.n,
    accuracy: e.accuracy,
    accuracyInterval: e.accuracyInterval,
    balancedAccuracy: e.balancedAccuracy,
    balancedAccuracyInterval: e.balancedAccuracyInterval,
    ...(e.auc === undefined ? {} : { auc: e.auc }),
    confusion: e.confusion,
    ...memory.get(e.precision),
    parameters,
    macs,
  };
}

/** The fused float net against the best single arm on the same samples. */
function gainOf(main: Arm, others: readonly Arm[], split: string): Gain | undefined {
  const float = (arm: Arm): Evaluation | undefined =>
    onSplit(arm, split).find(({ precision }) => precision === "float");
  const fused = float(main);
  const singles = others.flatMap((arm) => {
    const evaluation = float(arm);
    return evaluation === undefined || arm.record.settings.modalities.length !== 1
      ? []
      : [{ name: arm.name, evaluation }];
  });
  if (fused === undefined || singles.length === 0) return undefined;
  const best = singles.reduce((a, b) =>
    b.evaluation.balancedAccuracy > a.evaluation.balancedAccuracy ? b : a,
  );
  const { ids, labels, groups, predictions } = fused;
  // samples that only one of the two could be scored on say nothing about the difference
  const other = new Map(best.evaluation.ids.map((id, i) => [id, best.evaluation.predictions[i]]));
  const shared = ids.map((id, i) => ({ id, i })).filter(({ id }) => other.has(id));
  if (shared.length === 0) return undefined;
  const test = {
    labels: shared.map(({ i }) => labels[i]),
    groups: shared.map(({ i }) => groups[i]),
  };
  const a = shared.map(({ i }) => predictions[i]);
  const b = shared.map(({ id }) => other.get(id) ?? 0);
  const { difference, interval } = pairedGain(test, a, b, { seed: INTERVAL_SEED });
  const count = new Set(test.groups).size;
  return { fused: main.name, best: best.name, difference, interval, groups: count };
}

async function curveOf({ name, run }: Arm): Promise<Report["curves"][number]> {
  if (!(await hasFile(run, "train.jsonl"))) return { name, epochs: [] };
  const text = new TextDecoder().decode(await readBytes(run, "train.jsonl", { verb: "train" }));
  const epochs = text.split("\n").filter(Boolean);
  try {
    return { name, epochs: epochs.map((line) => JSON.parse(line)) };
  } catch {
    throw damaged(join(run, "train.jsonl"), "train");
  }
}

function layerRows(graph: Graph, compressed: QuantizedGraph | undefined): LayerRow[] {
  const weighted = new Map(
    compressed?.layers.filter(isWeighted).map((layer) => [layer.name, layer]) ?? [],
  );
  return costOf(graph).layers.map((layer) => {
    const quantized = weighted.get(layer.name);
    const bits = quantized && { bits: quantized.bits, weightBytes: weightBytes(quantized) };
    return { ...layer, ...bits };
  });
}

interface PlanRecord {
  readonly arenaBytes: number;
  readonly calls: readonly string[];
  readonly flash: readonly FlashPart[];
  readonly blocks: readonly {
    readonly name: string;
    readonly offset: number;
    readonly type: ElementType;
    readonly shape: readonly number[];
    readonly first: number;
    readonly last: number;
  }[];
}

/** Constants are many: those of a layer are told together. */
async function memoryOf(
  run: string,
  modalities: readonly string[],
): Promise<{ memory?: MemoryPlan; flash?: FlashPart[] }> {
  if (!(await hasFile(run, "plan.json"))) return {};
  const plan = await readJson<PlanRecord>(run, "plan.json", { verb: "compress" });
  const blocks = plan.blocks.map(({ type, shape, ...block }) => ({
    ...block,
    bytes: bytesOf({ type, shape }),
  }));
  const parts = new Map<string, FlashPart>();
  for (const part of plan.flash) {
    const owner = part.part.replace(/\.[^.]*$/, "");
    const name = modalities.includes(owner) ? `${owner} front-end` : owner;
    const known = parts.get(name);
    parts.set(
      name,
      known ? { ...known, bytes: known.bytes + part.bytes } : { ...part, part: name },
    );
  }
  const { arenaBytes, calls } = plan;
  return { memory: { arenaBytes, calls, blocks }, flash: [...parts.values()] };
}

interface VerifyRecord {
  readonly compressed: string;
  readonly results: readonly Verification[];
}

async function equalityOf({ run, compressed: net }: Arm): Promise<Equality[]> {
  if (!(await hasFile(run, "verify.json"))) return [];
  const source = { verb: "verify" };
  const { compressed, results } = await readJson<VerifyRecord>(run, "verify.json", source);
  if (compressed !== net?.hash) return []; // of a net that was compressed again since
  return results.map(({ target, equal, samples, firstDifference: d, skipped }) => ({
    target,
    equal: equal === true,
    samples,
    ...(d
      ? { firstDifference: `${d.layer}[${d.element}]: ${d.expected} expected, ${d.got} got` }
      : {}),
    ...(skipped === undefined ? {} : { skipped }),
  }));
}

/** Where the report of a run is. */
export function reportPath(run: string): string {
  return join(run, "report.html");
}
