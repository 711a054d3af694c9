/**
 * Recordings that lie elsewhere, collected into a dataset's folder: their files, under the paths
 * they have there, and manifest.csv.
 *
 * Originals are read and never changed. Information that would be taken for files or for a column
 * of its own meaning is left out.
 */

import { UserError } from "../errors.ts";
import type { Sample } from "./dataset.ts";
import { areNested, fillFolder, placeFile, writeBytes } from "./files.ts";
import { inParallel } from "./in-parallel.ts";
import { columnsOf, fileKind, MANIFEST, type UnsplitSample } from "./manifest.ts";
import { formatTable } from "./table.ts";

const FILES_AT_ONCE = 8;

/** A sample whose paths are relative to a folder that is no dataset yet. */
export type FoundSample = Omit<UnsplitSample, "row">;

export interface CollectOptions {
  /** Where the files are. */
  readonly from: string;
  readonly samples: readonly FoundSample[];
  /** Symbolic links instead of copies. */
  readonly link?: boolean;
  /** Replace a dataset that is there. */
  readonly force?: boolean;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Write a dataset, complete or not at all.
 *
 * folder   must not exist, or be empty, or with `force` be a dataset, which is then replaced
 * throws   UserError if it is the folder the files come from, or nested with it
 */
export async function collectDataset(
  folder: string,
  { from, samples, link = false, force = false, onProgress }: CollectOptions,
): Promise<void> {
  if (await areNested(folder, from)) {
    throw new UserError(`${folder} must lie apart from ${from}, whose files are not to be changed`);
  }
  const paths = filesOf(samples);
  let done = 0;
  const fill = async (temporary: string) => {
    const work = async (path: string) => {
      await placeFile(`${from}/${path}`, `${temporary}/${path}`, { link });
      onProgress?.(++done, paths.length);
    };
    await inParallel(paths, { limit: FILES_AT_ONCE, work });
    await writeBytes(`${temporary}/${MANIFEST}`, formatTable(rowsOf(samples)));
  };
  await fillFolder(folder, { fill, ...(force ? { replaceIf: MANIFEST } : {}) });
}

/** Every file that samples use, once, sorted. */
export function filesOf(samples: readonly Pick<Sample, "sources">[]): string[] {
  const paths = samples.flatMap(({ sources }) => Object.values(sources).map(({ path }) => path));
  return [...new Set(paths)].sort();
}

/** Rows of manifest.csv. */
function rowsOf(samples: readonly FoundSample[]): Record<string, string>[] {
  const modalities = new Set(samples.flatMap(({ sources }) => Object.keys(sources)));
  const columns = [...modalities].flatMap((name) => columnsOf({ name }));
  const taken = new Set(["id", "label", "split", "group", ...columns]);
  return samples.map((sample) => rowOf(sample, taken));
}

function rowOf(
  { id, label, split, group, sources, columns }: FoundSample,
  taken: ReadonlySet<string>,
): Record<string, string> {
  const row: Record<string, string> = { id, label, split, group };
  for (const [name, { path, startS, durationS, group: own, range, rateHz }] of Object.entries(
    sources,
  )) {
    row[name] = path;
    if (startS !== undefined) row[`${name}_start_s`] = `${startS}`;
    if (durationS !== undefined) row[`${name}_duration_s`] = `${durationS}`;
    if (own !== undefined) row[`${name}_group`] = own;
    if (range !== undefined) row[`${name}_low`] = `${range.low}`;
    if (range !== undefined) row[`${name}_high`] = `${range.high}`;
    if (rateHz !== undefined) row[`${name}_rate_hz`] = `${rateHz}`;
  }
  for (const [name, value] of Object.entries(columns)) {
    const isFree = !taken.has(name) && name.trim() === name && name !== "";
    if (isFree && fileKind(value) === undefined) row[name] = value;
  }
  return row;
}
