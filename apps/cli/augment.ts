/** --augment: a preset, a file, or JSON; and the folders of noise that it may name. */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Audio,
  type Dataset,
  openReader,
  type Reader,
  type Sample,
} from "../../src/data/index.ts";
import { UserError } from "../../src/errors.ts";
import { type Frontend, featureShape, missingFeatures } from "../../src/features/index.ts";
import {
  AUGMENT_PRESETS,
  type Augmentation,
  type AugmentSpec,
  augmentation,
  augmentedCopies,
  checkAugment,
  checkAugmented,
  noiseFolders,
} from "../../src/train/index.ts";
import type { Context } from "./context.ts";
import type { TrainSettings } from "./run.ts";
import { sha256 } from "./run-folder.ts";
import type { ScoredExamples } from "./samples.ts";

type AugmentSettings = Pick<TrainSettings, "augment" | "noise">;

/**
 * What --augment asks for, with a hash of each folder of noise, names and contents.
 *
 * text     "none", a preset, the path of a JSON file, or JSON itself
 * before   of the run that goes on, taken where the text is not given
 * throws   UserError naming the field
 */
export async function augmentSettings(
  text: string | undefined,
  before: AugmentSettings = {},
): Promise<AugmentSettings> {
  const augment = text === undefined ? before.augment : await readAugment(text);
  if (augment === undefined) return {};
  const folders = noiseFolders(augment);
  if (folders.length === 0) return { augment };
  const hashes = await Promise.all(folders.map(hashOf));
  return { augment, noise: Object.fromEntries(folders.map((name, i) => [name, hashes[i]])) };
}

/** throws   UserError if a spec names modalities that a dataset has not, or settings of another kind */
export function assertAugmentable(
  { modalities }: Pick<Dataset, "modalities">,
  augment: AugmentSpec | undefined,
): void {
  const kinds = modalities.map((modality) => [modality.name, modality] as const);
  if (augment !== undefined) checkAugmented(augment, Object.fromEntries(kinds));
}

/** The copies, with progress, and what draws from them. */
export async function openAugmentation(
  { reporter }: Context,
  reader: Reader,
  spec: AugmentSpec,
  {
    samples,
    examples,
    frontend,
    seed,
  }: {
    samples: readonly Sample[];
    examples: ScoredExamples;
    frontend: Frontend;
    seed: number;
  },
): Promise<Augmentation> {
  reporter.stage("augmented copies");
  const onProgress = (done: number, total: number): void => reporter.update(done, total);
  const options = { frontend, seed, noiseOf: readNoise, onProgress };
  const copies = await augmentedCopies(reader, samples, spec, options);
  reporter.done();
  const modalities = Object.entries(frontend).map(([name, features]) => {
    const { kind } = features;
    const shape = featureShape(features);
    return [name, { kind, shape, missing: missingFeatures(features) }] as const;
  });
  return augmentation(examples, spec, {
    seed,
    modalities: Object.fromEntries(modalities),
    ids: examples.ids,
    copies,
  });
}

async function readAugment(text: string): Promise<AugmentSpec | undefined> {
  if (text === "none") return undefined;
  if (Object.hasOwn(AUGMENT_PRESETS, text)) return AUGMENT_PRESETS[text];
  const json = text.startsWith("{") ? text : await read(text);
  try {
    return checkAugment(JSON.parse(json));
  } catch (error) {
    if (error instanceof UserError) throw new UserError(`--augment: ${error.message}`);
    if (!(error instanceof SyntaxError)) throw error;
    throw new UserError(`--augment: ${text} is no JSON: ${error.message}`);
  }
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    const known = ["none", ...Object.keys(AUGMENT_PRESETS)].join(", ");
    throw new UserError(`--augment: ${path} is no file that can be read and none of ${known}`);
  }
}

/** Every recording of a folder, in the order of the names. */
async function readNoise(folder: string): Promise<readonly Audio[]> {
  const samples = (await recordings(folder)).map(
    (path, i): Sample => ({
      id: path,
      row: i + 1,
      label: "",
      split: "train",
      group: path,
      sources: { noise: { path } },
      columns: {},
    }),
  );
  const reader = openReader({ folder, samples });
  return Promise.all(
    samples.map((sample) =>
      reader.audio(sample, "noise").catch((error: unknown) => {
        if (!(error instanceof UserError)) throw error;
        // the reader names a row of a manifest, and there is none
        throw new UserError(`--augment: ${error.message.replace(/^.* row \d+: /, `${folder}/`)}`);
      }),
    ),
  );
}

async function hashOf(folder: string): Promise<string> {
  const work = async (name: string): Promise<string> =>
    `${sha256(await readFile(join(folder, name)))}  ${name}\n`;
  return sha256((await Promise.all((await recordings(folder)).map(work))).join(""));
}

async function recordings(folder: string): Promise<string[]> {
  const entries = await readdir(folder).catch(() => {
    const known = "white, pink, train or a folder of recordings";
    throw new UserError(`--augment: noise must be from ${known}, got ${JSON.stringify(folder)}`);
  });
  const names = entries.filter((name) => /\.wav$/i.test(name)).sort();
  if (names.length > 0) return names;
  throw new UserError(`--augment: ${folder} has no .wav files to take noise from`);
}
