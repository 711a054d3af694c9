/**
 * Running an integer net: on WebAssembly for many samples, in the reference interpreter for the
 * definition.
 */

import { compile, interpreter, plan, type Runner } from "../kernel/index.ts";
import type { Examples } from "../train/index.ts";
import type { QuantizedGraph } from "./quantized-graph.ts";
import { featuresOf, quantizedRoutine, SCORES } from "./routine.ts";

/** The reference interpreter of an integer net: the oracle for everything below. */
export function referenceRunner(graph: QuantizedGraph): Runner {
  return interpreter(plan(quantizedRoutine(graph)));
}

/**
 * Integer scores of many samples, [count, classes].
 *
 * runner   compiled WebAssembly by default; the reference gives the same integers
 */
export function quantizedScores(
  graph: QuantizedGraph,
  examples: Examples,
  runner: Runner = compile(plan(quantizedRoutine(graph))),
): Int8Array {
  const classes = graph.classes.length;
  const scores = new Int8Array(examples.count * classes);
  for (let n = 0; n < examples.count; n++) {
    for (const { name } of graph.inputs) {
      const target = runner.view(featuresOf(name));
      const values = examples.inputs[name];
      target.set(values.subarray(n * target.length, (n + 1) * target.length));
    }
    runner.run();
    scores.set(runner.view(SCORES), n * classes);
  }
  return scores;
}
