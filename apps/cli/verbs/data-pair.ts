/** data pair DIR --out DIR: recordings made apart are paired by class, within each split. */

import {
  collectDataset,
  countLabels,
  type FoundSample,
  pairByClass,
  type Sample,
  SPLITS,
} from "../../../src/data/index.ts";
import { UserError } from "../../../src/errors.ts";
import type { Context } from "../context.ts";
import { openDataset } from "../samples.ts";
import { quoted } from "../shell.ts";
import { formatCount } from "../terminal/format.ts";
import { renderTable } from "../terminal/table.ts";

export interface DataPairOptions {
  readonly out?: string;
  readonly seed?: number;
  readonly modalities?: readonly string[];
  readonly fold?: string;
  readonly repeat?: boolean;
  readonly dryRun?: boolean;
  readonly link?: boolean;
  readonly force?: boolean;
}

export interface DataPairResult {
  /** Null where nothing was written. */
  readonly out: string | null;
  readonly pairing: "class-matched";
  readonly seed: number;
  /** Pairs by split. */
  readonly samples: Readonly<Record<string, number>>;
  readonly rows: readonly FoundSample[];
  /** Ids of samples without a partner. */
  readonly alone: readonly string[];
}

/** Problems of a dataset whose modalities are still apart that do not stand in the way. */
const EXPECTED: readonly string[] = ["empty split", "class without training", "one class"];

export async function dataPair(
  context: Context,
  folder: string,
  options: DataPairOptions,
): Promise<DataPairResult> {
  const { out, seed = 1, modalities, fold, repeat = false, dryRun = false } = options;
  if (out === undefined && !dryRun) {
    throw new UserError("data pair: --out must be given, or --dry-run");
  }
  const { dataset } = await openDataset(context, folder, {
    seed,
    ignore: EXPECTED,
    ...(modalities === undefined ? {} : { modalities }),
    ...(fold === undefined ? {} : { fold }),
  });
  const { pairs, alone } = pairByClass(dataset.samples, { seed, repeat });
  if (pairs.length === 0) {
    throw new UserError(`${folder} has no split in which one class has every modality`);
  }
  const count = (split: string): number => pairs.filter((pair) => pair.split === split).length;
  const result = {
    out: null,
    pairing: "class-matched",
    seed,
    samples: Object.fromEntries(SPLITS.map((split) => [split, count(split)])),
    rows: pairs,
    alone: alone.map(({ id }) => id),
  } as const;
  print(context, pairs, alone);
  if (dryRun || out === undefined) {
    context.print("Nothing was written (--dry-run).");
    return result;
  }
  const { reporter } = context;
  const { link = false, force = false } = options;
  reporter.stage(link ? "link files" : "copy files");
  const onProgress = (done: number, total: number): void => reporter.update(done, total);
  await collectDataset(out, { from: folder, samples: pairs, link, force, onProgress });
  reporter.done();
  context.print(`Next: ${context.program} data ${quoted(out)}`);
  return { ...result, out };
}

function print(context: Context, pairs: readonly FoundSample[], alone: readonly Sample[]): void {
  const labels = [...new Set(pairs.map(({ label }) => label))].sort();
  const rows = labels.map((label) => [
    label,
    ...SPLITS.map((split) => {
      const own = pairs.filter((pair) => pair.label === label && pair.split === split);
      return formatCount(own.length);
    }),
  ]);
  context.print(`${formatCount(pairs.length)} pairs by class, not by time\n`);
  context.print(`${renderTable(["class", ...SPLITS], rows)}\n`);
  for (const split of SPLITS) {
    for (const [label, n] of countLabels(alone, split)) {
      context.print(`without a partner: ${formatCount(n)} of ${label} in ${split}`);
    }
  }
}
