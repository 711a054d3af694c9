/**
 * Batch normalisation over the last axis: statistics of the batch in training, running ones
 * otherwise.
 */

import {
  batchStatistics,
  normalize,
  normalizeGradient,
  normalizeSums,
  runningStatistics,
} from "../kernels/batch-norm.ts";
import type { BatchNorm } from "../layer.ts";
import { type Op, product, type Site, step } from "../op.ts";

export const batchNorm: Op<BatchNorm> = {
  shape(_layer, [input]) {
    return input;
  },
  parameters({ name }, [input]) {
    const C = input[input.length - 1];
    const constant = (value: number) => ({ kind: "constant", value }) as const;
    return [
      { name: `${name}.gamma`, shape: [C], initial: constant(1), trainable: true },
      { name: `${name}.beta`, shape: [C], initial: constant(0), trainable: true },
      { name: `${name}.mean`, shape: [C], initial: constant(0), trainable: false },
      { name: `${name}.variance`, shape: [C], initial: constant(1), trainable: false },
    ];
  },
  macs() {
    return 0; // folded into the layer before it when the net is compressed
  },
  forward(layer, site) {
    const s = step(layer);
    const { rows, C } = sizes(site);
    const [mean, inverse] = [s.scratch("batch_mean", [C]), s.scratch("inverse", [C])];
    // mean and variance lie side by side, so one view covers both
    const running = site.parameter("running");
    if (site.isTraining) {
      const kernel = batchStatistics({ rows, C }, layer);
      s.add(kernel, { x: site.x[0], mean, inverse, running });
    } else {
      s.add(runningStatistics(C, layer.epsilon), { running, mean, inverse });
    }
    const [gamma, beta] = [site.parameter("gamma"), site.parameter("beta")];
    s.add(normalize({ rows, C }), { x: site.x[0], mean, inverse, gamma, beta, y: site.y });
    return s;
  },
  backward(layer, site) {
    const s = step(layer);
    const dx = site.dx[0] ?? s.scratch("unused", [site.batch, ...site.inputs[0]]);
    const shared = {
      x: site.x[0],
      dy: site.dy,
      mean: `${layer.name}.batch_mean`,
      inverse: `${layer.name}.inverse`,
      dgamma: site.gradient("gamma"),
      dbeta: site.gradient("beta"),
    };
    s.add(normalizeSums(sizes(site)), shared);
    const gamma = site.parameter("gamma");
    s.add(normalizeGradient(sizes(site)), { ...shared, gamma, dx });
    return s;
  },
};

function sizes({ batch, output }: Site) {
  const C = output[output.length - 1];
  return { rows: (batch * product(output)) / C, C };
}
