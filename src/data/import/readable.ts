/** Files that can be read, each decoded once: what is broken is found before it is copied. */

import { mismatch, UserError } from "../../errors.ts";
import type { FoundSample } from "../collect.ts";
import type { Sample, Source } from "../dataset.ts";
import { inParallel } from "../in-parallel.ts";
import { fileKind, MANIFEST } from "../manifest.ts";
import { openReader, type Reader } from "../reader.ts";
import type { Refusal } from "./importer.ts";

const SAMPLES_AT_ONCE = 8;

/** Paths that a manifest cannot hold: its cells are trimmed, its paths have forward slashes. */
const UNFIT_PATH = /\\|^\s|\s$|^[a-z]:|\p{Cc}/iu;

interface Checked {
  readonly samples: readonly FoundSample[];
  readonly refused: readonly Refusal[];
}

/**
 * Leave out what cannot be decoded; a sample stays as long as it has a modality.
 *
 * folder      that paths are relative to
 * onProgress  called after each file with how many are done, of how many
 */
export async function readable(
  all: readonly FoundSample[],
  { folder, onProgress }: { folder: string; onProgress?: (done: number, total: number) => void },
): Promise<Checked> {
  const samples = all.map((sample): Sample => ({ ...sample, split: "train", row: 0 }));
  const reader = openReader({ folder, samples });
  const total = samples.reduce((sum, { sources }) => sum + Object.keys(sources).length, 0);
  let done = 0;
  const reasons = await inParallel(samples, {
    limit: SAMPLES_AT_ONCE,
    work: async (sample) => {
      const own = new Map<string, string>();
      for (const name of Object.keys(sample.sources)) {
        const reason = await faultOf(reader, sample, name);
        if (reason !== undefined) own.set(name, reason);
        onProgress?.(++done, total);
      }
      return own;
    },
  });
  const refused = new Map<string, Refusal>();
  const kept = all.flatMap((sample, i): FoundSample[] => {
    const sound = Object.entries(sample.sources).filter(([name, { path }]) => {
      const reason = reasons[i].get(name);
      if (reason !== undefined) refused.set(`${path} ${reason}`, { path, reason });
      return reason === undefined;
    });
    return sound.length === 0 ? [] : [{ ...sample, sources: Object.fromEntries<Source>(sound) }];
  });
  return { samples: kept, refused: [...refused.values()] };
}

/** Why a file cannot be used; undefined if it can. */
async function faultOf(reader: Reader, sample: Sample, name: string): Promise<string | undefined> {
  const { path } = sample.sources[name];
  if (UNFIT_PATH.test(path)) return "has a name that a manifest cannot hold; rename it";
  try {
    await decode(reader, sample, name);
    return undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const [line] = error.message.replace(`${MANIFEST} row 0: `, "").split("\n");
    return line.startsWith(`${path} `) ? line.slice(path.length + 1) : line;
  }
}

function decode(reader: Reader, sample: Sample, name: string): Promise<unknown> {
  const { path } = sample.sources[name];
  const kind = fileKind(path);
  switch (kind) {
    case "audio":
      return reader.audio(sample, name);
    case "image":
      return reader.picture(sample, name);
    case "series":
      return reader.series(sample, name);
    case undefined:
      throw mismatch("import", "file", { expected: "a sound, a picture or a series", got: path });
    default:
      return kind satisfies never;
  }
}
