/**
 * From a dataset to what a net is trained on: specs chosen by the training data, their scaling
 * fitted to it, and the s8 features of any samples, computed by the device's own kernels.
 */

import {
  inParallel,
  type Modality,
  openResampler,
  type Reader,
  type Sample,
} from "../data/index.ts";
import { UserError } from "../errors.ts";
import type { TypedArray } from "../kernel/index.ts";
import { checkSpec } from "./check-spec.ts";
import { extractor } from "./frontend.ts";
import { pictureFitter, prepareAudio } from "./prepare.ts";
import { fitScaling } from "./scaling.ts";
import {
  type AudioSpec,
  defaultAudioSpec,
  defaultImageSpec,
  type FeatureSpec,
  type Frontend,
  featureShape,
  type ImageSpec,
} from "./spec.ts";

/** More than this a second says little that a net of this size uses. */
const MAX_RATE_HZ = 16000;

/** Samples, evenly spaced, whose rates and sizes decide a spec. */
const CENSUS_SAMPLES = 256;

/** Files being decoded at once. */
const PARALLEL = 8;

type Progress = (done: number, total: number) => void;

export interface FitOptions {
  readonly modalities: readonly Modality[];
  /** Of audio, where the spec is not given. */
  readonly kind?: AudioSpec["kind"];
  readonly durationS?: number;
  /** Side of the pictures that the net sees, where the spec is not given. */
  readonly size?: number;
  /** Specs that are already decided; only their scaling is fitted. */
  readonly specs?: Frontend;
  readonly onProgress?: Progress;
}

/** Features of some samples in one modality, sample after sample. */
export interface FeatureSet {
  /** Of one sample: [height, width, channels]. */
  readonly shape: readonly [number, number, number];
  /** [samples, height, width, channels]. */
  readonly data: Int8Array;
}

/**
 * A front-end for training samples: specs, and scaling fitted to these samples only.
 *
 * A spec that is not given follows the data: the most common rate (at most 16 kHz), the most common
 * picture size.
 *
 * reader   of their dataset
 * samples  of the train split
 * throws   UserError naming the row of a sample that lacks a modality or cannot be read
 */
export async function fitFrontend(
  reader: Reader,
  samples: readonly Sample[],
  { modalities, specs = {}, onProgress, ...defaults }: FitOptions,
): Promise<Frontend> {
  if (samples.length === 0) throw new UserError("features: the train split must have samples");
  const series = modalities.find(({ kind }) => kind === "series");
  if (series !== undefined) {
    throw new UserError(`features: ${series.name} is a series, which has no front-end yet`);
  }
  const fitted: Record<string, FeatureSpec> = {};
  const progress = counted(samples.length * modalities.length, onProgress);
  for (const modality of modalities) {
    const given = specs[modality.name];
    const spec = given ?? (await defaultSpec(reader, samples, { modality, ...defaults }));
    checkSpec(spec, modality.name);
    const read = inputReader(reader, modality.name, spec);
    const extract = extractor(spec, "raw");
    const work = async (sample: Sample): Promise<Int32Array> =>
      progress(extract(await read(sample)));
    const raw = await inParallel(samples, { limit: PARALLEL, work });
    fitted[modality.name] = { ...spec, scaling: fitScaling(raw, spec) };
  }
  return fitted;
}

/**
 * The s8 features of samples, a set for each modality of the front-end.
 *
 * throws  UserError naming the row of a sample that lacks a modality or cannot be read
 */
export async function extractFeatures(
  reader: Reader,
  samples: readonly Sample[],
  { frontend, onProgress }: { frontend: Frontend; onProgress?: Progress },
): Promise<Record<string, FeatureSet>> {
  const names = Object.keys(frontend);
  const progress = counted(samples.length * names.length, onProgress);
  const sets: Record<string, FeatureSet> = {};
  for (const name of names) {
    const shape = featureShape(frontend[name]);
    const size = shape[0] * shape[1] * shape[2];
    const data = new Int8Array(samples.length * size);
    const read = inputReader(reader, name, frontend[name]);
    const extract = extractor(frontend[name]);
    const work = async ([sample, i]: readonly [Sample, number]): Promise<void> =>
      data.set(progress(extract(await read(sample))), i * size);
    const numbered = samples.map((sample, i) => [sample, i] as const);
    await inParallel(numbered, { limit: PARALLEL, work });
    sets[name] = { shape, data };
  }
  return sets;
}

/**
 * A function that reads what the device would get of a sample: s16 samples or u8 pixels.
 *
 * throws  (the function) UserError naming the row of a sample that lacks the modality
 */
export function inputReader(
  reader: Reader,
  modality: string,
  spec: FeatureSpec,
): (sample: Sample) => Promise<TypedArray> {
  if (spec.kind !== "image") {
    const resample = openResampler();
    return async (sample) => {
      requireModality(sample, modality);
      return prepareAudio(await reader.audio(sample, modality), spec, { resample });
    };
  }
  const toSource = pictureFitter(spec);
  return async (sample) => {
    requireModality(sample, modality);
    return toSource(await reader.picture(sample, modality));
  };
}

function requireModality({ id, row, sources }: Sample, modality: string): void {
  if (sources[modality] !== undefined) return;
  throw new UserError(`manifest.csv row ${row}: sample ${id} must have ${modality}, got none`);
}

interface Defaults extends Pick<FitOptions, "kind" | "durationS" | "size"> {
  readonly modality: Modality;
}

async function defaultSpec(
  reader: Reader,
  samples: readonly Sample[],
  { modality: { name, kind: media }, kind, durationS, size }: Defaults,
): Promise<FeatureSpec> {
  const stride = Math.ceil(samples.length / CENSUS_SAMPLES);
  const asked = samples.filter((_, i) => i % stride === 0);
  for (const sample of asked) requireModality(sample, name);
  if (media === "audio") {
    const work = async (sample: Sample): Promise<number> =>
      (await reader.audio(sample, name)).sampleRateHz;
    const rates = await inParallel(asked, { limit: PARALLEL, work });
    const sampleRateHz = Math.min(MAX_RATE_HZ, mostCommon(rates, String));
    return defaultAudioSpec({
      sampleRateHz,
      ...(durationS === undefined ? {} : { durationS }),
      ...(kind === undefined ? {} : { kind }),
    });
  }
  const work = async (sample: Sample): Promise<ImageSpec["source"]> => {
    const { height, width, channels } = await reader.picture(sample, name);
    return { height, width, channels };
  };
  const sources = await inParallel(asked, { limit: PARALLEL, work });
  const source = mostCommon(sources, (s) => `${s.height}x${s.width}x${s.channels}`);
  return defaultImageSpec({ source, ...(size === undefined ? {} : { size }) });
}

/** The most frequent value; of equally frequent ones the first. */
function mostCommon<T>(values: readonly T[], key: (value: T) => string): T {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(key(value), (counts.get(key(value)) ?? 0) + 1);
  return values.reduce((best, value) =>
    (counts.get(key(value)) ?? 0) > (counts.get(key(best)) ?? 0) ? value : best,
  );
}

/** Reports one more done each time a value passes through. */
function counted(total: number, onProgress: Progress | undefined): <T>(value: T) => T {
  let done = 0;
  return (value) => {
    done++;
    onProgress?.(done, total);
    return value;
  };
}
