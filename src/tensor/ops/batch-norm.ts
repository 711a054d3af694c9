/**
 * Batch normalisation over the last axis: statistics of the batch in training, running ones
 * otherwise.
 */

import {
  batchGradient,
  batchStatistics,
  normalize,
  normalizeGradient,
  runningStatistics,
  sampleGradientSums,
  sampleMoments,
} from "../kernels/batch-norm.ts";
import type { BatchNorm } from "../layer.ts";
import { type Op, product, type Site, type Step, step } from "../op.ts";

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
  forward: (layer, site) => normForward(layer, site),
  backward: (layer, site) => normBackward(layer, site),
};

interface NormOptions {
  /** A ReLU follows and is part of it. */
  readonly relu?: boolean;
}

export function normForward(norm: BatchNorm, site: Site, options: NormOptions = {}): Step {
  const s = step(norm, site);
  const { rows, C } = sizes(site);
  const [statistics, affine] = [s.scratch("statistics", [2, C]), s.scratch("affine", [2, C])];
  const shared = {
    gamma: site.parameter("gamma", norm.name),
    beta: site.parameter("beta", norm.name),
    // mean and variance lie side by side, so one view covers both
    running: site.parameter("running", norm.name),
    statistics,
    affine,
  };
  if (site.isTraining) {
    const moments = s.scratch("moments", [site.batch, 2, C]);
    s.each(sampleMoments({ rows, C }), { x: site.x[0], moments });
    s.add(batchStatistics({ batch: site.batch, rows, C }, norm), { ...shared, moments });
  } else {
    s.add(runningStatistics(C, norm.epsilon), shared);
  }
  s.each(normalize({ rows, C }, options), { x: site.x[0], affine, y: site.y });
  return s;
}

/** The output from the statistics that forward has left. */
export function normAgain(norm: BatchNorm, site: Site, options: NormOptions = {}): Step {
  const s = step(norm, site);
  const bindings = { x: site.x[0], affine: `${norm.name}.affine`, y: site.y };
  s.each(normalize(sizes(site), options), bindings);
  return s;
}

export function normBackward(norm: BatchNorm, site: Site, options: NormOptions = {}): Step {
  const s = step(norm, site);
  const { rows, C } = sizes(site);
  const [statistics, affine] = [`${norm.name}.statistics`, `${norm.name}.affine`];
  const [x, dy] = [site.x[0], site.dy];
  const sums = s.scratch("sums", [site.batch, 2, C]);
  const slopes = s.scratch("slopes", [3, C]);
  s.each(sampleGradientSums({ rows, C }, options), { x, dy, statistics, affine, sums });
  s.add(batchGradient({ batch: site.batch, rows, C }), {
    ...{ sums, statistics, affine, slopes },
    dgamma: site.gradient("gamma", norm.name),
    dbeta: site.gradient("beta", norm.name),
  });
  const [dx] = site.dx;
  if (dx === undefined) return s;
  s.each(normalizeGradient({ rows, C }, options), { x, dy, affine, slopes, dx });
  return s;
}

function sizes({ output }: Site) {
  const C = output[output.length - 1];
  return { rows: product(output) / C, C };
}
