/**
 * What a dataset is: classes, modalities and paired, labelled samples, each in one split.
 *
 * Everything here is plain read-only data; nothing is decoded. Problems are values, not exceptions,
 * so that a user sees all of them at once.
 */

import { UserError } from "../errors.ts";

export type Split = "train" | "val" | "test";
export type ModalityKind = "audio" | "image" | "series";

export const SPLITS: readonly Split[] = ["train", "val", "test"];

/** A column of the manifest that holds files, and what its files are. */
export interface Modality {
  readonly name: string;
  readonly kind: ModalityKind;
}

/** Where one modality of one sample is: a file, or a segment of a longer recording. */
export interface Source {
  /** Relative to the dataset's folder, with forward slashes. */
  readonly path: string;
  readonly startS?: number;
  readonly durationS?: number;
  /** Who or what was recorded, where it differs from the sample's own group. */
  readonly group?: string;
  /** Of a grey picture's counts, those that become the pixels 0 to 255. */
  readonly range?: CountRange;
  /** Of a series, where its file does not say it. */
  readonly rateHz?: number;
}

/** Counts from low to below high, in the units of a file. */
export interface CountRange {
  readonly low: number;
  readonly high: number;
}

export interface Sample {
  readonly id: string;
  /** Line in manifest.csv; the header is line 1. */
  readonly row: number;
  readonly label: string;
  readonly split: Split;
  readonly group: string;
  /** By modality; a key that is not there is a missing modality. */
  readonly sources: Readonly<Record<string, Source>>;
  /** All other columns, for information. */
  readonly columns: Readonly<Record<string, string>>;
}

export interface Problem {
  readonly severity: "error" | "warning";
  readonly kind: string;
  /** The id of the sample, where it is about one. */
  readonly sample?: string;
  /** The ids of all samples it is about, or the first of many, where there is more than one. */
  readonly samples?: readonly string[];
  /** One sentence that names the file and the row. */
  readonly message: string;
}

export interface Dataset {
  readonly name: string;
  readonly folder: string;
  readonly classes: readonly string[];
  readonly modalities: readonly Modality[];
  readonly samples: readonly Sample[];
  readonly problems: readonly Problem[];
}

/** One channel of sound, in [-1, 1]. */
export interface Audio {
  readonly samples: Float32Array;
  readonly sampleRateHz: number;
}

/** A picture, 8 bits a channel, in the order [height, width, channels]. */
export interface Picture {
  readonly pixels: Uint8Array;
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
}

/** Readings of a sensor at one rate: motion, gas, current, pressure, ... */
export interface Series {
  readonly rateHz: number;
  readonly channels: number;
  /** Interleaved: reading after reading, all channels of each. In the units of the file. */
  readonly data: Float32Array;
  /** Readings, so that data holds length * channels values. */
  readonly length: number;
}

/**
 * Refuse a dataset that has errors; warnings pass.
 *
 * ignore   kinds of problems that do not matter for what it is used for
 * throws   UserError with one line an error
 */
export function assertUsable(
  dataset: Pick<Dataset, "folder" | "problems">,
  { ignore = [] }: { ignore?: readonly string[] } = {},
): void {
  const errors = dataset.problems.filter(
    ({ severity, kind }) => severity === "error" && !ignore.includes(kind),
  );
  if (errors.length === 0) return;
  const lines = errors.map(({ message }) => `  ${message}`);
  throw new UserError(`${dataset.folder} cannot be used:\n${lines.join("\n")}`);
}
