/**
 * Scores of a classifier, all taken from one table of counts.
 *
 * Convention: a confusion matrix has a row for each true class and a column for each predicted one.
 * Balanced accuracy is the mean recall over the classes that occur (unweighted average recall,
 * UAR): a class that the split does not hold is left out instead of counting as 0 or 1. A ratio
 * with nothing below the line is 0, as in scikit-learn with `zero_division=0`.
 */
import { mismatch } from "../errors.ts";

type Confusion = readonly (readonly number[])[];

/** The scores of one class; `n` is how many samples truly belong to it. */
export interface ClassScore {
  readonly label: string;
  readonly n: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/**
 * Counts samples by true and predicted class.
 *
 * labels       true class of each sample, 0 .. classes - 1
 * predictions  predicted class of each sample, as long as `labels`
 * returns      `classes` rows (truth) of `classes` counts (prediction)
 * throws       RangeError where lengths differ or a class lies outside the range
 */
export function confusionMatrix(
  labels: ArrayLike<number>,
  predictions: ArrayLike<number>,
  classes: number,
): number[][] {
  if (predictions.length !== labels.length) {
    throw mismatch("confusionMatrix", "predictions", {
      expected: `as long as labels (${labels.length})`,
      got: predictions.length,
    });
  }
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < labels.length; i++) {
    checkClass(`labels[${i}]`, labels[i], classes);
    checkClass(`predictions[${i}]`, predictions[i], classes);
    confusion[labels[i]][predictions[i]]++;
  }
  return confusion;
}

/** The share of samples on the diagonal; throws a RangeError for a matrix without samples. */
export function accuracy(confusion: Confusion): number {
  return sum(confusion.map((row, truth) => row[truth])) / sampleCount("accuracy", confusion);
}

/** The mean recall over the classes that occur; throws a RangeError without samples. */
export function balancedAccuracy(confusion: Confusion): number {
  sampleCount("balancedAccuracy", confusion);
  const recalls: number[] = [];
  for (let truth = 0; truth < confusion.length; truth++) {
    const n = sum(confusion[truth]);
    if (n > 0) recalls.push(confusion[truth][truth] / n);
  }
  return sum(recalls) / recalls.length;
}

/**
 * Precision, recall and F1 of every class.
 *
 * names    one name for each row of the matrix
 * returns  one record a class, in the matrix' order
 * throws   RangeError where the number of names differs from the number of rows
 */
export function perClass(confusion: Confusion, names: readonly string[]): ClassScore[] {
  if (names.length !== confusion.length) {
    throw mismatch("perClass", "names", {
      expected: `one for each of ${confusion.length} classes`,
      got: names.length,
    });
  }
  return names.map((label, k) => {
    const hits = confusion[k][k];
    const n = sum(confusion[k]);
    const predicted = sum(confusion.map((row) => row[k]));
    return {
      label,
      n,
      precision: ratio(hits, predicted),
      recall: ratio(hits, n),
      f1: ratio(2 * hits, n + predicted),
    };
  });
}

/**
 * The area under the ROC curve: how often a positive sample scores above a negative one.
 *
 * scores   one finite number a sample, larger where the sample looks positive
 * labels   1 for positive, 0 for negative; both must occur
 * returns  0 .. 1; a tied pair counts one half (mid-ranks)
 * throws   RangeError where lengths differ, a score is not finite, or a class is missing
 * source   Mann and Whitney 1947; Hanley and McNeil, Radiology 143 (1982), 29-36
 */
export function areaUnderRoc(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  checkRoc(scores, labels);
  const order = Array.from(scores, (_, i) => i).sort((a, b) => scores[a] - scores[b]);
  let rankSum = 0;
  let positives = 0;
  for (let start = 0, end = 0; start < order.length; start = end) {
    while (end < order.length && scores[order[end]] === scores[order[start]]) end++;
    const midRank = (start + 1 + end) / 2;
    for (let i = start; i < end; i++) {
      if (labels[order[i]] === 1) {
        rankSum += midRank;
        positives++;
      }
    }
  }
  const negatives = order.length - positives;
  if (positives === 0 || negatives === 0) {
    throw mismatch("areaUnderRoc", "labels", {
      expected: "some 0 and some 1",
      got: labels[0],
    });
  }
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

function checkRoc(scores: ArrayLike<number>, labels: ArrayLike<number>): void {
  if (scores.length !== labels.length) {
    throw mismatch("areaUnderRoc", "scores", {
      expected: `as long as labels (${labels.length})`,
      got: scores.length,
    });
  }
  for (let i = 0; i < scores.length; i++) {
    checkClass(`labels[${i}]`, labels[i], 2, "areaUnderRoc");
    if (!Number.isFinite(scores[i])) {
      throw mismatch("areaUnderRoc", `scores[${i}]`, {
        expected: "finite",
        got: scores[i],
      });
    }
  }
}

function checkClass(
  what: string,
  value: number,
  classes: number,
  operation = "confusionMatrix",
): void {
  if (Number.isInteger(value) && value >= 0 && value < classes) return;
  throw mismatch(operation, what, {
    expected: `a class of 0 .. ${classes - 1}`,
    got: value,
  });
}

function sampleCount(operation: string, confusion: Confusion): number {
  const n = sum(confusion.map(sum));
  if (n === 0) throw mismatch(operation, "samples", { expected: "at least 1", got: 0 });
  return n;
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
