/**
 * What a cached feature is known by: the content of its file, what the manifest says of it, its spec
 * without scaling and the version of the code.
 */

import { createHash } from "node:crypto";
import type { Sample, Source } from "../../../src/data/index.ts";
import {
  channelCount,
  type FeatureSpec,
  featureShape,
  type Work,
} from "../../../src/features/index.ts";
import type { FileHashes } from "./file-hashes.ts";

/** Hash of a file; undefined where it cannot be read. */
export function hashIfReadable(hashes: FileHashes, path: string): string | undefined {
  try {
    return hashes.of(path);
  } catch {
    return undefined;
  }
}

/**
 * The key of a sample's part in a modality, worked out once; undefined for what has no file, or none
 * that can be read: computing it tells why.
 */
export function sampleKeys(
  hashes: FileHashes,
): (sample: Sample, modality: string) => string | undefined {
  const known = new Map<Source, string | undefined>();
  return ({ sources }, modality) => {
    const source = sources[modality];
    if (source === undefined) return undefined;
    if (!known.has(source)) known.set(source, sourceKey(source, hashes));
    return known.get(source);
  };
}

function sourceKey(source: Source, hashes: FileHashes): string | undefined {
  const { path, startS = 0, durationS = "", range = { low: "", high: "" }, rateHz = "" } = source;
  const file = hashIfReadable(hashes, path);
  if (file === undefined) return undefined;
  return sha256([file, startS, durationS, range.low, range.high, rateHz].join(" "));
}

/** The key of what is computed. */
export function workKey(work: Work, version: string): string {
  const what =
    work.op === "raw" ? withoutScaling(work.spec) : work.op === "form" ? work.kind : work.channels;
  return sha256(JSON.stringify([version, work.op, what])).slice(0, 32);
}

/** The key of scalings that are fitted to features. */
export function scalingKey(spec: FeatureSpec, version: string): string {
  return sha256(JSON.stringify([version, "scaling", withoutScaling(spec)])).slice(0, 32);
}

function withoutScaling({ scaling: _, ...spec }: FeatureSpec): object {
  return spec;
}

/** Values of one sample. */
export function valueCount(work: Work): number {
  if (work.op === "form") return { audio: 1, image: 3, series: 4 }[work.kind];
  if (work.op === "extent") return 2 * work.channels;
  const [height, width, channels] = featureShape(work.spec);
  return height * width * channels;
}

/** Values of one scaling. */
export function scalingCount(spec: FeatureSpec): number {
  return 2 * channelCount(spec);
}

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
