/** Scores of a float net, batch by batch. */

import type { Graph, Weights } from "../model/index.ts";
import { type CompileCache, compileInference } from "../tensor/index.ts";
import { type Examples, gather } from "./examples.ts";

const BATCH = 32;

export interface PredictorOptions {
  readonly inputScale: number;
  readonly fused?: boolean;
  readonly cache?: CompileCache;
}

export interface Predictor {
  /** Scores before the softmax, [count, classes]. */
  scores(weights: Weights, examples: Examples): Float32Array;
}

/** A graph compiled for inference; weights are given with each call. */
export function predictor(graph: Graph, options: PredictorOptions): Predictor {
  const runner = compileInference(graph, { ...options, batch: BATCH });
  const classes = graph.classes.length;
  return {
    scores(weights, { count, inputs }) {
      for (const [name, values] of Object.entries(weights)) runner.view(name).set(values);
      const scores = new Float32Array(count * classes);
      for (let start = 0; start < count; start += BATCH) {
        // the last batch repeats its last sample
        const indices = Array.from({ length: BATCH }, (_, i) => Math.min(start + i, count - 1));
        for (const { name } of graph.inputs) gather(inputs[name], indices, runner.view(name));
        runner.run();
        const used = Math.min(BATCH, count - start) * classes;
        scores.set((runner.view("$logits") as Float32Array).subarray(0, used), start * classes);
      }
      return scores;
    },
  };
}

/** Index of the largest score of each row. */
export function predictions(scores: ArrayLike<number>, classes: number): Int32Array {
  const labels = new Int32Array(scores.length / classes);
  for (let n = 0; n < labels.length; n++) {
    for (let k = 1; k < classes; k++) {
      if (scores[n * classes + k] > scores[n * classes + labels[n]]) labels[n] = k;
    }
  }
  return labels;
}

/** Mean cross-entropy of the softmax of some scores. */
export function meanLoss(scores: Float32Array, labels: Int32Array, classes: number): number {
  let total = 0;
  for (let n = 0; n < labels.length; n++) {
    const row = scores.subarray(n * classes, (n + 1) * classes);
    const largest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const sum = row.reduce((a, b) => a + Math.exp(b - largest), 0);
    total += Math.log(sum) + largest - row[labels[n]];
  }
  return total / Math.max(1, labels.length);
}
