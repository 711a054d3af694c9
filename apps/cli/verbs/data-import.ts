/** data import SOURCE --out DIR: recordings of a known layout become a dataset. */

import {
  type FoundSample,
  filesOf,
  type ImportOptions,
  type ImportPlan,
  planImport,
  type Refusal,
  SPLITS,
  writeImport,
} from "../../../src/data/index.ts";
import { UserError } from "../../../src/errors.ts";
import type { Context } from "../context.ts";
import { quoted } from "../shell.ts";
import { formatCount } from "../terminal/format.ts";
import { renderTable } from "../terminal/table.ts";

export interface DataImportOptions {
  readonly out?: string;
  readonly from?: string;
  readonly dryRun?: boolean;
  readonly modalities?: readonly string[];
  /** Seconds. */
  readonly tolerance?: number;
  readonly label?: string;
  readonly classes?: readonly string[];
  readonly group?: string;
  readonly link?: boolean;
  readonly force?: boolean;
}

type Counts = Readonly<Record<string, number>>;

export interface DataImportResult {
  readonly from: string;
  /** Null where nothing was written. */
  readonly out: string | null;
  /** By split; "open" where it is left to be made. */
  readonly samples: Counts;
  readonly classes: Readonly<Record<string, Counts>>;
  /** How many samples have which modalities. */
  readonly modalities: Counts;
  readonly groups: number;
  readonly files: number;
  readonly rows: readonly FoundSample[];
  readonly refused: readonly Refusal[];
  readonly notes: readonly string[];
}

/** So many samples, and refusals of a reason, are shown to people; --json has all. */
const SHOWN = 5;

export async function dataImport(
  context: Context,
  source: string,
  { out, from, dryRun = false, modalities, tolerance, link, force, ...choices }: DataImportOptions,
): Promise<DataImportResult> {
  if (out === undefined && !dryRun) {
    throw new UserError("data import: --out must be given, or --dry-run");
  }
  const { reporter } = context;
  const onProgress = (done: number, total: number): void => reporter.update(done, total);
  reporter.stage("read recordings");
  const { classes, ...others } = choices;
  const options: ImportOptions = {
    ...others,
    onProgress,
    ...(from === undefined ? {} : { from }),
    ...(modalities === undefined ? {} : { modalities }),
    ...(tolerance === undefined ? {} : { toleranceS: tolerance }),
    ...(classes === undefined ? {} : { classes: classMap(classes) }),
  };
  const plan = await planImport(source, options);
  reporter.done();
  const result = resultOf(plan);
  print(context, plan, result);
  if (dryRun || out === undefined) {
    context.print("Nothing was written (--dry-run).");
    return result;
  }
  reporter.stage(link === true ? "link files" : "copy files");
  await writeImport(plan, out, { link: link ?? false, force: force ?? false, onProgress });
  reporter.done();
  context.print(`Next: ${context.program} data ${quoted(out)}`);
  return { ...result, out };
}

/** "a=b" makes label a class b, "a" leaves it as it is. */
function classMap(classes: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    classes.map((text): [string, string] => {
      const [label, name = label, ...more] = text.split("=").map((part) => part.trim());
      if (label !== "" && name !== "" && more.length === 0) return [label, name];
      throw new UserError(`data import: --classes must be LABEL or LABEL=CLASS, got ${text}`);
    }),
  );
}

function resultOf({ from, samples, refused, notes }: ImportPlan): DataImportResult {
  const labels = [...new Set(samples.map(({ label }) => label))].sort();
  const count = (label?: string): Counts => {
    const own = samples.filter((sample) => label === undefined || sample.label === label);
    const at = (split: string): number => own.filter((sample) => sample.split === split).length;
    return { ...Object.fromEntries(SPLITS.map((split) => [split, at(split)])), open: at("") };
  };
  const kinds = new Map<string, number>();
  for (const { sources } of samples) {
    const name = Object.keys(sources).sort().join(" + ");
    kinds.set(name, (kinds.get(name) ?? 0) + 1);
  }
  return {
    from,
    out: null,
    samples: count(),
    classes: Object.fromEntries(labels.map((label) => [label, count(label)])),
    modalities: Object.fromEntries(kinds),
    groups: new Set(samples.map(({ group }) => group)).size,
    files: filesOf(samples).length,
    rows: samples,
    refused,
    notes,
  };
}

function print(context: Context, { samples }: ImportPlan, result: DataImportResult): void {
  const { from, classes, modalities, groups, refused, notes } = result;
  const kinds = Object.entries(modalities).map(([name, n]) => `${formatCount(n)} of ${name}`);
  const counted = `${formatCount(samples.length)} samples, ${formatCount(groups)} groups`;
  context.print(`${from}: ${counted}; ${kinds.join(", ")}\n`);
  const columns = [...SPLITS, "open"].filter((split) => result.samples[split] > 0);
  const rows = Object.entries(classes).map(([label, counts]) => [
    label,
    ...columns.map((split) => formatCount(counts[split])),
  ]);
  context.print(`${renderTable(["class", ...columns], rows)}\n`);
  for (const { id, label, sources } of samples.slice(0, SHOWN)) {
    const cells = Object.entries(sources).map(([name, { path }]) => `${name} ${path}`);
    context.print(`${id} (${label}): ${cells.join(", ")}`);
  }
  const more = samples.length - SHOWN;
  context.print(more > 0 ? `... and ${formatCount(more)} more\n` : "\n");
  printRefusals(context, refused);
  for (const note of notes) context.print(`note: ${note}`);
}

/** By reason, the most frequent first. */
function printRefusals(context: Context, refused: readonly Refusal[]): void {
  const byReason = new Map<string, string[]>();
  for (const { path, reason } of refused) {
    byReason.set(reason, [...(byReason.get(reason) ?? []), path]);
  }
  for (const [reason, paths] of [...byReason].sort((a, b) => b[1].length - a[1].length)) {
    const more = paths.length > SHOWN ? `, and ${formatCount(paths.length - SHOWN)} more` : "";
    context.print(`refused: ${reason}: ${paths.slice(0, SHOWN).join(", ")}${more}`);
  }
}
