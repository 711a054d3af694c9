/**
 * How verbs compute the features of a dataset and the hash of its content: on all cores, and only
 * what is not in the cache.
 *
 * A feature is known by the SHA-256 of its file, what the manifest says of it (segment, range, rate),
 * its spec without scaling, and the version of the code: not by names or places, so that runs, splits
 * and copies of a dataset share it. A scaling is known by the features it was fitted to, in their
 * order.
 */

import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { contentHash, type Dataset, type Reader, type Sample } from "../../../src/data/index.ts";
import type { Extract, Refit, Scaling } from "../../../src/features/index.ts";
import type { Context } from "../context.ts";
import { cacheFolder, prune } from "./cache-folder.ts";
import { codeVersion } from "./code-version.ts";
import {
  hashIfReadable,
  sampleKeys,
  scalingCount,
  scalingKey,
  sha256,
  valueCount,
  workKey,
} from "./feature-keys.ts";
import { type FeatureStore, openFeatureStore } from "./feature-store.ts";
import { type FileHashes, openFileHashes } from "./file-hashes.ts";
import { openLanes } from "./lanes.ts";

export interface DatasetExtraction {
  readonly extract: Extract;
  /** Scalings that were fitted to the same features before. */
  readonly refit: Refit;
  /** As `contentHash`. */
  hash(): Promise<string>;
  /** End the processes. */
  close(): void;
}

export interface ExtractionOptions {
  readonly reader: Reader;
  /** Processes at most. */
  readonly threads: number;
  /** Whether what is known may be used and what is computed kept. */
  readonly cache: boolean;
}

export function openExtraction(
  context: Context,
  dataset: Dataset,
  { reader, threads, cache }: ExtractionOptions,
): DatasetExtraction {
  const { extract, close } = openLanes(dataset, { reader, threads });
  const folder = cache ? cacheFolder(context.environment) : undefined;
  if (folder === undefined) {
    return {
      extract,
      close,
      refit: (_samples, _of, compute) => compute(),
      hash: () => contentHash(dataset),
    };
  }
  const hashes = openFileHashes(dataset.folder, folder, Date.now);
  const keyOf = sampleKeys(hashes);
  let version: string | undefined;
  const keep = keeper(context, folder);
  const storeOf = (key: string, length: number): FeatureStore =>
    openFeatureStore(join(folder, "features", key), length);
  const isUnchanged = ({ sources }: Sample, modality: string): boolean =>
    hashes.isUnchanged(sources[modality]?.path ?? "");
  return {
    close,
    hash: async () => {
      const known = await hashFiles(context, dataset, hashes);
      keep(() => hashes.save());
      return contentHash(dataset, { hashOf: (path) => known.get(path) });
    },
    extract: async (samples, extraction) => {
      version ??= codeVersion();
      const { modality, work } = extraction;
      await extractMissing(samples, {
        ...extraction,
        extract,
        store: storeOf(workKey(work, version), valueCount(work)),
        keep,
        prune: () => prune(folder, { nowMs: Date.now() }),
        key: (sample) => keyOf(sample, modality),
        isUnchanged: (sample) => isUnchanged(sample, modality),
      });
    },
    refit: async (samples, { modality, spec }, compute) => {
      version ??= codeVersion();
      const store = storeOf(scalingKey(spec, version), scalingCount(spec));
      const keys = samples.map((sample) => keyOf(sample, modality) ?? "");
      const key = sha256(keys.join(" "));
      let known: Int32Array | undefined;
      const missing = store.read([key], (_, values) => {
        known = values.slice();
      });
      if (known !== undefined && missing.length === 0) return scalingOf(known);
      const fitted = await compute();
      const isKnown = keys.every((one) => one !== "");
      if (isKnown && samples.every((sample) => isUnchanged(sample, modality))) {
        keep(() => {
          store.add(key, Int32Array.of(...fitted.offset, ...fitted.multiplier));
          store.flush();
        });
      }
      return fitted;
    },
  };
}

function scalingOf(values: Int32Array): Scaling {
  const channels = values.length / 2;
  return { offset: [...values.subarray(0, channels)], multiplier: [...values.subarray(channels)] };
}

interface Cached {
  readonly extract: Extract;
  readonly store: FeatureStore;
  readonly keep: (write: () => void) => void;
  /** Undefined for what has no file, or none that can be read: computing it tells why. */
  key(sample: Sample): string | undefined;
  isUnchanged(sample: Sample): boolean;
  prune(): void;
}

async function extractMissing(
  samples: readonly Sample[],
  { extract, store, keep, prune, key, isUnchanged, ...extraction }: Cached & Parameters<Extract>[1],
): Promise<void> {
  const keys = samples.map(key);
  const { take } = extraction;
  const missing = store.read(
    keys.map((known) => known ?? ""),
    take,
  );
  if (missing.length === 0) return;
  try {
    await extract(
      missing.map((index) => samples[index]),
      {
        ...extraction,
        take: (i, values) => {
          const known = keys[missing[i]];
          const isSame = known !== undefined && isUnchanged(samples[missing[i]]);
          if (isSame) keep(() => store.add(known, values));
          take(missing[i], values);
        },
      },
    );
  } finally {
    // after Ctrl-C and errors too: what is done is done
    keep(() => {
      store.flush();
      prune();
    });
  }
}

/** Writes to the cache; when that fails, says so once and writes no more. */
function keeper({ reporter }: Context, folder: string): (write: () => void) => void {
  let isBroken = false;
  return (write) => {
    if (isBroken) return;
    try {
      write();
    } catch (error) {
      isBroken = true;
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === undefined) throw error;
      reporter.line(`warning: ${folder} cannot be written (${code}): features are not kept`);
    }
  };
}

/** Told as a stage when it takes longer than this. */
const SILENT_MS = 500;
const FILES_A_TURN = 64;

/** Hashes by path; a file that cannot be read is not among them. */
async function hashFiles(
  { reporter, now }: Context,
  { samples }: Dataset,
  hashes: FileHashes,
): Promise<Map<string, string>> {
  const start = now();
  const known = new Map<string, string>();
  const used = samples.flatMap(({ sources }) => Object.values(sources));
  const paths = ["manifest.csv", ...new Set(used.map(({ path }) => path))];
  let isTold = false;
  for (const [i, path] of paths.entries()) {
    const hash = hashIfReadable(hashes, path);
    if (hash !== undefined) known.set(path, hash);
    if (i % FILES_A_TURN > 0) continue;
    await setImmediate();
    if (!isTold && now() - start > SILENT_MS) {
      reporter.stage("hash files");
      isTold = true;
    }
    reporter.update(i, paths.length);
  }
  if (isTold) reporter.done();
  return known;
}
