/** Sum of values of one shape, the junction of a residual connection (He et al. 2015, arXiv:1512.03385). */

import { mismatch } from "../../errors.ts";
import { addAll, copy } from "../kernels/add.ts";
import type { Add } from "../layer.ts";
import { type Op, product, step } from "../op.ts";

/**
 * The gradient is copied to each input: what comes before may write over its own copy (ReLU does),
 * so they cannot be one storage.
 */
export const add: Op<Add> = {
  shape({ name, inputs: read }, inputs) {
    if (new Set(read).size !== read.length || read.length < 2) {
      throw mismatch(name, "inputs", { expected: "two or more different layers", got: read });
    }
    const odd = inputs.find((shape) => shape.join() !== inputs[0].join());
    if (odd === undefined) return inputs[0];
    throw mismatch(name, "input shape", { expected: `[${inputs[0].join(", ")}]`, got: odd });
  },
  parameters: () => [],
  macs: () => 0,
  forward(layer, site) {
    const { output, x, y } = site;
    const s = step(layer, site);
    const parts = Object.fromEntries(x.map((name, k) => [`x${k}`, name]));
    s.each(addAll(product(output), x.length), { ...parts, y });
    return s;
  },
  backward(layer, site) {
    const { output, dx, dy } = site;
    const s = step(layer, site);
    for (const part of dx) {
      if (part !== undefined) s.each(copy(product(output)), { x: dy, y: part });
    }
    return s;
  },
};
