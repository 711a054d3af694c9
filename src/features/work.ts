/**
 * What is computed of one modality of one sample, and who carries it out for many: this thread
 * here; a program may use more of them, or a cache, behind the same function type.
 */

import {
  inParallel,
  type ModalityKind,
  openResampler,
  type Reader,
  type Sample,
  type Series,
} from "../data/index.ts";
import { UserError } from "../errors.ts";
import type { TypedArray } from "../kernel/index.ts";
import { extractor } from "./frontend.ts";
import { pictureFitter, prepareAudio } from "./prepare.ts";
import { prepareSeries, seriesExtent } from "./prepare-series.ts";
import type { FeatureSpec } from "./spec.ts";

/**
 * form    what a file is, before any spec: [sample rate in Hz], [height, width, channels], or of a
 *         series [rate in Hz as the two words of a double, channels, readings]
 * extent  of a series of so many channels, what their units depend on: see seriesExtent
 * raw     features before scaling, of featureShape(spec); spec.scaling does not matter
 */
export type Work =
  | { readonly op: "form"; readonly kind: ModalityKind }
  | { readonly op: "extent"; readonly channels: number }
  | { readonly op: "raw"; readonly spec: FeatureSpec };

export interface Extraction {
  readonly modality: string;
  readonly work: Work;
  /**
   * Called once for each sample, in any order, with its index among them; the next call may overwrite
   * the values.
   */
  take(index: number, values: Int32Array): void;
}

/**
 * Carries work out for samples; the values do not depend on who does it.
 *
 * throws  UserError naming the row of a sample that lacks the modality or cannot be read; what
 *         `take` throws
 */
export type Extract = (samples: readonly Sample[], extraction: Extraction) => Promise<void>;

/** Files being decoded at once. */
const PARALLEL = 8;

/** Work in this thread. */
export function extractHere(reader: Reader): Extract {
  return async (samples, { modality, work, take }) => {
    const one = sampleExtractor(reader, modality, work);
    const numbered = samples.map((sample, i) => [sample, i] as const);
    await inParallel(numbered, {
      limit: PARALLEL,
      work: async ([sample, i]) => take(i, await one(sample)),
    });
  };
}

/** A function that does the work for one sample; compiled once. */
export function sampleExtractor(
  reader: Reader,
  modality: string,
  work: Work,
): (sample: Sample) => Promise<Int32Array> {
  if (work.op === "raw") {
    const extract = extractor(work.spec, "raw");
    return overInput(reader, modality, work.spec, { use: extract, again: true });
  }
  if (work.op === "extent" || work.kind === "series")
    return seriesExtractor(reader, modality, work);
  if (work.kind === "audio") {
    return async (sample) => {
      requireModality(sample, modality);
      return Int32Array.of((await reader.audio(sample, modality)).sampleRateHz);
    };
  }
  return async (sample) => {
    requireModality(sample, modality);
    const { height, width, channels } = await reader.picture(sample, modality);
    return Int32Array.of(height, width, channels);
  };
}

/**
 * A function that reads what the device would get of a sample: s16 samples or readings, u8 pixels.
 *
 * throws  (the function) UserError naming the row of a sample that lacks the modality, or whose
 *         series does not fit the spec
 */
export function inputReader(
  reader: Reader,
  modality: string,
  spec: FeatureSpec,
): (sample: Sample) => Promise<TypedArray> {
  return overInput(reader, modality, spec, { use: (input) => input, again: false });
}

/**
 * What `use` makes of what inputReader reads.
 *
 * again  the next input may overwrite the one before, which takes less time
 */
function overInput<T>(
  reader: Reader,
  modality: string,
  spec: FeatureSpec,
  { use, again }: { use: (input: TypedArray) => T; again: boolean },
): (sample: Sample) => Promise<T> {
  const resample = openResampler();
  if (spec.kind === "series") {
    return async (sample) => {
      const series = await seriesOf(reader, modality, { sample, channels: spec.channels });
      return use(namingRow(sample, () => prepareSeries(series, spec, { resample })));
    };
  }
  if (spec.kind !== "image") {
    const kept = again ? { into: new Int16Array(spec.samples) } : {};
    return async (sample) => {
      requireModality(sample, modality);
      const audio = await reader.audio(sample, modality);
      return use(prepareAudio(audio, spec, { resample, ...kept }));
    };
  }
  const toSource = pictureFitter(spec);
  return async (sample) => {
    requireModality(sample, modality);
    return use(toSource(await reader.picture(sample, modality)));
  };
}

/** Form or extent of a series. */
function seriesExtractor(
  reader: Reader,
  modality: string,
  work: Exclude<Work, { op: "raw" }>,
): (sample: Sample) => Promise<Int32Array> {
  if (work.op === "extent") {
    const { channels } = work;
    return async (sample) => seriesExtent(await seriesOf(reader, modality, { sample, channels }));
  }
  return async (sample) => {
    requireModality(sample, modality);
    const { rateHz, channels, length } = await reader.series(sample, modality);
    return Int32Array.of(...new Int32Array(Float64Array.of(rateHz).buffer), channels, length);
  };
}

/** Readings of so many channels. */
async function seriesOf(
  reader: Reader,
  modality: string,
  { sample, channels }: { sample: Sample; channels: number },
): Promise<Series> {
  requireModality(sample, modality);
  const series = await reader.series(sample, modality);
  if (series.channels === channels) return series;
  const path = sample.sources[modality]?.path;
  const text = `${path} must have ${channels} channels like most, got ${series.channels}`;
  throw new UserError(`manifest.csv row ${sample.row}: ${text}`);
}

function namingRow<T>({ row }: Sample, prepare: () => T): T {
  try {
    return prepare();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`manifest.csv row ${row}: ${error.message}`);
  }
}

function requireModality({ id, row, sources }: Sample, modality: string): void {
  if (sources[modality] !== undefined) return;
  throw new UserError(`manifest.csv row ${row}: sample ${id} must have ${modality}, got none`);
}
