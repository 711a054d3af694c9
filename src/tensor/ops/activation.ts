/** ReLU and dropout. */

import {
  dropout as dropoutKernel,
  reluGradient,
  relu as reluKernel,
} from "../kernels/elementwise.ts";
import type { Dropout, Relu } from "../layer.ts";
import { NOTHING, type Op, product, type Site, step } from "../op.ts";

export const relu: Op<Relu> = {
  inPlace: true,
  shape: (_layer, [input]) => input,
  parameters: () => [],
  macs: () => 0,
  forward(layer, site) {
    const s = step(layer, site);
    s.each(reluKernel(product(site.output)), { x: site.x[0], y: site.y });
    return s;
  },
  backward(layer, site) {
    const [dx] = site.dx;
    if (dx === undefined) return NOTHING;
    const s = step(layer, site);
    s.each(reluGradient(product(site.output)), { y: site.y, dy: site.dy, dx });
    return s;
  },
};

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
