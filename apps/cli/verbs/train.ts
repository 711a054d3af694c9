/** train DIR --out RUN: features, training, the best weights. */

import { readFile, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { countLabels, type Dataset, SPLITS } from "../../../src/data/index.ts";
import { UserError } from "../../../src/errors.ts";
import { type Frontend, featureShape, fitFrontend } from "../../../src/features/index.ts";
import { costOf, type Graph, packWeights, preset } from "../../../src/model/index.ts";
import {
  type Augmentation,
  type Checkpoint,
  compileStep,
  type EpochRecord,
  packCheckpoint,
  type Training,
  trainGraph,
  unpackCheckpoint,
} from "../../../src/train/index.ts";
import { assertAugmentable, openAugmentation } from "../augment.ts";
import { type Context, Interrupted, pause } from "../context.ts";
import { type RunRecord, readModel, readRun, SCHEMA_VERSION, type TrainSettings } from "../run.ts";
import {
  assertFree,
  createRun,
  hasFile,
  jsonText,
  readBytes,
  sha256,
  writeJson,
  writeTogether,
} from "../run-folder.ts";
import {
  completeSamples,
  datasetFolder,
  loadExamples,
  type Means,
  type OpenDataset,
  openDataset,
  type ScoredExamples,
} from "../samples.ts";
import { quoted } from "../shell.ts";
import { printModel } from "../summary.ts";
import { formatCount, formatPercent } from "../terminal/format.ts";
import { type AskedSettings, fitOptions, resumedSettings, settingsOf } from "../train-settings.ts";
import { toolVersion } from "../version.ts";

export interface TrainOptions extends AskedSettings, Means {
  readonly out: string;
  readonly resume?: boolean;
  readonly force?: boolean;
}

export interface TrainResult {
  readonly run: string;
  readonly split: "val";
  readonly accuracy: number;
  readonly balancedAccuracy: number;
  readonly epochs: number;
  readonly bestEpoch: number;
  readonly samplesPerSecond: number | null;
  readonly parameters: number;
  readonly macs: number;
}

/** Train, or with `resume` go on with a training that was stopped. */
export async function train(
  context: Context,
  folder: string,
  options: TrainOptions,
): Promise<TrainResult> {
  const { out, resume = false, force = false } = options;
  if (resume && force) throw new UserError("train: give --resume or --force, not both");
  if (!resume) await assertFree(out, { force });
  const saved = resume ? await readRun(out) : undefined;
  const wanted =
    saved === undefined ? await settingsOf(options) : await resumedSettings(saved, options);
  const opened = await openDataset(context, folder, {
    ...meansOf(options),
    seed: wanted.seed,
    ...(wanted.modalities.length > 0 ? { modalities: wanted.modalities } : {}),
    ...(wanted.fold === undefined ? {} : { fold: wanted.fold }),
  });
  const { dataset } = opened;
  assertAugmentable(dataset, wanted.augment);
  const modalities = dataset.modalities.map(({ name }) => name);
  const count = completeSamples(dataset, "train", modalities).length;
  const settings = { ...wanted, modalities, batch: wanted.batch ?? defaultBatch(count) };
  const hash = await opened.extraction.hash();
  for (const { severity, message } of dataset.problems) context.print(`${severity}: ${message}`);
  if (saved !== undefined && saved.dataset.hash !== hash) {
    throw new UserError(`${folder} is not what ${out} was trained on: its content has changed`);
  }
  if (resume && (await hasFile(out, "model.json"))) {
    await rm(join(out, "checkpoint.bin"), { force: true }); // a kill may have left it
    return finished(context, out, settings, null);
  }
  const { graph, frontend, splits, augment } = await prepare(context, opened, settings);
  if (!resume) {
    await createRun(out, { force });
    const manifest = sha256(await readFile(join(folder, "manifest.csv")));
    const record = recordOf(dataset, { out, folder, hash, manifest, settings });
    await writeJson(out, "run.json", record);
  }
  printModel(context, graph);
  const from = resume ? await readCheckpoint(out) : undefined;
  const fitting = fitOptions(settings);
  const step = await compileStep(graph, splits.train, fitting, options.threads ?? defaultThreads());
  const training = trainGraph(graph, splits, { ...fitting, step, augment }, from);
  const samplesPerSecond = await runTraining(context, training, { out, settings, splits });
  await step.stop();
  const { weights, record } = training.best();
  const bytes = packWeights(graph, weights);
  const model = {
    schemaVersion: SCHEMA_VERSION,
    graph,
    frontend,
    best: record,
    weights: sha256(bytes),
  };
  await writeTogether([
    [join(out, "model.weights"), bytes],
    [join(out, "model.json"), jsonText(model)],
  ]);
  await rm(join(out, "checkpoint.bin"), { force: true });
  return finished(context, out, settings, samplesPerSecond);
}

/** Threads change no byte of the run. */
function meansOf({ cache, threads }: TrainOptions): Means {
  return {
    ...(cache === undefined ? {} : { cache }),
    ...(threads === undefined ? {} : { threads }),
  };
}

/** Beyond eight threads a step of a tiny net has too little for each. */
function defaultThreads(): number {
  return Math.min(8, availableParallelism());
}

/** At least some 16 steps an epoch, so that a small dataset is learned in as many epochs as a large one. */
function defaultBatch(samples: number): number {
  return Math.max(16, Math.min(64, 2 ** Math.floor(Math.log2(samples / 16))));
}

interface Prepared {
  readonly graph: Graph;
  readonly frontend: Frontend;
  readonly splits: { readonly train: ScoredExamples; readonly val: ScoredExamples };
  readonly augment: Augmentation | undefined;
}

async function prepare(
  context: Context,
  opened: OpenDataset,
  { preset: name, modalities, size, seed, augment: spec }: TrainSettings,
): Promise<Prepared> {
  const { dataset, reader, extraction } = opened;
  const [train, val] = (["train", "val"] as const).map((split) => {
    const samples = completeSamples(dataset, split, modalities);
    if (samples.length > 0) return samples;
    throw new UserError(
      `${dataset.folder}: split ${split} must have samples with ${modalities.join(" and ")}, got none`,
    );
  });
  context.reporter.stage("fit features");
  const frontend = await fitFrontend(reader, train, {
    modalities: dataset.modalities,
    size,
    extract: extraction.extract,
    refit: extraction.refit,
    onProgress: (done, total) => context.reporter.update(done, total),
  });
  context.reporter.done();
  const inputs = modalities.map((modality) => ({
    name: modality,
    shape: featureShape(frontend[modality]),
  }));
  const graph = preset(name, { inputs, classes: dataset.classes });
  const load = (samples: typeof train, stage: string): Promise<ScoredExamples> =>
    loadExamples(opened, samples, { frontend, classes: dataset.classes, context, stage });
  const splits = {
    train: await load(train, "features of train"),
    val: await load(val, "features of val"),
  };
  extraction.close();
  const fitted = { samples: train, examples: splits.train, frontend, seed };
  const augment = spec && (await openAugmentation(context, reader, spec, fitted));
  return { graph, frontend, splits, augment };
}

interface RunOptions {
  readonly out: string;
  readonly settings: TrainSettings;
  readonly splits: Prepared["splits"];
}

/** Step by step; after each epoch the state is saved, after Ctrl-C as well. */
async function runTraining(
  context: Context,
  training: Training,
  { out, settings, splits }: RunOptions,
): Promise<number | null> {
  const { reporter } = context;
  const save = async (): Promise<void> => {
    const checkpoint = training.checkpoint();
    await writeTogether([
      [join(out, "train.jsonl"), lines(checkpoint)],
      [join(out, "checkpoint.bin"), packCheckpoint(checkpoint)],
    ]);
  };
  const start = context.now();
  let trained = 0;
  reporter.stage(`train ${settings.modalities.join(" + ")}`);
  try {
    for (const { epoch, step, steps, loss, record } of training.steps) {
      trained += Math.min(settings.batch, splits.train.count);
      const done = (epoch - 1) * steps + step;
      reporter.update(done, settings.epochs * steps, `epoch ${epoch}, loss ${loss.toFixed(3)}`);
      if (record !== undefined) {
        await save();
        reporter.line(epochLine(record));
      }
      await pause(context);
    }
  } catch (error) {
    reporter.stop();
    if (!(error instanceof Interrupted)) throw error;
    await save();
    throw new Interrupted(
      `interrupted; the state is saved in ${out}: add --resume to the same command to go on`,
    );
  }
  reporter.done();
  const seconds = (context.now() - start) / 1000;
  return trained === 0 ? null : trained / seconds;
}

function lines({ records }: Checkpoint): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join("");
}

function epochLine({ epoch, trainLoss, valLoss, valBalancedAccuracy }: EpochRecord): string {
  const losses = `loss ${trainLoss.toFixed(3)}, val loss ${valLoss.toFixed(3)}`;
  return `epoch ${epoch}: ${losses}, val balanced accuracy ${formatPercent(valBalancedAccuracy)}`;
}

async function readCheckpoint(out: string): Promise<Checkpoint | undefined> {
  if (!(await hasFile(out, "checkpoint.bin"))) return undefined;
  return unpackCheckpoint(
    await readBytes(out, "checkpoint.bin", { verb: "train" }),
    join(out, "checkpoint.bin"),
  );
}

function recordOf(
  dataset: Dataset,
  {
    out,
    folder,
    hash,
    manifest,
    settings,
  }: { out: string; folder: string; hash: string; manifest: string; settings: TrainSettings },
): RunRecord {
  // what is trained and scored on: samples with every modality
  const complete = SPLITS.flatMap((split) => completeSamples(dataset, split, settings.modalities));
  const samples = SPLITS.map((split) => [split, Object.fromEntries(countLabels(complete, split))]);
  return {
    schemaVersion: SCHEMA_VERSION,
    version: toolVersion(),
    settings,
    dataset: {
      name: dataset.name,
      folder: datasetFolder(out, folder),
      hash,
      manifest,
      classes: dataset.classes,
      modalities: dataset.modalities,
      isSynthetic: dataset.samples.some(({ columns }) => columns.synthetic === "true"),
      samples: Object.fromEntries(samples),
      groups: new Set(complete.map(({ group }) => group)).size,
      problems: dataset.problems.map(({ severity, kind, message }) => ({
        severity,
        kind,
        message,
      })),
    },
  };
}

async function finished(
  context: Context,
  out: string,
  { epochs }: TrainSettings,
  samplesPerSecond: number | null,
): Promise<TrainResult> {
  const { best, graph } = await readModel(out);
  const { parameters, macs } = costOf(graph);
  const score = formatPercent(best.valBalancedAccuracy);
  context.print(
    `Best epoch ${best.epoch} of ${epochs}: validation balanced accuracy ${score}, ` +
      `accuracy ${formatPercent(best.valAccuracy)}` +
      (samplesPerSecond === null ? "" : `; ${formatCount(samplesPerSecond)} samples/s`),
  );
  context.print(`Next: ${context.program} compress ${quoted(out)}`);
  return {
    run: out,
    split: "val",
    accuracy: best.valAccuracy,
    balancedAccuracy: best.valBalancedAccuracy,
    epochs,
    bestEpoch: best.epoch,
    samplesPerSecond,
    parameters,
    macs,
  };
}
