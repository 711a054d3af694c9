/** A 1 x 1 convolution, ReLU, 2 x 2 maximum and dropout as one step. */

import { turnWeights } from "../kernels/convolve.ts";
import {
  choiceOf,
  type PooledProduct,
  pointwisePool as pointwisePoolKernel,
} from "../kernels/pointwise-pool.ts";
import {
  chosenInput,
  chosenWeights,
  listChosen,
  listsOf,
} from "../kernels/pointwise-pool-gradient.ts";
import type { PointwisePool } from "../merged-layer.ts";
import { type Site, type Steps, step } from "../op.ts";

export const pointwisePool: Steps<PointwisePool> = {
  forward(layer, site) {
    const s = step(layer, site);
    const product = productOf(layer, site);
    const { counter, sample, isTraining } = site;
    const { conv, dropout } = layer;
    const bindings = {
      x: site.x[0],
      w: site.parameter("weight", conv.name),
      bias: site.parameter("bias", conv.name),
      y: site.y,
      choice: s.scratch("choice", [site.batch, ...site.output], choiceOf(product).type),
    };
    if (dropout === undefined || !isTraining) s.each(pointwisePoolKernel(product), bindings);
    else {
      const kernel = pointwisePoolKernel(product, { rate: dropout.rate, salt: site.index });
      s.each(kernel, { ...bindings, counter, sample });
    }
    return s;
  },
  backward(layer, site) {
    const s = step(layer, site);
    const product = productOf(layer, site);
    const { name: conv } = layer.conv;
    const N = product.filters;
    const K = product.shape[2];
    const dropout = { scale: 1 / (1 - (layer.dropout?.rate ?? 0)) };
    const { dy } = site;
    const lists = s.scratch("lists", [site.batch, ...listsOf(product)], "s32");
    const gradients = s.scratch("gradients", [site.batch, ...listsOf(product)], "f32");
    const db = s.gather("dbias", N);
    s.each(listChosen(product, dropout), {
      choice: `${layer.name}.choice`,
      dy,
      lists,
      gradients,
      db,
    });
    s.sum(db, site.gradient("bias", conv));
    const dw = s.gather("dweight", N * K);
    s.each(chosenWeights(product, dropout), { x: site.x[0], lists, gradients, dw });
    const sums = s.scratch("dweight_turned", [N, K]);
    s.sum(dw, sums);
    const dweight = site.gradient("weight", conv);
    s.add(turnWeights([1, 1], { C: N, N: K }), { w: sums, turned: dweight });
    const [dx] = site.dx;
    if (dx === undefined) return s;
    const turned = s.scratch("turned", [N, K]);
    const weight = site.parameter("weight", conv);
    s.add(turnWeights([1, 1], { C: K, N }), { w: weight, turned });
    s.each(chosenInput(product, dropout), { lists, gradients, turned, dx });
    return s;
  },
};

function productOf({ conv }: PointwisePool, { inputs: [shape] }: Site): PooledProduct {
  return { shape, filters: conv.filters };
}
