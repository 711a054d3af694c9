/**
 * A convolution, the batch normalisation after it and a ReLU as one convolution: in training if the
 * convolution reads an input of the net (see kernels/conv-norm.ts), in inference any.
 */

import {
  foldRunning,
  gram,
  gramGradient,
  gramStatistics,
  maskedGradient,
  patchColumns,
  patches,
} from "../kernels/conv-norm.ts";
import { convolve, convolveWeights } from "../kernels/convolve.ts";
import { zeros } from "../kernels/elementwise.ts";
import { gramOfLags, hasLags, lagFrame, lagShape, lagSums } from "../kernels/lag-sums.ts";
import { pad } from "../kernels/window.ts";
import type { ConvNorm } from "../merged-layer.ts";
import { product, type Site, type StepBuilder, type Steps, step } from "../op.ts";
import { convolutionOf, padded, paddedName } from "./conv2d.ts";

export const convNorm: Steps<ConvNorm> = {
  forward(layer, site) {
    const s = step(layer, site);
    const { conv, relu } = layer;
    const x = padded(conv, site, s);
    const { folded, offset } = fold(layer, x, site, s);
    const kernel = convolve(convolutionOf(conv, site), { bias: true, relu: relu !== undefined });
    s.each(kernel, { x, w: folded, bias: offset, y: site.y });
    return s;
  },
  backward(layer, site) {
    const s = step(layer, site);
    const { conv, norm, relu } = layer;
    const convolution = convolutionOf(conv, site);
    const { K, N } = sizes(layer, site);
    const [H, W] = site.output;
    const masked = site.dy; // nothing else reads it afterwards
    const dsums = s.gather("dsum_parts", N);
    const mask = maskedGradient({ pixels: H * W, N }, { relu: relu !== undefined });
    s.each(mask, { y: site.y, dy: site.dy, masked, dsum: dsums });
    const givens = s.gather("given_parts", K * N);
    const x = paddedName(conv, layer.name, site);
    s.each(convolveWeights(convolution), { x, dy: masked, dw: givens });
    const [dsum, given] = [s.scratch("dsum", [N]), s.scratch("given", [K, N])];
    s.sum(dsums, dsum);
    s.sum(givens, given);
    const own = (role: string): string => `${layer.name}.${role}`;
    s.add(gramGradient(convolution, { batch: site.batch }), {
      ...{ gram: own("gram"), covered: own("covered"), statistics: own("statistics") },
      ...{ w: site.parameter("weight", conv.name), gamma: site.parameter("gamma", norm.name) },
      ...{ given, dsum, dw: site.gradient("weight", conv.name) },
      dgamma: site.gradient("gamma", norm.name),
      dbeta: site.gradient("beta", norm.name),
    });
    if (conv.bias) s.add(zeros(N), { y: site.gradient("bias", conv.name) });
    return s;
  },
};

function sizes({ conv }: ConvNorm, { inputs: [[, , C]] }: Site) {
  return { K: conv.kernel[0] * conv.kernel[1] * C, N: conv.filters };
}

/** The folded weights [K, N] and offset [N], of the batch or of the running statistics. */
function fold(layer: ConvNorm, x: string, site: Site, s: StepBuilder) {
  const { conv, norm } = layer;
  const { K, N } = sizes(layer, site);
  const convolution = convolutionOf(conv, site);
  const targets = {
    statistics: s.scratch("statistics", [2, N]),
    folded: s.scratch("folded", [K, N]),
    offset: s.scratch("offset", [N]),
  };
  const shared = {
    ...targets,
    ...(conv.bias ? { bias: site.parameter("bias", conv.name) } : {}),
    w: site.parameter("weight", conv.name),
    gamma: site.parameter("gamma", norm.name),
    beta: site.parameter("beta", norm.name),
    running: site.parameter("running", norm.name),
  };
  if (!site.isTraining) {
    s.add(foldRunning({ K, N, bias: conv.bias }, norm), shared);
    return targets;
  }
  const sums = gramOf(layer, x, site, s);
  const batch = { epsilon: norm.epsilon, momentum: norm.momentum, batch: site.batch };
  s.add(gramStatistics(convolution, { ...batch, bias: conv.bias }), {
    ...shared,
    gram: sums,
    covariance: s.scratch("covariance", [K, K]),
    covered: s.scratch("covered", [K, N]),
  });
  return targets;
}

/** The Gram matrix of all patches of a batch. */
function gramOf({ conv }: ConvNorm, padded: string, site: Site, s: StepBuilder): string {
  const convolution = convolutionOf(conv, site);
  const columns = patchColumns(convolution);
  const sums = s.scratch("gram", [columns, columns]);
  const [shape] = site.inputs;
  if (hasLags(shape, conv)) {
    const frame = lagFrame(shape, conv);
    const framed = s.scratch("framed", [site.batch, ...frame.padded, shape[2]]);
    s.each(pad(frame), { x: site.x[0], y: framed });
    const parts = s.gather("lag_parts", product(lagShape(shape, conv)));
    s.each(lagSums(shape, conv), { x: framed, sums: parts });
    const lags = s.scratch("lags", lagShape(shape, conv));
    s.sum(parts, lags);
    s.add(gramOfLags(shape, conv, columns), { sums: lags, gram: sums });
    return sums;
  }
  const [H, W] = site.output;
  const rows = s.scratch("patches", [site.batch, H * W, columns]);
  s.each(patches(convolution), { x: padded, patches: rows });
  const parts = s.gather("gram_parts", columns * columns);
  s.each(gram(convolution), { patches: rows, gram: parts });
  s.sum(parts, sums);
  return sums;
}
