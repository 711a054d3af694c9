/**
 * How far a score can be trusted: intervals that say what so few samples can show.
 *
 * Convention: 95 % intervals. Accuracy is a proportion and has a closed form (Wilson 1927).
 * Balanced accuracy and the gain of one classifier over another are resampled (percentile
 * bootstrap; Efron 1979; Efron and Tibshirani, An Introduction to the Bootstrap, 1993, ch. 13).
 * What is drawn with replacement is a whole group (speaker, recording, site), because clips of one
 * recording are not independent: the cluster bootstrap (Davison and Hinkley, Bootstrap Methods,
 * 1997, sec. 3.8; Field and Welsh, J. R. Stat. Soc. B 69, 2007).
 *
 * Strata: groups that hold one class only are drawn within that class, so that a class keeps its
 * number of groups; groups that hold several classes are drawn from one common pool. A class with
 * one group cannot show how groups differ: its samples are drawn instead.
 *
 * Limit: with few groups a class (fewer than about ten) a percentile interval is too narrow.
 */
import { mismatch } from "../errors.ts";
import { random } from "../tensor/index.ts";

/** Two ends of an interval, both inside it. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** True classes of a test set and the group that each sample comes from. */
export interface Grouped {
  readonly labels: ArrayLike<number>;
  readonly groups: ArrayLike<string | number>;
}

export interface ResamplingOptions {
  readonly seed: number | string;
  /** Draws of the whole test set; 2000 by default. */
  readonly resamples?: number;
  /** What is scored; balanced accuracy by default. */
  readonly score?: "balancedAccuracy" | "accuracy";
  /** Share of the draws inside the interval; 0.95 by default. */
  readonly level?: number;
}

/** The difference of two balanced accuracies on the same samples, and its interval. */
export interface PairedGain {
  readonly difference: number;
  readonly interval: Interval;
}

/**
 * The score interval of a proportion.
 *
 * successes  0 .. n
 * n          trials, at least 1
 * z          normal quantile; 1.96 for 95 %
 * returns    an interval within 0 .. 1 that is never empty, even at 0 or n successes
 * throws     RangeError for counts outside those ranges
 * source     E. B. Wilson, J. Am. Stat. Assoc. 22 (1927), 209-212
 */
export function wilson(successes: number, n: number, z = 1.96): Interval {
  if (!(n >= 1)) throw mismatch("wilson", "n", { expected: "at least 1", got: n });
  if (!(successes >= 0 && successes <= n)) {
    throw mismatch("wilson", "successes", {
      expected: `0 .. ${n}`,
      got: successes,
    });
  }
  const share = successes / n;
  const shrink = 1 + (z * z) / n;
  const center = (share + (z * z) / (2 * n)) / shrink;
  const half = (z / shrink) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return {
    low: successes === 0 ? 0 : center - half,
    high: successes === n ? 1 : center + half,
  };
}

/**
 * The percentile interval of a score, groups resampled.
 *
 * A score of exactly 0 or 1 stays there in every draw; its interval is Wilson's, with every drawn
 * unit (group) as one trial.
 *
 * test         labels and groups, one a sample
 * predictions  predicted classes, one a sample
 * throws       RangeError where lengths differ or nothing is there
 */
export function bootstrap(
  test: Grouped,
  predictions: ArrayLike<number>,
  options: ResamplingOptions,
): Interval {
  const strata = stratify("bootstrap", test, [predictions]);
  const units = strata.flat();
  const [score] = scoreAll(units, 1, options);
  if (score === 0 || score === 1) return wilson(score * units.length, units.length);
  return percentileInterval(strata, { classifiers: 1, statistic: ([a]) => a }, options);
}

/**
 * By how much the score of `a` exceeds that of `b` on the same samples.
 *
 * Both are scored on the same drawn groups, so what is common to them (a hard recording) cancels.
 * Where every draw gives the same difference, and not 0, the draws say nothing; the interval is
 * then Newcombe's (1998, square and add) of the two single ones.
 *
 * test     labels and groups, one a sample
 * a, b     predicted classes, one a sample
 * returns  the difference on the test set itself and its percentile interval
 * throws   RangeError where lengths differ or nothing is there
 */
export function pairedGain(
  test: Grouped,
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  options: ResamplingOptions,
): PairedGain {
  const strata = stratify("pairedGain", test, [a, b]);
  const [scoreA, scoreB] = scoreAll(strata.flat(), 2, options);
  const interval = percentileInterval(
    strata,
    { classifiers: 2, statistic: ([x, y]) => x - y },
    options,
  );
  const difference = scoreA - scoreB;
  if (interval.low < interval.high || difference === 0) return { difference, interval };
  const [x, y] = [a, b].map((predictions) => bootstrap(test, predictions, options));
  const below = Math.hypot(scoreA - x.low, y.high - scoreB);
  const above = Math.hypot(x.high - scoreA, scoreB - y.low);
  return { difference, interval: { low: difference - below, high: difference + above } };
}

/** What is drawn: per class that occurs in it, the number of samples and each classifier's hits. */
type Unit = readonly ClassCount[];
interface ClassCount {
  readonly label: number;
  readonly n: number;
  readonly hits: readonly number[];
}

/** Splits the samples into strata of units; their order follows the samples. */
function stratify(
  operation: string,
  { labels, groups }: Grouped,
  classifiers: readonly ArrayLike<number>[],
): Unit[][] {
  checkLengths(operation, labels.length, [groups, ...classifiers]);
  const samples = Array.from(labels, (_, i) => i);
  const byGroup = collect(samples, (i) => groups[i]);
  const strata = collect(byGroup, (members) => {
    const pure = members.every((i) => labels[i] === labels[members[0]]);
    return pure ? labels[members[0]] : "several";
  });
  return strata
    .flatMap((members) => (members.length > 1 ? [members] : samplesByClass(members[0], labels)))
    .map((units) => units.map((members) => countUnit(members, labels, classifiers)));
}

/** The strata of a group that stands alone: each sample is a unit, drawn within its class. */
function samplesByClass(members: readonly number[], labels: ArrayLike<number>): number[][][] {
  return collect(members, (i) => labels[i]).map((list) => list.map((i) => [i]));
}

/** Lists of the items that share a key, in order of first appearance. */
function collect<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Item[][] {
  const lists = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const list = lists.get(key);
    if (list === undefined) lists.set(key, [item]);
    else list.push(item);
  }
  return [...lists.values()];
}

function countUnit(
  members: readonly number[],
  labels: ArrayLike<number>,
  classifiers: readonly ArrayLike<number>[],
): Unit {
  return collect(members, (i) => labels[i]).map((list) => {
    const label = labels[list[0]];
    const hits = classifiers.map((predictions) => list.filter((i) => predictions[i] === label));
    return { label, n: list.length, hits: hits.map((hit) => hit.length) };
  });
}

interface Resampled {
  readonly classifiers: number;
  /** From one balanced accuracy a classifier to the number whose spread is wanted. */
  readonly statistic: (scores: readonly number[]) => number;
}

function percentileInterval(
  strata: readonly (readonly Unit[])[],
  { classifiers, statistic }: Resampled,
  { seed, resamples = 2000, level = 0.95, score }: ResamplingOptions,
): Interval {
  const source = random(seed);
  const totals = emptyTotals(strata.flat(), classifiers);
  const draws = new Float64Array(resamples);
  for (let i = 0; i < resamples; i++) {
    for (const total of totals) total.fill(0);
    for (const units of strata) {
      for (let k = 0; k < units.length; k++) {
        addUnit(totals, units[source.integer(units.length)]);
      }
    }
    draws[i] = statistic(scoresOf(totals, score));
  }
  draws.sort();
  return {
    low: quantile(draws, (1 - level) / 2),
    high: quantile(draws, (1 + level) / 2),
  };
}

/** A row a class: samples, then the hits of each classifier. */
function emptyTotals(units: readonly Unit[], classifiers: number): Float64Array[] {
  const classes = 1 + units.flat().reduce((most, { label }) => Math.max(most, label), 0);
  return Array.from({ length: classes }, () => new Float64Array(1 + classifiers));
}

/** Adds a unit's counts to `totals`. */
function addUnit(totals: readonly Float64Array[], unit: Unit): void {
  for (const { label, n, hits } of unit) {
    const total = totals[label];
    total[0] += n;
    for (let k = 0; k < hits.length; k++) total[1 + k] += hits[k];
  }
}

/** The score of each classifier: every class weighs the same, or every sample. */
function scoresOf(
  totals: readonly Float64Array[],
  score: ResamplingOptions["score"] = "balancedAccuracy",
): number[] {
  const present = totals.filter((total) => total[0] > 0);
  const scores = new Array<number>(totals[0].length - 1).fill(0);
  if (score === "accuracy") {
    const n = present.reduce((sum, total) => sum + total[0], 0);
    return scores.map((_, k) => present.reduce((sum, total) => sum + total[1 + k], 0) / n);
  }
  for (const total of present) {
    for (let k = 0; k < scores.length; k++) scores[k] += total[1 + k] / total[0];
  }
  return scores.map((score) => score / present.length);
}

function scoreAll(
  units: readonly Unit[],
  classifiers: number,
  { score }: Pick<ResamplingOptions, "score">,
): number[] {
  const totals = emptyTotals(units, classifiers);
  for (const unit of units) addUnit(totals, unit);
  return scoresOf(totals, score);
}

/** Linear between order statistics (type 7 of Hyndman and Fan 1996). */
function quantile(sorted: Float64Array, share: number): number {
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}

function checkLengths(operation: string, n: number, lists: readonly ArrayLike<unknown>[]): void {
  if (n === 0) throw mismatch(operation, "samples", { expected: "at least 1", got: 0 });
  for (const list of lists) {
    if (list.length === n) continue;
    const expected = `as long as labels (${n})`;
    throw mismatch(operation, "groups and predictions", {
      expected,
      got: list.length,
    });
  }
}
