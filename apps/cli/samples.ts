/** From a dataset's samples to what a net trains on or is scored on. */

import { availableParallelism } from "node:os";
import { relative, resolve } from "node:path";
import {
  assertUsable,
  type Dataset,
  openReader,
  type Reader,
  readDataset,
  type Sample,
  type Split,
} from "../../src/data/index.ts";
import { UserError } from "../../src/errors.ts";
import { extractFeatures, type Frontend, inputReader } from "../../src/features/index.ts";
import type { TypedArray } from "../../src/kernel/index.ts";
import type { Examples } from "../../src/train/index.ts";
import type { Context } from "./context.ts";
import { type DatasetExtraction, openExtraction } from "./extraction/open.ts";
import { parseFold } from "./fold.ts";
import type { RunRecord, TrainSettings } from "./run.ts";

export interface OpenDataset {
  readonly dataset: Dataset;
  readonly reader: Reader;
  /** Features on all cores, from the cache where they are known. */
  readonly extraction: DatasetExtraction;
}

/** How the features of a dataset are computed; they do not depend on it. */
export interface Means {
  /** --no-cache gives false: nothing that was computed before is used or kept. */
  readonly cache?: boolean;
  /** At most; all cores where not given. */
  readonly threads?: number;
}

/**
 * A dataset that can be used with some of its modalities (all, if none are named).
 *
 * ignore   kinds of problems that do not matter for what it is used for
 */
export async function openDataset(
  context: Context,
  folder: string,
  options: OpenOptions,
): Promise<OpenDataset> {
  const { seed, modalities, ignore = [], cache = true } = options;
  const threads = options.threads ?? availableParallelism();
  const fold = parseFold(options.fold ?? "");
  const dataset = await readDataset(folder, {
    seed,
    ...(modalities ? { modalities } : {}),
    ...(fold ? { fold } : {}),
  });
  assertUsable(dataset, { ignore });
  const reader = openReader(dataset);
  const extraction = openExtraction(context, dataset, { reader, threads, cache });
  return { dataset, reader, extraction };
}

interface OpenOptions extends Means, Pick<TrainSettings, "seed" | "fold"> {
  readonly modalities?: readonly string[];
  readonly ignore?: readonly string[];
}

/**
 * The dataset that a run was trained on.
 *
 * data     --data, else where the run says it was
 * throws   UserError if its content is no longer what was trained on
 */
export async function openTrainedDataset(
  context: Context,
  run: string,
  { dataset: trained, settings }: RunRecord,
  { data: folder, ...means }: { data?: string } & Means,
): Promise<OpenDataset & { readonly hash: string }> {
  const where = folder ?? resolve(run, trained.folder);
  let opened: OpenDataset;
  try {
    opened = await openDataset(context, where, { ...settings, ...means });
  } catch (error) {
    if (folder !== undefined || !(error instanceof UserError)) throw error;
    throw new UserError(`${error.message}\nname the training data with --data if it has moved`);
  }
  if ((await opened.extraction.hash()) !== trained.hash) {
    throw new UserError(`${where} is not what ${run} was trained on: its content has changed`);
  }
  return { ...opened, hash: trained.hash };
}

/** Problems that stand in the way of training, not of scoring a net on new recordings. */
const TRAINING_PROBLEMS: readonly string[] = [
  "empty split",
  "one class",
  "class without training",
  "group in two splits",
];

/** Recordings that a net may meet for the first time; the run's fold is one of its own data only. */
export async function openOtherDataset(
  context: Context,
  folder: string,
  { settings, dataset: trained }: RunRecord,
  means: Means,
): Promise<OpenDataset & { readonly hash: string }> {
  const { seed, modalities } = settings;
  const ignore = TRAINING_PROBLEMS;
  const opened = await openDataset(context, folder, { seed, modalities, ignore, ...means });
  const hash = await opened.extraction.hash();
  if (settings.fold === undefined || hash !== trained.hash) return { ...opened, hash };
  return { ...(await openDataset(context, folder, { ...settings, ...means })), hash };
}

/** Where the data is, seen from the run: the same on every machine with the same layout. */
export function datasetFolder(run: string, data: string): string {
  return relative(resolve(run), resolve(data)).replaceAll("\\", "/");
}

/** Samples of a split that have every modality asked for. */
export function completeSamples(
  { samples }: Dataset,
  split: Split,
  modalities: readonly string[],
): Sample[] {
  return samples.filter(
    (sample) => sample.split === split && modalities.every((name) => sample.sources[name]),
  );
}

export interface ScoredExamples extends Examples {
  readonly ids: readonly string[];
}

/**
 * Features and labels of samples.
 *
 * classes  of the net; a sample with another label is refused
 */
export async function loadExamples(
  { reader, dataset, extraction: { extract } }: OpenDataset,
  samples: readonly Sample[],
  { frontend, classes, context, stage }: LoadOptions,
): Promise<ScoredExamples> {
  const labels = samples.map(({ label, row }) => {
    const index = classes.indexOf(label);
    if (index >= 0) return index;
    const at = `${dataset.folder}/manifest.csv row ${row}`;
    const known = `classes: ${classes.join(", ")}`;
    throw new UserError(
      `${at}: label ${JSON.stringify(label)} is not a class of this net; ${known}`,
    );
  });
  context.reporter.stage(stage);
  const sets = await extractFeatures(reader, samples, {
    frontend,
    extract,
    onProgress: (done, total) => context.reporter.update(done, total),
  });
  context.reporter.done();
  return {
    count: samples.length,
    inputs: Object.fromEntries(Object.entries(sets).map(([name, { data }]) => [name, data])),
    labels: Int32Array.from(labels),
    groups: samples.map(({ group }) => group),
    ids: samples.map(({ id }) => id),
  };
}

interface LoadOptions {
  readonly frontend: Frontend;
  readonly classes: readonly string[];
  readonly context: Context;
  /** What progress calls it. */
  readonly stage: string;
}

/** What the device would get of a sample: s16 samples or u8 pixels of each modality. */
export async function readInputs(
  { reader }: OpenDataset,
  frontend: Frontend,
  sample: Sample,
): Promise<Record<string, TypedArray>> {
  const inputs: Record<string, TypedArray> = {};
  for (const [name, spec] of Object.entries(frontend)) {
    inputs[name] = await inputReader(reader, name, spec)(sample);
  }
  return inputs;
}
