/**
 * A dataset from its folder: the manifest read and checked, files seen to exist, nothing decoded.
 */

import { UserError } from "../errors.ts";
import { auditSamples } from "./audit.ts";
import { type Dataset, type Sample, SPLITS, type Split } from "./dataset.ts";
import { folderName, isFile, listFolder, readBytes } from "./files.ts";
import { MANIFEST, readManifest, type UnsplitSample } from "./manifest.ts";
import { collectProblems, type Problems } from "./problems.ts";
import { type Fold, splitByFold, splitByGroup } from "./split.ts";
import { parseTable } from "./table.ts";

/**
 * Read a dataset's manifest.
 *
 * folder      holds manifest.csv
 * seed        of splits that the manifest leaves open, and of folds
 * fold        splits of cross-validation instead of the manifest's
 * modalities  the ones in use, all where not given; only these are checked
 * returns     the dataset with all its problems; see `assertUsable`
 * throws      UserError if there is no manifest to read, or a modality is unknown
 */
export async function readDataset(
  folder: string,
  {
    seed = 1,
    modalities: wanted,
    fold,
  }: { seed?: number; modalities?: readonly string[]; fold?: Fold } = {},
): Promise<Dataset> {
  await assertManifest(folder);
  const table = parseTable(await readBytes(`${folder}/${MANIFEST}`), MANIFEST);
  const problems = collectProblems();
  const { modalities, samples: unsplit } = readManifest(table, {
    ...(wanted === undefined ? {} : { modalities: wanted }),
    problems,
  });
  const samples =
    fold === undefined
      ? settleSplits(unsplit, { seed, problems })
      : dealFold(unsplit, { seed, fold, problems });
  const classes = sortedClasses(samples);
  await checkFiles(folder, { samples, problems });
  auditSamples({ samples, classes, modalities }, problems);
  const name = await folderName(folder);
  return { name, folder, classes, modalities, samples, problems: problems.list() };
}

async function assertManifest(folder: string): Promise<void> {
  const entries = await listFolder(folder);
  if (entries === undefined) throw new UserError(`${folder} is not a folder: a dataset is one`);
  if (entries.has(MANIFEST)) return;
  const columns = "columns id, label, split, group and one a modality";
  const wanted = `${folder} has no ${MANIFEST} (${columns})`;
  for (const [name, kind] of entries) {
    if (kind !== "folder") continue;
    const inside = [...((await listFolder(`${folder}/${name}`)) ?? [])];
    if (inside.some(([file]) => /\.(wav|flac|mp3|ogg|png|jpe?g)$/i.test(file))) {
      throw new UserError(
        `${wanted}; \`tinym2net data import\` makes one of ${name}/ and the like`,
      );
    }
  }
  throw new UserError(wanted);
}

/** Every sample with a split: as given, or made where all of them, or all of val, are left open. */
function settleSplits(
  samples: readonly UnsplitSample[],
  { seed, problems }: { seed: number; problems: Problems },
): Sample[] {
  const open = samples.filter(({ split }) => split === "");
  if (samples.length === 0) return [];
  if (open.length === samples.length) {
    const made = splitByGroup(samples, { seed });
    problems.warning(
      "split made",
      `${MANIFEST} has no splits: made by group 70/15/15, seed ${seed}`,
    );
    return samples.map((sample, i) => ({ ...sample, split: made[i] }));
  }
  for (const { row, id } of open) {
    const message = `${MANIFEST} row ${row}: split is empty though other rows have one`;
    problems.error("missing split", message, id);
  }
  const settled = samples.filter((sample): sample is Sample => sample.split !== "");
  if (settled.some(({ split }) => split === "val")) return settled;
  return makeVal(settled, { seed, problems });
}

/** Splits of cross-validation; what the manifest says of splits is told to be left aside. */
function dealFold(
  samples: readonly UnsplitSample[],
  { seed, fold, problems }: { seed: number; fold: Fold; problems: Problems },
): Sample[] {
  const made = splitByFold(samples, { seed, fold });
  const aside = samples.some(({ split }) => split !== "") ? ` instead of ${MANIFEST}'s` : "";
  const told = `fold ${fold.index} of ${fold.count} is test${aside}, by group, seed ${seed}`;
  problems.warning("split made", told);
  return samples.map((sample, i) => ({ ...sample, split: made[i] }));
}

function makeVal(
  samples: readonly Sample[],
  { seed, problems }: { seed: number; problems: Problems },
): Sample[] {
  const train = samples.filter(({ split }) => split === "train");
  const made = splitByGroup(train, { seed, splits: ["train", "val"] });
  const split = new Map<Sample, Split>(train.map((sample, i) => [sample, made[i]]));
  const count = made.filter((name) => name === "val").length;
  if (count > 0) {
    const source = `${count} of ${train.length} train samples taken, by group, seed ${seed}`;
    problems.warning("split made", `${MANIFEST} has no val samples: ${source}`);
  }
  return samples.map((sample) => ({ ...sample, split: split.get(sample) ?? sample.split }));
}

/** Labels in order: as numbers where all are whole numbers, else by character code. */
function sortedClasses(samples: readonly Sample[]): string[] {
  const classes = [...new Set(samples.map(({ label }) => label))].sort();
  const isNumeric = classes.every((label) => /^\d{1,9}$/.test(label));
  return isNumeric ? classes.sort((a, b) => Number(a) - Number(b)) : classes;
}

/** Each folder is listed once, so thousands of files cost a handful of system calls. */
async function checkFiles(
  folder: string,
  { samples, problems }: { samples: readonly Sample[]; problems: Problems },
): Promise<void> {
  const listings = new Map<string, ReturnType<typeof listFolder>>();
  const exists = new Map<string, boolean>();
  for (const sample of samples) {
    for (const { path } of Object.values(sample.sources)) {
      const slash = path.lastIndexOf("/");
      const parent = slash < 0 ? folder : `${folder}/${path.slice(0, slash)}`;
      const listing = listings.get(parent) ?? listFolder(parent);
      listings.set(parent, listing);
      let isThere = exists.get(path);
      if (isThere === undefined) {
        isThere = (await listing)?.get(path.slice(slash + 1)) === "file";
        isThere ||= await isFile(`${folder}/${path}`); // a link, or another spelling of the name
        exists.set(path, isThere);
      }
      if (isThere) continue;
      const message = `${MANIFEST} row ${sample.row}: ${path} does not exist`;
      problems.error("missing file", message, sample.id);
    }
  }
}

/** Samples in each split. */
export function countSplits(samples: readonly Sample[]): Record<Split, number> {
  const count = (split: Split) => samples.filter((sample) => sample.split === split).length;
  return Object.fromEntries(SPLITS.map((split) => [split, count(split)])) as Record<Split, number>;
}
