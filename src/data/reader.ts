/**
 * One sample's sound or picture at a time, decoded; recordings that hold many segments are kept.
 */

import { mismatch, UserError } from "../errors.ts";
import type { Audio, Dataset, Picture, Sample, Source } from "./dataset.ts";
import { decodePicture, readBytes } from "./files.ts";
import { MANIFEST } from "./manifest.ts";
import { decodeWav, mixToMono } from "./wav.ts";

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
}

/**
 * A reader of a dataset's files.
 *
 * cacheBytes  of decoded recordings kept, the least recently used dropped first
 * throws      (its methods) UserError naming row and file for one that is missing, broken or too
 *             short
 */
export function openReader(
  dataset: Pick<Dataset, "folder" | "samples">,
  { cacheBytes = CACHE_BYTES }: { cacheBytes?: number } = {},
): Reader {
  const { folder, samples } = dataset;
  const shared = sharedPaths(samples);
  const kept = recentlyUsed(cacheBytes);
  const decode = async (path: string): Promise<Audio> => {
    const wav = decodeWav(await readBytes(`${folder}/${path}`), path);
    return { samples: mixToMono(wav), sampleRateHz: wav.sampleRateHz };
  };
  return {
    audio(sample, modality) {
      const source = sourceOf(sample, modality);
      return namingRow(sample, async () => {
        const isShared = shared.has(source.path);
        const recording = await (isShared ? kept(source.path, decode) : decode(source.path));
        return segment(recording, source);
      });
    },
    picture(sample, modality) {
      const { path } = sourceOf(sample, modality);
      return namingRow(sample, async () =>
        decodePicture(await readBytes(`${folder}/${path}`), path),
      );
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

function segment(recording: Audio, { path, startS = 0, durationS }: Source): Audio {
  const { samples, sampleRateHz } = recording;
  if (startS === 0 && durationS === undefined) return recording;
  const start = Math.round(startS * sampleRateHz);
  const length = durationS === undefined ? samples.length - start : durationS * sampleRateHz;
  const end = start + Math.round(length);
  if (end > samples.length + END_TOLERANCE_S * sampleRateHz || start >= samples.length) {
    const lasts = (samples.length / sampleRateHz).toFixed(3);
    const wanted = `${startS} to ${durationS === undefined ? "its end" : startS + durationS} s`;
    throw new UserError(`${path} lasts ${lasts} s, the segment wants ${wanted}`);
  }
  if (end <= start) throw new UserError(`${path} has a segment of zero length at ${startS} s`);
  return { samples: samples.subarray(start, end), sampleRateHz };
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
