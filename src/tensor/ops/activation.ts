/** ReLU, ReLU6, hard swish and dropout. */

import {
  dropout as dropoutKernel,
  reluGradient,
  relu as reluKernel,
} from "../kernels/elementwise.ts";
import { hardSwishGradient, hardSwish as hardSwishKernel } from "../kernels/hard-swish.ts";
import { relu6Gradient, relu6 as relu6Kernel } from "../kernels/relu6.ts";
import type { Dropout, HardSwish, Relu, Relu6 } from "../layer.ts";
import { NOTHING, type Op, product, type Site, step } from "../op.ts";
import { elementwise } from "./elementwise.ts";

export const relu: Op<Relu> = elementwise({
  forward: reluKernel,
  backward: reluGradient,
  reads: "y",
});

export const relu6: Op<Relu6> = elementwise({
  forward: relu6Kernel,
  backward: relu6Gradient,
  reads: "y",
});

export const hardSwish: Op<HardSwish> = elementwise({
  forward: hardSwishKernel,
  backward: hardSwishGradient,
  reads: "x",
});

export const dropout: Op<Dropout> = {
  shape: (_layer, [input]) => input,
  parameters: () => [],
  macs: () => 0,
  forward(layer, site) {
    const s = step(layer, site);
    const { counter, sample } = site;
    s.each(kernelOf(layer, site), { x: site.x[0], counter, sample, y: site.y });
    return s;
  },
  backward(layer, site) {
    const [dx] = site.dx;
    if (dx === undefined) return NOTHING;
    const s = step(layer, site);
    const { counter, sample } = site;
    s.each(kernelOf(layer, site), { x: site.dy, counter, sample, y: dx });
    return s;
  },
};

function kernelOf({ rate }: Dropout, { output, index }: Site) {
  return dropoutKernel(product(output), { rate, salt: index });
}
