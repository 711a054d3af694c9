/** What one step is told: features, labels and weights of a batch, augmented where that is asked for. */

import type { Runner } from "../kernel/index.ts";
import type { Augmentation } from "./augment/draw.ts";
import { type Examples, gather } from "./examples.ts";

/**
 * Fill the inputs of a compiled step.
 *
 * runner    its inputs, `$labels`, `$labels2`, `$share2` and `$weight` are written here
 * weightOf  a class
 */
export function fillBatch(
  runner: Pick<Runner, "view">,
  { inputs, labels }: Pick<Examples, "inputs" | "labels">,
  {
    names,
    indices,
    weightOf,
    epoch,
    augment,
  }: {
    names: readonly string[];
    indices: readonly number[];
    weightOf: readonly number[];
    epoch: number;
    augment?: Augmentation | undefined;
  },
): void {
  runner.view("$labels").set(indices.map((i) => labels[i]));
  const weights = Float32Array.from(indices, (i) => weightOf[labels[i]]);
  if (augment === undefined) {
    for (const name of names) gather(inputs[name], indices, runner.view(name));
    runner.view("$share2").fill(0);
  } else {
    indices.forEach((index, n) => {
      const { inputs: drawn, other, otherShare } = augment(index, epoch);
      for (const name of names) runner.view(name).set(drawn[name], n * drawn[name].length);
      // each label keeps the weight of its class: w t_k = share_k weightOf[k]
      const second = otherShare * weightOf[labels[other]];
      weights[n] = (1 - otherShare) * weightOf[labels[index]] + second;
      runner.view("$labels2").set([labels[other]], n);
      runner.view("$share2").set([second / weights[n]], n);
    });
  }
  const total = weights.reduce((a, b) => a + b, 0);
  runner.view("$weight").set(weights.map((weight) => weight / total));
}
