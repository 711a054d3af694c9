/** Fully connected layer: y [units] = x w [inputs, units] + bias. */

import { mismatch } from "../../errors.ts";
import { blocksOf, inBlocks, productInBlocks, turnInBlocks } from "../kernels/blocks.ts";
import {
  columnSums,
  convolve,
  convolveWeights,
  productOf,
  turnWeights,
} from "../kernels/convolve.ts";
import type { Dense } from "../layer.ts";
import { type Op, type Site, step } from "../op.ts";

export const dense: Op<Dense> = {
  shape({ name, units }, [input]) {
    if (input.length === 1) return [units];
    throw mismatch(name, "input shape", { expected: "[N] (flatten or pool first)", got: input });
  },
  parameters({ name, units, bias }, [[size]]) {
    const initial = { kind: "glorot", fanIn: size, fanOut: units } as const;
    const weight = { name: `${name}.weight`, shape: [size, units], initial, trainable: true };
    const zero = { kind: "constant", value: 0 } as const;
    const offset = { name: `${name}.bias`, shape: [units], initial: zero, trainable: true };
    return bias ? [weight, offset] : [weight];
  },
  macs({ units }, [[size]]) {
    return size * units;
  },
  forward(layer, site) {
    const s = step(layer, site);
    const bias = layer.bias ? { bias: site.parameter("bias") } : {};
    const kernel = convolve(productOf(sizes(layer, site)), { bias: layer.bias, parallel: true });
    s.add(kernel, { x: site.x[0], w: site.parameter("weight"), y: site.y, ...bias });
    return s;
  },
  backward(layer, site) {
    const s = step(layer, site);
    const { M, K, N } = sizes(layer, site);
    const blocks = blocksOf(K);
    const isWide = blocks > 1;
    const { dy } = site;
    const x = isWide ? s.scratch("blocked", [blocks, M, K / blocks]) : site.x[0];
    if (isWide) s.add(inBlocks({ M, K, blocks }), { x: site.x[0], blocked: x });
    const weights = convolveWeights(productOf({ M, K, N }, blocks), { parallel: true });
    s.add(weights, { x, dy, dw: site.gradient("weight") });
    if (layer.bias)
      s.add(columnSums({ M, N }, { parallel: true }), { dy, db: site.gradient("bias") });
    const [dx] = site.dx;
    if (dx === undefined) return s;
    const turned = s.scratch("turned", [N, K]);
    const turn = isWide ? turnInBlocks({ K, N, blocks }) : turnWeights([1, 1], { C: K, N });
    s.add(turn, { w: site.parameter("weight"), turned });
    const back = isWide
      ? productInBlocks({ M, K, N, blocks })
      : convolve(productOf({ M, K: N, N: K }), { parallel: true });
    s.add(back, { x: dy, w: turned, y: dx });
    return s;
  },
};

/** All samples at once: a product of few rows reads the weights as often as one of many. */
function sizes({ units }: Dense, { batch, inputs: [[K]] }: Site) {
  return { M: batch, K, N: units };
}
