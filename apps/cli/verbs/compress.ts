/** compress RUN: an integer net of 8, 4 or mixed bits within limits of flash and RAM. */

import { join } from "node:path";
import {
  type Compressed,
  type CompressOptions,
  compressGraph,
  isWeighted,
  type Precision,
  packGraph,
  type QuantizedGraph,
  quantizedScores,
  weightBytes,
} from "../../../src/compress/index.ts";
import type { Sample } from "../../../src/data/index.ts";
import { type Example, lower, type Product } from "../../../src/deploy/index.ts";
import { CheckError, unknown } from "../../../src/errors.ts";
import { FEATURE_SCALE, type Frontend } from "../../../src/features/index.ts";
import { interpreter } from "../../../src/kernel/index.ts";
import { random, shuffle } from "../../../src/tensor/index.ts";
import type { Examples } from "../../../src/train/index.ts";
import { type Context, pause } from "../context.ts";
import { type Memory, memoryOf, memoryOfGraph } from "../product.ts";
import {
  type CompressedRecord,
  type Evaluation,
  goldenRecord,
  type Model,
  precisionName,
  readModel,
  readRun,
  SCHEMA_VERSION,
  type TrainSettings,
} from "../run.ts";
import { integrityOf, jsonText, type RunFile, sha256, writeTogether } from "../run-folder.ts";
import {
  completeSamples,
  loadExamples,
  type Means,
  type OpenDataset,
  openTrainedDataset,
  readInputs,
  type ScoredExamples,
} from "../samples.ts";
import { evaluationOf, floatScores, withEvaluations } from "../scoring.ts";
import { quoted } from "../shell.ts";
import { scoreTable } from "../summary.ts";
import { formatBytes, formatCount } from "../terminal/format.ts";
import { renderTable } from "../terminal/table.ts";

export interface CompressCliOptions extends Pick<Means, "cache"> {
  readonly bits?: string;
  readonly flash?: number;
  readonly ram?: number;
  readonly data?: string;
}

export interface CompressResult {
  readonly precision: string;
  /** By layer. */
  readonly bits: Readonly<Record<string, number>>;
  readonly weightBytes: number;
  readonly flashBytes: number;
  readonly ramBytes: number;
  readonly arenaBytes: number;
  readonly split: "val";
  readonly accuracyFloat: number;
  readonly accuracy: number;
  readonly balancedAccuracyFloat: number;
  readonly balancedAccuracy: number;
}

/** Training samples whose activations fix the ranges. */
const CALIBRATION_SAMPLES = 256;
/** Golden vectors that go with every product. */
const GOLDEN_SAMPLES = 2;
const PRECISIONS: Readonly<Record<string, Precision>> = { "8": 8, "4": 4, mixed: "mixed" };

export async function compress(
  context: Context,
  run: string,
  { bits = "mixed", flash, ram, ...source }: CompressCliOptions,
): Promise<CompressResult> {
  const precision = PRECISIONS[bits];
  if (precision === undefined) throw unknown("bits", bits, Object.keys(PRECISIONS));
  const record = await readRun(run);
  const model = await readModel(run);
  const opened = await openTrainedDataset(context, run, record, source);
  const { modalities, seed } = record.settings;
  const trainSamples = shuffle(
    completeSamples(opened.dataset, "train", modalities),
    random(`${seed}/calibration`),
  );
  const { frontend, graph: float } = model;
  const load = (samples: typeof trainSamples, stage: string): Promise<ScoredExamples> =>
    loadExamples(opened, samples, { frontend, classes: float.classes, context, stage });
  const calibration = await load(
    trainSamples.slice(0, CALIBRATION_SAMPLES),
    "features for calibration",
  );
  const valSamples = completeSamples(opened.dataset, "val", modalities);
  const val = await load(valSamples, "features of val");
  opened.extraction.close();
  const limits = {
    ...(flash === undefined ? {} : { flash }),
    ...(ram === undefined ? {} : { ram }),
  };
  const { graph, sensitivity } = await quantized(context, model, calibration, {
    precision,
    limits,
  });
  const product = lower(graph, frontend, { name: "net" });
  const memory = memoryOf(product);
  const chosen = valSamples.slice(0, GOLDEN_SAMPLES);
  const golden = await goldenExamples(context, product, { opened, frontend, samples: chosen });
  const { stored, bytes } = packGraph(graph);
  const { flashBytes, ramBytes, arenaBytes } = memory;
  const compressed: CompressedRecord = {
    schemaVersion: SCHEMA_VERSION,
    precision: bits as CompressedRecord["precision"],
    graph: stored,
    sensitivity,
    flashBytes,
    ramBytes,
    limits,
    model: model.hash,
    weights: sha256(bytes),
  };
  const { before, after } = await scored(
    context,
    { model, settings: record.settings },
    graph,
    val,
    {
      dataset: opened.dataset.name,
      data: opened.hash,
      precision: precisionName(compressed.precision),
      compressed: integrityOf(compressed),
    },
  );
  const files: [RunFile, string | Uint8Array][] = [
    ["compressed.weights", bytes],
    ["golden.json", jsonText(goldenRecord(golden))],
    ["plan.json", jsonText(planOf(product, memory))],
    ["evaluation.json", jsonText(await withEvaluations(run, [before, after]))],
    ["compressed.json", jsonText(compressed)],
  ];
  await writeTogether(files.map(([name, text]) => [join(run, name), text]));
  printLayers(context, graph);
  const arm = modalities.join(" + ");
  context.print(
    `\nValidation split, ${formatCount(val.count)} samples\n\n${scoreTable([
      { name: arm, evaluation: before },
      { name: arm, evaluation: after, flashBytes, ramBytes },
    ])}\n`,
  );
  context.print(`Next: ${context.program} verify ${quoted(run)}`);
  const weighted = graph.layers.filter(isWeighted);
  return {
    precision: bits,
    bits: Object.fromEntries(weighted.map((layer) => [layer.name, layer.bits])),
    weightBytes: weightsOf(graph),
    flashBytes,
    ramBytes,
    arenaBytes,
    split: "val",
    accuracyFloat: before.accuracy,
    accuracy: after.accuracy,
    balancedAccuracyFloat: before.balancedAccuracy,
    balancedAccuracy: after.balancedAccuracy,
  };
}

/** The float net and the integer net on the validation split. */
function scored(
  context: Context,
  { model, settings }: { model: Model; settings: TrainSettings },
  graph: QuantizedGraph,
  val: ScoredExamples,
  of: Pick<Evaluation, "dataset" | "data" | "precision"> & { readonly compressed: string },
): Promise<{ before: Evaluation; after: Evaluation }> {
  const { dataset, data, precision, compressed } = of;
  const { classes } = model.graph;
  const known = { dataset, data, split: "val", model: model.hash };
  return context.blocking(() => {
    const scores = floatScores(model, val, settings);
    const before = evaluationOf(scores, val, { classes, of: { ...known, precision: "float" } });
    const integers = quantizedScores(graph, val);
    const of = { ...known, precision, compressed };
    return { before, after: evaluationOf(integers, val, { classes, of }) };
  });
}

type Limits = CompressedRecord["limits"];

/** Attempts at fitting into flash: 4-bit kernels are code too, known only once bits are chosen. */
const FITTING_ATTEMPTS = 4;

/**
 * Quantize within limits; a flash limit leaves to the weights what code and tables do not need.
 *
 * throws   CheckError if the limits cannot be met
 */
async function quantized(
  context: Context,
  { graph, weights, frontend }: Model,
  calibration: Examples,
  { precision, limits }: { precision: Precision; limits: Limits },
): Promise<Compressed> {
  const { reporter } = context;
  reporter.stage(`compress to ${precision === "mixed" ? "mixed 8/4" : precision} bits`);
  const onProgress = (done: number, total: number): void => reporter.update(done, total);
  const attempt = (options: Pick<CompressOptions, "precision" | "weightLimit">): Compressed =>
    compressGraph(graph, weights, calibration, {
      inputScale: FEATURE_SCALE,
      onProgress,
      ...options,
    });
  const { flash } = limits;
  const result = await context.blocking(() => {
    if (precision !== "mixed" || flash === undefined) return attempt({ precision });
    const smallest = attempt({ precision: 4 });
    checkLimits(memoryOfGraph(smallest.graph, frontend), limits);
    let fitted = attempt({ precision: 8 });
    for (let i = 0; i < FITTING_ATTEMPTS; i++) {
      const excess = memoryOfGraph(fitted.graph, frontend).flashBytes - flash;
      if (excess <= 0) return fitted;
      const weightLimit = weightsOf(fitted.graph) - excess;
      if (weightLimit < weightsOf(smallest.graph)) break;
      fitted = attempt({ precision, weightLimit });
    }
    return smallest;
  });
  checkLimits(memoryOfGraph(result.graph, frontend), limits);
  reporter.done();
  return result;
}

function weightsOf(graph: QuantizedGraph): number {
  return graph.layers.filter(isWeighted).reduce((sum, layer) => sum + weightBytes(layer), 0);
}

function checkLimits(
  { flashBytes, ramBytes }: { flashBytes: number; ramBytes: number },
  { flash, ram }: Limits,
): void {
  if (flash !== undefined && flashBytes > flash) {
    throw new CheckError(
      `compress: flash needs ${formatBytes(flashBytes)}, limit ${formatBytes(flash)}; the run is as before`,
    );
  }
  if (ram !== undefined && ramBytes > ram) {
    throw new CheckError(
      `compress: RAM needs ${formatBytes(ramBytes)}, limit ${formatBytes(ram)}; the run is as before`,
    );
  }
}

interface GoldenSource {
  readonly opened: OpenDataset;
  readonly frontend: Frontend;
  readonly samples: readonly Sample[];
}

/** Raw inputs of some samples and what the reference interpreter says of them. */
async function goldenExamples(
  context: Context,
  product: Product,
  { opened, frontend, samples }: GoldenSource,
): Promise<Example[]> {
  const runner = interpreter(product.program);
  context.reporter.stage("golden vectors (reference interpreter)");
  const examples: Example[] = [];
  for (const sample of samples) {
    const inputs = await readInputs(opened, frontend, sample);
    for (const [name, values] of Object.entries(inputs)) runner.view(name).set(values);
    runner.run();
    examples.push({ inputs, scores: Int8Array.from(runner.view(product.scores)) });
    context.reporter.update(examples.length, samples.length);
    await pause(context);
  }
  context.reporter.done();
  return examples;
}

/** The memory plan, for people and for the report. */
function planOf({ program }: Product, memory: Memory) {
  const blocks = program.storage
    .filter(({ role, within }) => role === "scratch" && within === undefined)
    .map(({ name, address, first, last, type, shape }) => ({
      name,
      offset: address,
      type,
      shape,
      first,
      last,
    }));
  return { ...memory, calls: program.calls.map(({ label }) => label), blocks };
}

function printLayers(context: Context, graph: QuantizedGraph): void {
  const rows = graph.layers
    .filter(isWeighted)
    .map((layer) => [layer.name, layer.op, `${layer.bits}`, formatCount(weightBytes(layer))]);
  context.print(renderTable(["layer", "op", "bits", "weight bytes"], rows));
}
