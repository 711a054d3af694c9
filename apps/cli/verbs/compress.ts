/** compress RUN: an integer net of 8, 4 or mixed bits within limits of flash and RAM. */

import { join } from "node:path";
import {
  compressGraph,
  isWeighted,
  type Precision,
  packGraph,
  type QuantizedGraph,
  quantizedScores,
  weightBytes,
} from "../../../src/compress/index.ts";
import { type Example, lower } from "../../../src/deploy/index.ts";
import { CheckError, unknown } from "../../../src/errors.ts";
import { FEATURE_SCALE, type Frontend, inputReader } from "../../../src/features/index.ts";
import { interpreter, type TypedArray } from "../../../src/kernel/index.ts";
import { random, shuffle } from "../../../src/tensor/index.ts";
import { type Examples, predictor } from "../../../src/train/index.ts";
import { type Context, pause } from "../context.ts";
import { memoryOf, memoryOfGraph } from "../product.ts";
import {
  goldenRecord,
  type Model,
  precisionName,
  readModel,
  readRun,
  SCHEMA_VERSION,
} from "../run.ts";
import { sha256, writeJson, writeWhole } from "../run-folder.ts";
import {
  completeSamples,
  loadExamples,
  type OpenDataset,
  openTrainedDataset,
  type ScoredExamples,
} from "../samples.ts";
import { evaluationOf, saveEvaluation } from "../scoring.ts";
import { scoreTable } from "../summary.ts";
import { formatBytes, formatCount } from "../terminal/format.ts";
import { renderTable } from "../terminal/table.ts";

export interface CompressCliOptions {
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
  { bits = "mixed", flash, ram, data }: CompressCliOptions,
): Promise<CompressResult> {
  const precision = PRECISIONS[bits];
  if (precision === undefined) throw unknown("bits", bits, Object.keys(PRECISIONS));
  const record = await readRun(run);
  const model = await readModel(run);
  const opened = await openTrainedDataset(run, record, data);
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
  const { graph, sensitivity } = quantized(context, model, calibration, { precision, flash });
  const memory = memoryOfGraph(graph, frontend);
  checkLimits(memory, { flash, ram });
  const golden = await goldenExamples(
    context,
    graph,
    model.frontend,
    opened,
    valSamples.slice(0, GOLDEN_SAMPLES),
  );
  const { stored, bytes } = packGraph(graph);
  await writeWhole(join(run, "compressed.weights"), bytes);
  await writeJson(run, "golden.json", goldenRecord(golden));
  await writeJson(run, "plan.json", planOf(graph, frontend));
  const { flashBytes, ramBytes, arenaBytes } = memory;
  await writeJson(run, "compressed.json", {
    schemaVersion: SCHEMA_VERSION,
    precision: bits,
    graph: stored,
    sensitivity,
    flashBytes,
    ramBytes,
    model: model.hash,
    weights: sha256(bytes),
  });
  const scored = { classes: float.classes, dataset: opened.dataset.name, split: "val" };
  const before = evaluationOf(
    predictor(float, { inputScale: FEATURE_SCALE }).scores(model.weights, val),
    val,
    {
      ...scored,
      precision: "float",
    },
  );
  const name = precisionName(bits as "8" | "4" | "mixed");
  const after = evaluationOf(quantizedScores(graph, val), val, { ...scored, precision: name });
  await saveEvaluation(run, before);
  await saveEvaluation(run, after);
  printLayers(context, graph);
  const arm = modalities.join(" + ");
  context.print(
    `\nValidation split, ${formatCount(val.count)} samples\n\n${scoreTable([
      { name: arm, evaluation: before },
      { name: arm, evaluation: after, flashBytes, ramBytes },
    ])}\n`,
  );
  context.print(`Next: tinym2net verify ${run}`);
  const weighted = graph.layers.filter(isWeighted);
  return {
    precision: bits,
    bits: Object.fromEntries(weighted.map((layer) => [layer.name, layer.bits])),
    weightBytes: weighted.reduce((sum, layer) => sum + weightBytes(layer), 0),
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

/** Quantize; a flash limit leaves to the weights what code and tables do not need. */
function quantized(
  { reporter }: Context,
  { graph, weights, frontend }: Model,
  calibration: Examples,
  { precision, flash }: { precision: Precision; flash: number | undefined },
) {
  const options = { inputScale: FEATURE_SCALE };
  const limit =
    flash === undefined || precision !== "mixed"
      ? {}
      : {
          weightLimit:
            flash -
            overhead(
              compressGraph(graph, weights, calibration, { ...options, precision: 8 }).graph,
              frontend,
            ),
        };
  reporter.stage(`compress to ${precision === "mixed" ? "mixed 8/4" : precision} bits`);
  const onProgress = (done: number, total: number): void => reporter.update(done, total);
  const result = compressGraph(graph, weights, calibration, {
    ...options,
    ...limit,
    precision,
    onProgress,
  });
  reporter.done();
  return result;
}

/** Flash that is not weights. */
function overhead(graph: QuantizedGraph, frontend: Frontend): number {
  const weights = graph.layers
    .filter(isWeighted)
    .reduce((sum, layer) => sum + weightBytes(layer), 0);
  return memoryOfGraph(graph, frontend).flashBytes - weights;
}

function checkLimits(
  { flashBytes, ramBytes }: { flashBytes: number; ramBytes: number },
  { flash, ram }: { flash: number | undefined; ram: number | undefined },
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

/** Raw inputs of some samples and what the reference interpreter says of them. */
async function goldenExamples(
  context: Context,
  graph: QuantizedGraph,
  frontend: Frontend,
  { reader }: OpenDataset,
  samples: Parameters<ReturnType<typeof inputReader>>[0][],
): Promise<Example[]> {
  const product = lower(graph, frontend, { name: "net" });
  const runner = interpreter(product.program);
  context.reporter.stage("golden vectors (reference interpreter)");
  const examples: Example[] = [];
  for (const sample of samples) {
    const inputs: Record<string, TypedArray> = {};
    for (const { name } of product.inputs) {
      inputs[name] = await inputReader(reader, name, frontend[name])(sample);
      runner.view(name).set(inputs[name]);
    }
    runner.run();
    examples.push({ inputs, scores: Int8Array.from(runner.view(product.scores)) });
    context.reporter.update(examples.length, samples.length);
    await pause(context);
  }
  context.reporter.done();
  return examples;
}

/** The memory plan, for people and for the report. */
function planOf(graph: QuantizedGraph, frontend: Frontend) {
  const product = lower(graph, frontend, { name: "net" });
  const { flash, ...memory } = memoryOf(product);
  const blocks = product.program.storage
    .filter(({ role, within }) => role === "scratch" && within === undefined)
    .map(({ name, address, first, last, type, shape }) => ({
      name,
      offset: address,
      type,
      shape,
      first,
      last,
    }));
  return { ...memory, flash, calls: product.program.calls.map(({ label }) => label), blocks };
}

function printLayers(context: Context, graph: QuantizedGraph): void {
  const rows = graph.layers
    .filter(isWeighted)
    .map((layer) => [layer.name, layer.op, `${layer.bits}`, formatCount(weightBytes(layer))]);
  context.print(renderTable(["layer", "op", "bits", "weight bytes"], rows));
}
