/**
 * From a dataset to what a net is trained on: specs chosen by the training data, their scaling
 * fitted to it, and the s8 features of any samples, computed by the device's own kernels.
 */

import type { Modality, Reader, Sample } from "../data/index.ts";
import { UserError } from "../errors.ts";
import { checkSpec } from "./check-spec.ts";
import { isRate, unitsOf } from "./prepare-series.ts";
import { scaler } from "./scaler.ts";
import { fitScaling } from "./scaling.ts";
import {
  type AudioSpec,
  defaultAudioSpec,
  defaultImageSpec,
  defaultSeriesSpec,
  type FeatureSpec,
  type Frontend,
  featureShape,
  type ImageSpec,
  type Scaling,
} from "./spec.ts";
import { type Extract, extractHere, type Work } from "./work.ts";

/** More than this a second says little that a net of this size uses. */
const MAX_RATE_HZ = 16000;

/** Samples, evenly spaced, whose rates and sizes decide a spec. */
const CENSUS_SAMPLES = 256;

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
  /** Who computes; this thread, where not given. */
  readonly extract?: Extract;
  /** Who may know a scaling already; every one is fitted, where not given. */
  readonly refit?: Refit;
  readonly onProgress?: Progress;
}

/**
 * The scaling of some samples: what was fitted to equal features in equal order before, or what
 * `compute` gives now.
 */
export type Refit = (
  samples: readonly Sample[],
  of: { readonly modality: string; readonly spec: FeatureSpec },
  compute: () => Promise<Scaling>,
) => Promise<Scaling>;

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
 * picture size; of series the most common rate, length and number of channels, in steps that all fit.
 *
 * reader   of their dataset
 * samples  of the train split
 * throws   UserError naming the row of a sample that lacks a modality or cannot be read
 */
export async function fitFrontend(
  reader: Reader,
  samples: readonly Sample[],
  options: FitOptions,
): Promise<Frontend> {
  const { modalities, specs = {}, extract = extractHere(reader), refit, onProgress } = options;
  if (samples.length === 0) throw new UserError("features: the train split must have samples");
  const fitted: Record<string, FeatureSpec> = {};
  const progress = counted(samples.length * modalities.length, onProgress);
  for (const modality of modalities) {
    const { name } = modality;
    const spec = specs[name] ?? (await defaultSpec(extract, samples, { ...options, modality }));
    checkSpec(spec, name);
    const compute = async (): Promise<Scaling> => {
      const work: Work = { op: "raw", spec };
      return fitScaling(
        await collected(extract, samples, { modality: name, work, progress }),
        spec,
      );
    };
    const scaling = await (refit === undefined
      ? compute()
      : refit(samples, { modality: name, spec }, compute));
    fitted[name] = { ...spec, scaling };
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
  {
    frontend,
    extract = extractHere(reader),
    onProgress,
  }: { frontend: Frontend; extract?: Extract; onProgress?: Progress },
): Promise<Record<string, FeatureSet>> {
  const names = Object.keys(frontend);
  const progress = counted(samples.length * names.length, onProgress);
  const sets: Record<string, FeatureSet> = {};
  for (const modality of names) {
    const spec = frontend[modality];
    const shape = featureShape(spec);
    const size = shape[0] * shape[1] * shape[2];
    const data = new Int8Array(samples.length * size);
    const scaled = scaler(spec);
    const take = (index: number, raw: Int32Array): void => {
      data.set(scaled(raw), index * size);
      progress();
    };
    await extract(samples, { modality, work: { op: "raw", spec }, take });
    sets[modality] = { shape, data };
  }
  return sets;
}

/** All values at once, in the order of the samples. */
async function collected(
  extract: Extract,
  samples: readonly Sample[],
  { modality, work, progress }: { modality: string; work: Work; progress?: () => void },
): Promise<Int32Array[]> {
  const values: Int32Array[] = new Array(samples.length);
  const take = (index: number, value: Int32Array): void => {
    values[index] = value.slice();
    progress?.();
  };
  await extract(samples, { modality, work, take });
  return values;
}

interface Defaults extends Pick<FitOptions, "kind" | "durationS" | "size"> {
  readonly modality: Modality;
}

async function defaultSpec(
  extract: Extract,
  samples: readonly Sample[],
  { modality: { name, kind: media }, kind, durationS, size }: Defaults,
): Promise<FeatureSpec> {
  const stride = Math.ceil(samples.length / CENSUS_SAMPLES);
  const asked = samples.filter((_, i) => i % stride === 0);
  const work: Work = { op: "form", kind: media };
  const forms = await collected(extract, asked, { modality: name, work });
  if (media === "audio") {
    const rates = forms.map(([rate]) => rate);
    const sampleRateHz = Math.min(MAX_RATE_HZ, mostCommon(rates, String));
    return defaultAudioSpec({
      sampleRateHz,
      ...(durationS === undefined ? {} : { durationS }),
      ...(kind === undefined ? {} : { kind }),
    });
  }
  if (media === "series") {
    return seriesSpec(extract, samples, { forms, name, ...(durationS && { durationS }) });
  }
  const [height, width, channels] = mostCommon(forms, String);
  const source: ImageSpec["source"] = { height, width, channels: channels === 1 ? 1 : 3 };
  return defaultImageSpec({ source, ...(size === undefined ? {} : { size }) });
}

async function seriesSpec(
  extract: Extract,
  samples: readonly Sample[],
  { forms, name, durationS }: { forms: readonly Int32Array[]; name: string; durationS?: number },
): Promise<FeatureSpec> {
  const given = mostCommon(forms.map(rateOf), String);
  const usual = (i: number): number =>
    mostCommon(
      Array.from(forms, (form) => form[i]),
      String,
    );
  const [channels, readings] = [usual(2), usual(3)];
  const window = durationS === undefined ? readings : Math.round(durationS * given);
  const whole = Math.round(given); // a rate read off time stamps is rarely one
  const rateHz = whole > 0 && isRate(given, whole, window) ? whole : given;
  const work: Work = { op: "extent", channels };
  const units = unitsOf(await collected(extract, samples, { modality: name, work }));
  return defaultSeriesSpec({ rateHz, channels, units, durationS: window / rateHz });
}

function rateOf(form: Int32Array): number {
  return new Float64Array(form.slice(0, 2).buffer)[0];
}

/** The most frequent value; of equally frequent ones the first. */
function mostCommon<T>(values: readonly T[], key: (value: T) => string): T {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(key(value), (counts.get(key(value)) ?? 0) + 1);
  return values.reduce((best, value) =>
    (counts.get(key(value)) ?? 0) > (counts.get(key(best)) ?? 0) ? value : best,
  );
}

/** A function that reports one more done. */
function counted(total: number, onProgress: Progress | undefined): () => void {
  let done = 0;
  return () => onProgress?.(++done, total);
}
