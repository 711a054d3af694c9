/** Scores of a split as an evaluation: metrics, intervals, and the predictions themselves. */

import {
  accuracy,
  areaUnderRoc,
  balancedAccuracy,
  bootstrap,
  confusionMatrix,
  perClass,
  predictions,
  wilson,
} from "../../src/train/index.ts";
import type { Evaluation } from "./run.ts";
import { hasFile, readJson, writeJson } from "./run-folder.ts";
import type { ScoredExamples } from "./samples.ts";

/** Intervals are drawn with a seed of their own, so that they do not depend on the training's. */
export const INTERVAL_SEED = "intervals";

export interface ScoreOptions {
  readonly classes: readonly string[];
  readonly dataset: string;
  readonly split: string;
  readonly precision: Evaluation["precision"];
}

/** An evaluation of scores [n, classes]; for integer nets the integers serve as they are. */
export function evaluationOf(
  scores: Float32Array | Int8Array,
  examples: ScoredExamples,
  { classes, dataset, split, precision }: ScoreOptions,
): Evaluation {
  const { labels, groups, ids, count: n } = examples;
  const predicted = predictions(scores, classes.length);
  const confusion = confusionMatrix(labels, predicted, classes.length);
  const right = labels.reduce((sum, label, i) => sum + (label === predicted[i] ? 1 : 0), 0);
  return {
    dataset,
    split,
    precision,
    n,
    accuracy: accuracy(confusion),
    accuracyInterval: wilson(right, n),
    balancedAccuracy: balancedAccuracy(confusion),
    balancedAccuracyInterval: bootstrap({ labels, groups }, predicted, { seed: INTERVAL_SEED }),
    ...areaOf(scores, labels, classes),
    confusion,
    perClass: perClass(confusion, classes),
    ids,
    groups,
    labels: [...labels],
    predictions: [...predicted],
  };
}

/** With two classes, the area under the ROC curve of the second one's margin. */
function areaOf(
  scores: Float32Array | Int8Array,
  labels: Int32Array,
  classes: readonly string[],
): { auc?: number } {
  if (classes.length !== 2 || new Set(labels).size !== 2) return {};
  const margins = Float64Array.from(labels, (_, i) => scores[2 * i + 1] - scores[2 * i]);
  return { auc: areaUnderRoc(margins, labels) };
}

interface EvaluationRecord {
  readonly evaluations: readonly Evaluation[];
}

export async function readEvaluations(run: string): Promise<readonly Evaluation[]> {
  if (!(await hasFile(run, "evaluation.json"))) return [];
  const source = { verb: "evaluate" };
  return (await readJson<EvaluationRecord>(run, "evaluation.json", source)).evaluations;
}

/** Keep an evaluation; it takes the place of one of the same data, split and precision. */
export async function saveEvaluation(run: string, evaluation: Evaluation): Promise<void> {
  const { dataset, split, precision } = evaluation;
  const others = (await readEvaluations(run)).filter(
    (other) => other.dataset !== dataset || other.split !== split || other.precision !== precision,
  );
  await writeJson(run, "evaluation.json", { evaluations: [...others, evaluation] });
}
