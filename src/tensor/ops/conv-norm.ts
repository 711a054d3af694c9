/**
 * A convolution, the batch normalisation after it and a ReLU as one convolution: in training if the
 * convolution reads an input of the net (see kernels/conv-norm.ts), in inference any.
 */

import {
  foldRunning,
  gram,
  gramGradient,
  gramStatistics,
  patchColumns,
  patches,
} from "../kernels/conv-norm.ts";
import { zeros } from "../kernels/elementwise.ts";
import { gramOfLags, hasLags, lagFrame, lagShape, lagSums } from "../kernels/lag-sums.ts";
import { pad } from "../kernels/window.ts";
import type { ConvNorm } from "../merged-layer.ts";
import { product, type Site, type StepBuilder, type Steps, step } from "../op.ts";
import { convolution, convolvedBy, weightGradient } from "./convolution.ts";

export const convNorm: Steps<ConvNorm> = {
  forward(layer, site) {
    const s = step(layer, site);
    const [x] = site.x;
    const { folded, offset } = fold(layer, site, s);
    const names = { x, w: folded, bias: offset, y: site.y };
    convolution(convolvedBy(layer.conv, site), names, s, { relu: layer.relu !== undefined });
    return s;
  },
  backward(layer, site) {
    const s = step(layer, site);
    const { conv, norm, relu } = layer;
    const convolved = convolvedBy(conv, site);
    const { K, N } = sizes(layer, site);
    const [dsum, given] = [s.scratch("dsum", [N]), s.scratch("given", [K, N])];
    const own = (role: string): string => `${layer.name}.${role}`;
    weightGradient(convolved, { x: site.x[0], dy: site.dy, dw: given, kept: layer.name }, s, {
      dsum,
      ...(relu === undefined ? {} : { y: site.y }),
    });
    s.add(gramGradient(convolved.shape, { batch: site.batch }), {
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
function fold(layer: ConvNorm, site: Site, s: StepBuilder) {
  const { conv, norm } = layer;
  const { K, N } = sizes(layer, site);
  const { shape } = convolvedBy(conv, site);
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
  const sums = gramOf(layer, site, s);
  const batch = { epsilon: norm.epsilon, momentum: norm.momentum, batch: site.batch };
  s.add(gramStatistics(shape, { ...batch, bias: conv.bias }), {
    ...shared,
    gram: sums,
    covariance: s.scratch("covariance", [K, K]),
    covered: s.scratch("covered", [K, N]),
  });
  return targets;
}

/** The Gram matrix of all patches of a batch. */
function gramOf({ conv }: ConvNorm, site: Site, s: StepBuilder): string {
  const { shape, frame } = convolvedBy(conv, site);
  const columns = patchColumns(shape);
  const sums = s.scratch("gram", [columns, columns]);
  const [input] = site.inputs;
  if (hasLags(input, conv)) {
    const lagged = lagFrame(input, conv);
    const x = s.scratch("lag_framed", [site.batch, ...lagged.padded, input[2]]);
    s.each(pad(lagged), { x: site.x[0], y: x });
    const parts = s.gather("lag_parts", product(lagShape(input, conv)));
    s.each(lagSums(input, conv), { x, sums: parts });
    const lags = s.scratch("lags", lagShape(input, conv));
    s.sum(parts, lags);
    s.add(gramOfLags(input, conv, columns), { sums: lags, gram: sums });
    return sums;
  }
  const x =
    frame === undefined
      ? site.x[0]
      : s.scratch("gram_framed", [site.batch, ...frame.padded, input[2]]);
  if (frame !== undefined) s.each(pad(frame), { x: site.x[0], y: x });
  const [H, W] = site.output;
  const rows = s.scratch("patches", [site.batch, H * W, columns]);
  s.each(patches(shape), { x, patches: rows });
  const parts = s.gather("gram_parts", columns * columns);
  s.each(gram(shape), { patches: rows, gram: parts });
  s.sum(parts, sums);
  return sums;
}
