/**
 * The training loop: yields after every step, records every epoch, and can be stopped and continued
 * anywhere.
 *
 * Nothing depends on when it was stopped: the order of samples follows from (seed, epoch),
 * augmentation from (seed, epoch, sample), dropout and the learning rate from the step, so a
 * continued training ends in the same bytes. The weights kept are those of the epoch with the best
 * balanced accuracy on the validation split (ties: the smaller loss, then the earlier epoch).
 */

import { mismatch, UserError } from "../errors.ts";
import type { Runner, ThreadedRunner } from "../kernel/index.ts";
import { type Graph, initialWeights, type Weights } from "../model/index.ts";
import {
  type CompileCache,
  compileTraining,
  compileTrainingThreads,
  DEFAULT_OPTIMIZER,
  hyperparameters,
  type Optimizer,
  optimizerStates,
  parametersOf,
  random,
  shuffle,
} from "../tensor/index.ts";
import type { Augmentation } from "./augment/draw.ts";
import { fillBatch } from "./batch.ts";
import { classCounts, type Examples } from "./examples.ts";
import { accuracy, balancedAccuracy, confusionMatrix } from "./metrics.ts";
import { meanLoss, type Predictor, predictions, predictor } from "./predict.ts";
import { checkSchedule, rateAt, type Schedule } from "./schedule.ts";

export interface FitOptions {
  readonly epochs: number;
  readonly seed: number;
  /** Real value of one step of the features. */
  readonly inputScale: number;
  readonly batch?: number;
  /** Default: AdamW. */
  readonly optimizer?: Optimizer;
  /** Peak learning rate. */
  readonly rate?: number;
  /** How the rate goes down after the warm-up; default: half a cosine. */
  readonly schedule?: Schedule;
  /** Weight decay; tensor's optimizer.ts says on what. */
  readonly decay?: number;
  /** Label smoothing in [0, 1). */
  readonly smoothing?: number;
  /** Fused multiply-add, if the runtime has it: see compileTraining. */
  readonly fused?: boolean;
  /** Of the training split; the validation split is scored as it is. */
  readonly augment?: Augmentation | undefined;
  /** For trainings of one graph, one after the other: it is compiled once. */
  readonly cache?: CompileCache;
  /** The compiled step, from compileStep with the same arguments; one thread if it is not given. */
  readonly step?: Runner;
}

/** One line of train.jsonl. */
export interface EpochRecord {
  readonly epoch: number;
  readonly trainLoss: number;
  readonly valLoss: number;
  readonly valAccuracy: number;
  readonly valBalancedAccuracy: number;
}

/** Everything a training needs to go on. */
export interface Checkpoint {
  readonly epoch: number;
  /** Steps done in this epoch. */
  readonly step: number;
  readonly lossSum: number;
  readonly records: readonly EpochRecord[];
  /** Named arrays: the states of the compiled step and `best.<parameter>`. */
  readonly arrays: Readonly<Record<string, Float32Array>>;
}

export interface Progress {
  readonly epoch: number;
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  /** Present after the last step of an epoch. */
  readonly record?: EpochRecord;
}

export interface Training {
  readonly steps: Generator<Progress, void>;
  /** The state between two steps. */
  checkpoint(): Checkpoint;
  /** Weights of the best epoch so far. */
  best(): { readonly weights: Weights; readonly record: EpochRecord };
}

const START: Checkpoint = { epoch: 0, step: 0, lossSum: 0, records: [], arrays: {} };

/**
 * Train a graph.
 *
 * from     a checkpoint of a training with the same arguments
 * throws   RangeError if a split is empty
 */
export function trainGraph(
  graph: Graph,
  { train, val }: { train: Examples; val: Examples },
  options: FitOptions,
  from?: Checkpoint,
): Training {
  const { epochs, seed, rate = 1e-3, decay = 1e-4, smoothing = 0 } = options;
  const { optimizer = DEFAULT_OPTIMIZER, schedule = { kind: "cosine" } } = options;
  for (const [name, { count }] of Object.entries({ train, val })) {
    if (count < 1) throw mismatch("train", `${name} samples`, { expected: ">= 1", got: count });
  }
  if (!(Number.isInteger(epochs) && epochs >= 1)) {
    throw mismatch("train", "epochs", { expected: "an integer >= 1", got: epochs });
  }
  checkSchedule(schedule);
  const compiling = compilingOf(options);
  const batch = batchOf(train, options);
  const steps = Math.floor(train.count / batch);
  const runner =
    options.step ?? compileTraining(graph, { ...compiling, batch, smoothing, optimizer });
  const stateNames = ["$parameters", "$running", ...optimizerStates(optimizer)];
  // compiled when the first epoch ends, so that the first step comes sooner
  let predict: Predictor | undefined;
  const names = graph.inputs.map(({ name }) => name);
  const weightOf = classWeights(train.labels, graph.classes.length);
  const warmupSteps = Math.min(steps, 50);
  const course = { schedule, rate, warmupSteps, epochSteps: steps, epochs };
  let state = from ?? START;
  for (const name of stateNames) {
    const saved = state.arrays[name];
    if (saved !== undefined) runner.view(name).set(saved);
  }
  if (from === undefined) {
    for (const [name, values] of Object.entries(initialWeights(graph, seed))) {
      runner.view(name).set(values);
    }
  }
  const current = (): Weights =>
    Object.fromEntries(
      parametersOf(graph).map(({ name }) => [name, Float32Array.from(runner.view(name))]),
    );

  const runStep = (order: readonly number[], epoch: number, step: number): number => {
    const indices = order.slice(step * batch, (step + 1) * batch);
    fillBatch(runner, train, { names, indices, weightOf, epoch, augment: options.augment });
    const t = epoch * steps + step;
    runner.view("$counter").set([seed, t]);
    const now = { step: t + 1, rate: rateAt(t, course), decay };
    runner.view("$hyper").set(hyperparameters(optimizer, now));
    runner.run();
    return runner.view("$loss")[0];
  };

  const finishEpoch = (epoch: number, lossSum: number): EpochRecord => {
    const weights = current();
    predict ??= predictor(graph, compiling);
    const scores = predict.scores(weights, val);
    const classes = graph.classes.length;
    const confusion = confusionMatrix(val.labels, predictions(scores, classes), classes);
    const record: EpochRecord = {
      epoch: epoch + 1,
      trainLoss: lossSum / steps,
      valLoss: meanLoss(scores, val.labels, classes),
      valAccuracy: accuracy(confusion),
      valBalancedAccuracy: balancedAccuracy(confusion),
    };
    const isBest = state.records.every((other) => isBetter(record, other));
    const best = isBest ? prefixed("best.", weights) : pick(state.arrays, "best.");
    const records = [...state.records, record];
    state = { epoch: epoch + 1, step: 0, lossSum: 0, records, arrays: best };
    return record;
  };

  function* run(): Generator<Progress, void> {
    while (state.epoch < epochs) {
      const { epoch } = state;
      const order = shuffle([...Array(train.count).keys()], random(`${seed}/order/${epoch}`));
      while (state.epoch === epoch) {
        const { step } = state;
        const loss = runStep(order, epoch, step);
        if (!Number.isFinite(loss)) {
          throw new UserError(
            `train: the loss is ${loss} in epoch ${epoch + 1}, step ${step + 1}; try a smaller rate`,
          );
        }
        state = { ...state, step: step + 1, lossSum: state.lossSum + loss };
        const isLast = step + 1 === steps;
        const record = isLast ? { record: finishEpoch(epoch, state.lossSum) } : {};
        yield { epoch: epoch + 1, step: step + 1, steps, loss, ...record };
      }
    }
  }

  return {
    steps: run(),
    checkpoint: () => ({
      ...state,
      arrays: {
        ...pick(state.arrays, "best."),
        ...Object.fromEntries(
          stateNames.map((name) => [name, Float32Array.from(runner.view(name))]),
        ),
      },
    }),
    best: () => {
      const record = state.records.reduce((best, next) => (isBetter(next, best) ? next : best));
      const weights = Object.entries(pick(state.arrays, "best."));
      return {
        record,
        weights: Object.fromEntries(weights.map(([name, values]) => [name.slice(5), values])),
      };
    },
  };
}

/**
 * The step of a training on several threads; it gives the same bytes on any number of them.
 *
 * threads  this one included
 */
export function compileStep(
  graph: Graph,
  train: Examples,
  options: FitOptions,
  threads: number,
): Promise<ThreadedRunner> {
  const { smoothing = 0, optimizer = DEFAULT_OPTIMIZER } = options;
  const batch = batchOf(train, options);
  const step = { ...compilingOf(options), batch, smoothing, optimizer };
  return compileTrainingThreads(graph, step, threads);
}

function compilingOf({ inputScale, fused = false, cache }: FitOptions) {
  return { inputScale, fused, ...(cache === undefined ? {} : { cache }) };
}

function batchOf(train: Examples, { batch = 64 }: FitOptions): number {
  return Math.min(batch, train.count);
}

/** Inverse class frequency, so that every class weighs the same; absent classes weigh nothing. */
function classWeights(labels: Int32Array, classes: number): number[] {
  const counts = classCounts(labels, classes);
  return counts.map((count) => (count === 0 ? 0 : labels.length / (classes * count)));
}

function isBetter(a: EpochRecord, b: EpochRecord): boolean {
  if (a.valBalancedAccuracy !== b.valBalancedAccuracy) {
    return a.valBalancedAccuracy > b.valBalancedAccuracy;
  }
  return a.valLoss < b.valLoss;
}

type Arrays = Readonly<Record<string, Float32Array>>;

function prefixed(prefix: string, arrays: Arrays): Arrays {
  return Object.fromEntries(Object.entries(arrays).map(([name, a]) => [prefix + name, a]));
}

function pick(arrays: Arrays, prefix: string): Arrays {
  return Object.fromEntries(Object.entries(arrays).filter(([name]) => name.startsWith(prefix)));
}
