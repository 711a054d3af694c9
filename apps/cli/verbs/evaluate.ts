/** evaluate RUN --data DIR --split NAME: how good a net is on a split. */

import { quantizedScores } from "../../../src/compress/index.ts";
import { SPLITS, type Split } from "../../../src/data/index.ts";
import { UserError, unknown } from "../../../src/errors.ts";
import type { Context } from "../context.ts";
import { type Evaluation, precisionName, readCompressed, readModel, readRun } from "../run.ts";
import {
  completeSamples,
  loadExamples,
  type Means,
  openOtherDataset,
  openTrainedDataset,
} from "../samples.ts";
import { evaluationOf, floatScores, saveEvaluation } from "../scoring.ts";
import { quoted } from "../shell.ts";
import { scoreTable } from "../summary.ts";
import { formatCount } from "../terminal/format.ts";
import { renderTable } from "../terminal/table.ts";

export interface EvaluateOptions extends Pick<Means, "cache"> {
  readonly data?: string;
  readonly split: string;
  readonly precision?: string;
}

/** Score a split; float by default, the integer net with precision "int". */
export async function evaluate(
  context: Context,
  run: string,
  { data, split, precision = "float", cache = true }: EvaluateOptions,
): Promise<Evaluation> {
  const known = SPLITS.find((name) => name === split);
  if (known === undefined) throw unknown("split", split, SPLITS);
  if (precision !== "float" && precision !== "int") {
    throw unknown("precision", precision, ["float", "int"]);
  }
  const record = await readRun(run);
  const { frontend, graph, weights, hash: model } = await readModel(run);
  const compressed = precision === "int" ? await readCompressed(run) : undefined;
  const { modalities } = record.settings;
  // another folder than the one trained on is allowed: that is how a net meets new recordings
  const opened =
    data === undefined
      ? await openTrainedDataset(context, run, record, { cache })
      : await openOtherDataset(context, data, record, { cache });
  const samples = samplesOf(opened.dataset, known, modalities);
  const stage = `features of ${split}`;
  const { classes } = graph;
  const examples = await loadExamples(opened, samples, { frontend, classes, context, stage });
  opened.extraction.close();
  const scores = await context.blocking(() =>
    compressed === undefined
      ? floatScores({ graph, weights }, examples, record.settings)
      : quantizedScores(compressed.graph, examples),
  );
  const name = compressed === undefined ? "float" : precisionName(compressed.precision);
  const evaluation = evaluationOf(scores, examples, {
    classes,
    of: {
      dataset: opened.dataset.name,
      split,
      precision: name,
      data: opened.hash,
      model,
      ...(compressed === undefined ? {} : { compressed: compressed.hash }),
    },
  });
  await saveEvaluation(run, evaluation);
  print(context, modalities.join(" + "), evaluation, run);
  return evaluation;
}

function samplesOf(
  dataset: Parameters<typeof completeSamples>[0],
  split: Split,
  modalities: readonly string[],
) {
  const samples = completeSamples(dataset, split, modalities);
  if (samples.length > 0) return samples;
  throw new UserError(
    `${dataset.folder}: split ${split} must have samples with ${modalities.join(" and ")}, got none`,
  );
}

function print(context: Context, name: string, evaluation: Evaluation, run: string): void {
  const { perClass, n, split, dataset } = evaluation;
  context.print(`${dataset}, ${split} split, ${formatCount(n)} samples\n`);
  context.print(`${scoreTable([{ name, evaluation }])}\n`);
  const rows = perClass.map((c) => [
    c.label,
    formatCount(c.n),
    c.precision.toFixed(3),
    c.recall.toFixed(3),
    c.f1.toFixed(3),
  ]);
  context.print(`${renderTable(["class", "n", "precision", "recall", "F1"], rows)}\n`);
  context.print(`Next: ${context.program} report ${quoted(run)}`);
}
