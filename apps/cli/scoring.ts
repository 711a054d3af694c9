/** Scores of a split as an evaluation: metrics, intervals, and the predictions themselves. */

import { UserError } from "../../src/errors.ts";
import { FEATURE_SCALE } from "../../src/features/index.ts";
import { hasFusedMultiplyAdd } from "../../src/kernel/index.ts";
import type { Graph, Weights } from "../../src/model/index.ts";
import {
  accuracy,
  areaUnderRoc,
  balancedAccuracy,
  bootstrap,
  confusionMatrix,
  type Examples,
  type Grouped,
  type Interval,
  perClass,
  predictions,
  predictor,
  wilson,
} from "../../src/train/index.ts";
import type { Evaluation, TrainSettings } from "./run.ts";
import { hasFile, readJson, writeJson } from "./run-folder.ts";
import type { ScoredExamples } from "./samples.ts";

/** Intervals are drawn with a seed of their own, so that they do not depend on the training's. */
export const INTERVAL_SEED = "intervals";

export interface ScoreOptions {
  readonly classes: readonly string[];
  readonly of: Pick<
    Evaluation,
    "dataset" | "split" | "precision" | "data" | "model" | "compressed"
  >;
}

/** Scores of a float net, with the arithmetic it was trained with if this machine has it. */
export function floatScores(
  { graph, weights }: { graph: Graph; weights: Weights },
  examples: Examples,
  { engine }: Pick<TrainSettings, "engine">,
): Float32Array {
  const fused = engine === "fused" && hasFusedMultiplyAdd();
  return predictor(graph, { inputScale: FEATURE_SCALE, fused }).scores(weights, examples);
}

/** An evaluation of scores [n, classes]; for integer nets the integers serve as they are. */
export function evaluationOf(
  scores: Float32Array | Int8Array,
  examples: ScoredExamples,
  { classes, of }: ScoreOptions,
): Evaluation {
  const { labels, groups, ids, count: n } = examples;
  const predicted = predictions(scores, classes.length);
  const confusion = confusionMatrix(labels, predicted, classes.length);
  const test = { labels, groups };
  return {
    ...of,
    n,
    accuracy: accuracy(confusion),
    accuracyInterval: accuracyInterval(test, predicted),
    balancedAccuracy: balancedAccuracy(confusion),
    balancedAccuracyInterval: bootstrap(test, predicted, { seed: INTERVAL_SEED }),
    ...areaOf(scores, labels, classes),
    confusion,
    perClass: perClass(confusion, classes),
    ids,
    groups,
    labels: [...labels],
    predictions: [...predicted],
  };
}

/** Wilson's interval where every sample is a group of its own; else groups are resampled. */
function accuracyInterval({ labels, groups }: Grouped, predicted: Int32Array): Interval {
  const n = labels.length;
  if (new Set(Array.from(groups)).size < n) {
    return bootstrap({ labels, groups }, predicted, { seed: INTERVAL_SEED, score: "accuracy" });
  }
  const right = predicted.reduce((sum, label, i) => sum + (label === labels[i] ? 1 : 0), 0);
  return wilson(right, n);
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

/**
 * A run's evaluations with new ones: one of the same data, split and precision is replaced, as is
 * what another net of that precision gave.
 */
export async function withEvaluations(
  run: string,
  added: readonly Evaluation[],
): Promise<EvaluationRecord> {
  // what is damaged cannot be kept, and must not stand in the way of measuring again
  const known = await readEvaluations(run).catch((error: unknown) => {
    if (error instanceof UserError) return [];
    throw error;
  });
  const isReplaced = (old: Evaluation): boolean =>
    added.some(
      ({ data, split, precision, model, compressed }) =>
        old.precision === precision &&
        (old.model !== model ||
          old.compressed !== compressed ||
          (old.data === data && old.split === split)),
    );
  return { evaluations: [...known.filter((old) => !isReplaced(old)), ...added] };
}

/** Keep an evaluation. */
export async function saveEvaluation(run: string, evaluation: Evaluation): Promise<void> {
  await writeJson(run, "evaluation.json", await withEvaluations(run, [evaluation]));
}
