/** Convolution in groups, beside the one that has a single group. */

import { mismatch } from "../../errors.ts";
import {
  type Grouped,
  groupedConvolution,
  groupedInputGradient,
  groupedWeightGradient,
} from "../kernels/grouped-convolution.ts";
import type { Conv2d, Shape } from "../layer.ts";
import { type Op, type Site, type Step, step } from "../op.ts";
import { biasGradient } from "./conv2d.ts";

/** The operation with the layer's `groups` obeyed; its weight is [kh, kw, C / groups, filters]. */
export function withGroups(op: Op<Conv2d>): Op<Conv2d> {
  const isWhole = ({ groups = 1 }: Conv2d): boolean => groups === 1;
  return {
    ...op,
    shape(layer, inputs) {
      checkGroups(layer, inputs[0]);
      return op.shape(layer, inputs);
    },
    // each filter sees the channels of one group
    parameters: (layer, inputs) => op.parameters(layer, inputs.map(groupShape(layer))),
    macs: (layer, inputs, output) => op.macs(layer, inputs.map(groupShape(layer)), output),
    forward: (layer, site) => (isWhole(layer) ? op.forward(layer, site) : forward(layer, site)),
    backward: (layer, site) => (isWhole(layer) ? op.backward(layer, site) : backward(layer, site)),
  };
}

function checkGroups({ name, groups = 1, filters }: Conv2d, input: Shape): void {
  const divides = (count: number): boolean => Number.isInteger(count / groups);
  if (Number.isInteger(groups) && groups >= 1 && divides(filters) && divides(input[2] ?? 0)) return;
  const expected = `a divisor of ${input[2]} channels and ${filters} filters`;
  throw mismatch(name, "groups", { expected, got: groups });
}

function groupShape({ groups = 1 }: Conv2d): (shape: Shape) => Shape {
  return ([H, W, C]) => [H, W, C / groups];
}

function groupedOf(layer: Conv2d, { inputs: [shape] }: Site): Grouped {
  const { groups = 1, kernel, stride, padding, filters } = layer;
  return { shape, groups, kernel, stride, padding, filters };
}

function forward(layer: Conv2d, site: Site): Step {
  const s = step(layer, site);
  const bias = layer.bias ? { bias: site.parameter("bias") } : {};
  const bindings = { x: site.x[0], w: site.parameter("weight"), y: site.y };
  const kernel = groupedConvolution(groupedOf(layer, site), { bias: layer.bias });
  s.each(kernel, { ...bindings, ...bias });
  return s;
}

function backward(layer: Conv2d, site: Site): Step {
  const grouped = groupedOf(layer, site);
  const { dy } = site;
  const [H, W, N] = site.output;
  const s = step(layer, site);
  const size = layer.kernel[0] * layer.kernel[1] * (grouped.shape[2] / grouped.groups) * N;
  const dw = s.gather("dweight", size);
  s.each(groupedWeightGradient(grouped), { x: site.x[0], dy, dw });
  s.sum(dw, site.gradient("weight"));
  if (layer.bias) biasGradient({ pixels: H * W, N }, site, s);
  const [dx] = site.dx;
  if (dx === undefined) return s;
  s.each(groupedInputGradient(grouped), { dy, w: site.parameter("weight"), dx });
  return s;
}
