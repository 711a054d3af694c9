/** data DIR: what is in a dataset, and what is wrong with it. */

import {
  countGroups,
  countLabels,
  countSplits,
  type Dataset,
  inspectDataset,
  type Problem,
  readDataset,
  SERIOUS_KINDS,
  SPLITS,
} from "../../../src/data/index.ts";
import type { Context } from "../context.ts";
import { parseFold } from "../fold.ts";
import { quoted } from "../shell.ts";
import { formatCount } from "../terminal/format.ts";
import { renderTable } from "../terminal/table.ts";

export interface DataOptions {
  readonly seed?: number;
  readonly modalities?: readonly string[];
  readonly fold?: string;
  /** Whether findings that make scores doubtful are a check that was not met. */
  readonly strict?: boolean;
}

export interface DataResult {
  readonly classes: readonly string[];
  readonly modalities: Dataset["modalities"];
  readonly samples: Readonly<Record<string, number>>;
  readonly groups: Readonly<Record<string, number>>;
  readonly problems: readonly Problem[];
  /** Kinds among them that make scores doubtful. */
  readonly serious: readonly string[];
  readonly details: object;
  readonly exitCode: number;
}

/** Errors give exit code 2: the dataset cannot be trained on as it is; `strict` comes before. */
export async function data(
  context: Context,
  folder: string,
  { seed = 1, modalities, fold: text = "", strict = false }: DataOptions,
): Promise<DataResult> {
  const fold = parseFold(text);
  const dataset = await readDataset(folder, {
    seed,
    ...(modalities ? { modalities } : {}),
    ...(fold ? { fold } : {}),
  });
  context.reporter.stage(`check ${dataset.name}`);
  const inspection = await inspectDataset(dataset, {
    onProgress: (done, total) => context.reporter.update(done, total),
  });
  context.reporter.done();
  const problems = [...dataset.problems, ...inspection.problems];
  const samples = countSplits(dataset.samples);
  printDataset(context, dataset, problems);
  const hasErrors = problems.some(({ severity }) => severity === "error");
  const serious = [...new Set(problems.map(({ kind }) => kind))].filter((kind) =>
    SERIOUS_KINDS.includes(kind),
  );
  const isMissed = strict && serious.length > 0;
  if (isMissed) context.print(`--strict: scores would be in doubt: ${serious.join(", ")}.`);
  context.print(
    hasErrors
      ? `Put the errors right, then: ${context.program} data ${quoted(folder)}`
      : `Next: ${context.program} train ${quoted(folder)} --out ${quoted(`runs/${dataset.name}`)}`,
  );
  return {
    classes: dataset.classes,
    modalities: dataset.modalities,
    samples,
    groups: countGroups(dataset.samples),
    problems,
    serious,
    details: inspection.modalities,
    exitCode: isMissed ? 3 : hasErrors ? 2 : 0,
  };
}

function printDataset(context: Context, dataset: Dataset, problems: readonly Problem[]): void {
  const modalities = dataset.modalities.map(({ name, kind }) => `${name} (${kind})`).join(", ");
  context.print(`${dataset.name}: ${formatCount(dataset.samples.length)} samples, ${modalities}\n`);
  const counts = SPLITS.map((split) => countLabels(dataset.samples, split));
  const rows = dataset.classes.map((label) => [
    label,
    ...counts.map((count) => formatCount(count.get(label) ?? 0)),
  ]);
  context.print(`${renderTable(["class", ...SPLITS], rows)}\n`);
  if (problems.length === 0) context.print("No problems found.\n");
  for (const { severity, kind, message } of problems) {
    context.print(`${severity}: ${kind}: ${message}`);
  }
  if (problems.length > 0) context.print("");
}
