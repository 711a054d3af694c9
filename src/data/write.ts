/**
 * A dataset written to disk in the form that `readDataset` reads: manifest.csv, WAV and PNG files.
 */

import { UserError } from "../errors.ts";
import type { Audio, Picture, Split } from "./dataset.ts";
import { fillFolder, writeBytes } from "./files.ts";
import { inParallel } from "./in-parallel.ts";
import { MANIFEST } from "./manifest.ts";
import { encodePng } from "./picture.ts";
import { formatTable } from "./table.ts";
import { encodeWav } from "./wav.ts";

const FILES_AT_ONCE = 8;

/** A sample with its content. */
export interface NewSample {
  /** Letters, digits, dot, dash and underscore: it names the files. */
  readonly id: string;
  readonly label: string;
  readonly split: Split;
  readonly group: string;
  readonly sources: Readonly<Record<string, Audio | Picture>>;
  /** Further columns of the manifest. */
  readonly columns?: Readonly<Record<string, string>>;
}

/**
 * Write a dataset, complete or not at all.
 *
 * folder   must not exist, or be empty, or with `force` be a dataset, which is then replaced
 * samples  taken one at a time, so that they may be made on the way
 * readme   text of README.md; none is written without it
 */
export async function writeDataset(
  folder: string,
  {
    samples,
    readme,
    force = false,
  }: { samples: Iterable<NewSample>; readme?: string; force?: boolean },
): Promise<void> {
  const fill = async (temporary: string) => {
    const work = (sample: NewSample) => writeSample(temporary, sample);
    const rows = await inParallel(samples, { limit: FILES_AT_ONCE, work });
    await writeBytes(`${temporary}/${MANIFEST}`, formatTable(rows));
    if (readme !== undefined) await writeBytes(`${temporary}/README.md`, readme);
  };
  await fillFolder(folder, { fill, ...(force ? { replaceIf: MANIFEST } : {}) });
}

async function writeSample(folder: string, sample: NewSample): Promise<Record<string, string>> {
  const { id, label, split, group, sources, columns } = sample;
  if (!/^\w[\w.-]*$/.test(id)) {
    throw new UserError(`writing ${folder}: id must be letters, digits, ".", "-", "_", got ${id}`);
  }
  const row: Record<string, string> = { id, label, split, group };
  for (const [modality, content] of Object.entries(sources)) {
    const isAudio = "sampleRateHz" in content;
    const bytes = isAudio
      ? encodeWav(content.samples, content.sampleRateHz)
      : await encodePng(content);
    row[modality] = `${modality}/${id}.${isAudio ? "wav" : "png"}`;
    await writeBytes(`${folder}/${row[modality]}`, bytes);
  }
  return { ...row, ...columns };
}
