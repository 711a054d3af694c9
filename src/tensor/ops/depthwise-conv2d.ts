/** Depthwise convolution: each channel with a window of its own, weights [kh, kw, C]. */

import { depthwise, depthwiseInputGradient, depthwiseScatter } from "../kernels/depthwise.ts";
import { depthwiseWeightGradient } from "../kernels/depthwise-weights.ts";
import type { DepthwiseConv2d } from "../layer.ts";
import { type Op, type Site, type Step, step } from "../op.ts";
import { biasGradient, outputsOf } from "./conv2d.ts";

export const depthwiseConv2d: Op<DepthwiseConv2d> = {
  shape(layer, [input]) {
    return [...outputsOf(layer, input), input[2]];
  },
  parameters({ name, kernel: [kh, kw], bias }, [[, , C]]) {
    // no activation need follow, so the variance is kept: Glorot
    const initial = { kind: "glorot", fanIn: kh * kw, fanOut: kh * kw } as const;
    const weight = { name: `${name}.weight`, shape: [kh, kw, C], initial, trainable: true };
    const zero = { kind: "constant", value: 0 } as const;
    const offset = { name: `${name}.bias`, shape: [C], initial: zero, trainable: true };
    return bias ? [weight, offset] : [weight];
  },
  macs({ kernel: [kh, kw] }, _inputs, [H, W, C]) {
    return H * W * C * kh * kw;
  },
  forward: outputOf,
  again: outputOf,
  readsAcross: true,
  backward(layer, site) {
    const s = step(layer, site);
    const [shape] = site.inputs;
    const { dy } = site;
    const [H, W, N] = site.output;
    const size = layer.kernel[0] * layer.kernel[1] * N;
    const dw = s.gather("dweight", size);
    s.each(depthwiseWeightGradient(shape, layer), { x: site.x[0], dy, dw });
    s.sum(dw, site.gradient("weight"));
    if (layer.bias) biasGradient({ pixels: H * W, N }, site, s);
    const [dx] = site.dx;
    if (dx === undefined) return s;
    const isDense = layer.stride[0] === 1 && layer.stride[1] === 1;
    const kernel = isDense ? depthwiseInputGradient(shape, layer) : depthwiseScatter(shape, layer);
    s.each(kernel, { x: dy, w: site.parameter("weight"), y: dx });
    return s;
  },
};

function outputOf(layer: DepthwiseConv2d, site: Site): Step {
  const s = step(layer, site);
  const bindings = { x: site.x[0], w: site.parameter("weight"), y: site.y };
  const bias = layer.bias ? { bias: site.parameter("bias") } : {};
  s.each(depthwise(site.inputs[0], layer, { bias: layer.bias }), { ...bindings, ...bias });
  return s;
}
