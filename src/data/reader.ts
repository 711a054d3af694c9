/**
 * One sample's sound, picture or series at a time, decoded; recordings that hold many segments are kept.
 */

import { mismatch, UserError } from "../errors.ts";
import type { Audio, Dataset, Picture, Sample, Series, Source } from "./dataset.ts";
import { readBytes } from "./files.ts";
import { MANIFEST } from "./manifest.ts";
import { decodePicture } from "./picture.ts";
import { decodeSeries } from "./series.ts";
import { decodeSound } from "./sound.ts";
import { mixToMono } from "./wav.ts";

/** Decoded sound kept in memory; av-digits needs 52 MB, drone-av 30 MB. */
const CACHE_BYTES = 256 * 2 ** 20;

/** How far a segment may reach past the end of its recording and still be taken, shortened. */
const END_TOLERANCE_S = 0.01;

export interface Reader {
  /**
   * Mono at the file's own rate, the sample's segment only. The array may be a view: do not write.
   */
  audio(sample: Sample, modality: string): Promise<Audio>;
  picture(sample: Sample, modality: string): Promise<Picture>;
  /** At its own rate, the sample's segment only. */
  series(sample: Sample, modality: string): Promise<Series>;
}

interface ReaderOptions {
  readonly cacheBytes?: number;
  readonly onRead?: (path: string, bytes: Uint8Array) => void;
}

/**
 * A reader of a dataset's files.
 *
 * cacheBytes  of decoded recordings kept, the least recently used dropped first
 * onRead      gets the bytes of each file before they are decoded
 * throws      (its methods) UserError naming row and file for one that is missing, broken or too
 *             short
 */
export function openReader(
  dataset: Pick<Dataset, "folder" | "samples">,
  { cacheBytes = CACHE_BYTES, onRead }: ReaderOptions = {},
): Reader {
  const { folder, samples } = dataset;
  const read = async (path: string): Promise<Uint8Array> => {
    const bytes = await readBytes(`${folder}/${path}`);
    onRead?.(path, bytes);
    return bytes;
  };
  const shared = sharedPaths(samples);
  const kept = recentlyUsed(cacheBytes);
  const decode = async (path: string): Promise<Audio> => {
    const sound = await decodeSound(await read(path), path);
    return { samples: mixToMono(sound), sampleRateHz: sound.sampleRateHz };
  };
  return {
    audio(sample, modality) {
      const source = sourceOf(sample, modality);
      return namingRow(sample, async () => {
        const isShared = shared.has(source.path);
        const recording = await (isShared ? kept(source.path, decode) : decode(source.path));
        const { samples, sampleRateHz } = recording;
        const { start, end } = segment(samples.length, sampleRateHz, source);
        return { samples: samples.subarray(start, end), sampleRateHz };
      });
    },
    picture(sample, modality) {
      const { path, range } = sourceOf(sample, modality);
      return namingRow(sample, async () =>
        decodePicture(await read(path), path, { ...(range && { range }) }),
      );
    },
    series(sample, modality) {
      const source = sourceOf(sample, modality);
      const { path: name, rateHz } = source;
      return namingRow(sample, async () => {
        const bytes = await read(name);
        const whole = decodeSeries(bytes, { name, ...(rateHz && { rateHz }) });
        const { start, end } = segment(whole.length, whole.rateHz, source);
        const data = whole.data.subarray(start * whole.channels, end * whole.channels);
        return { ...whole, data, length: end - start };
      });
    },
  };
}

function sourceOf(sample: Sample, modality: string): Source {
  const source = sample.sources[modality];
  if (source !== undefined) return source;
  const got = Object.keys(sample.sources).join(", ");
  throw mismatch("reader", "modality", { expected: `one of ${sample.id}: ${got}`, got: modality });
}

async function namingRow<T>(sample: Sample, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${MANIFEST} row ${sample.row}: ${error.message}`);
  }
}

function sharedPaths(samples: readonly Sample[]): Set<string> {
  const seen = new Set<string>();
  const shared = new Set<string>();
  for (const { sources } of samples) {
    for (const { path } of Object.values(sources)) (seen.has(path) ? shared : seen).add(path);
  }
  return shared;
}

/** Where a source's segment lies in a recording of so many samples or readings. */
function segment(
  length: number,
  rateHz: number,
  { path, startS = 0, durationS }: Source,
): { start: number; end: number } {
  const start = Math.round(startS * rateHz);
  const end = durationS === undefined ? length : start + Math.round(durationS * rateHz);
  if (end > length + END_TOLERANCE_S * rateHz || start >= length) {
    const lasts = (length / rateHz).toFixed(3);
    const wanted = `${startS} to ${durationS === undefined ? "its end" : startS + durationS} s`;
    throw new UserError(`${path} lasts ${lasts} s, the segment wants ${wanted}`);
  }
  if (end <= start) throw new UserError(`${path} has a segment of zero length at ${startS} s`);
  return { start, end: Math.min(end, length) };
}

/** A cache of promises, so that what is being decoded is not decoded again. */
function recentlyUsed(
  limit: number,
): (path: string, decode: (path: string) => Promise<Audio>) => Promise<Audio> {
  const entries = new Map<string, { audio: Promise<Audio>; bytes: number }>();
  let total = 0;
  const drop = (path: string) => {
    total -= entries.get(path)?.bytes ?? 0;
    entries.delete(path);
  };
  return (path, decode) => {
    const entry = entries.get(path) ?? { audio: decode(path), bytes: 0 };
    const isNew = !entries.has(path);
    entries.delete(path);
    entries.set(path, entry); // last = most recently used
    if (isNew) {
      entry.audio.then(
        ({ samples }) => {
          entry.bytes = samples.byteLength;
          total += entry.bytes;
          for (const oldest of entries.keys()) {
            if (total <= limit) break;
            drop(oldest);
          }
        },
        () => drop(path),
      );
    }
    return entry.audio;
  };
}
