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
  forward(layer, { batch, output, x: [x], y }) {
    const s = step(layer);
    s.add(reluKernel(batch * product(output)), { x, y });
    return s;
  },
  backward(layer, { batch, output, y, dy, dx: [dx] }) {
    if (dx === undefined) return NOTHING;
    const s = step(layer);
    s.add(reluGradient(batch * product(output)), { y, dy, dx });
    return s;
  },
};

export const dropout: Op<Dropout> = {
  shape: (_layer, [input]) => input,
  parameters: () => [],
  macs: () => 0,
  forward(layer, site) {
    const s = step(layer);
    s.add(kernelOf(layer, site), { x: site.x[0], counter: site.counter, y: site.y });
    return s;
  },
  backward(layer, site) {
    const [dx] = site.dx;
    if (dx === undefined) return NOTHING;
    const s = step(layer);
    s.add(kernelOf(layer, site), { x: site.dy, counter: site.counter, y: dx });
    return s;
  },
};

function kernelOf({ rate }: Dropout, { batch, output, index }: Site) {
  return dropoutKernel(batch * product(output), { rate, salt: index });
}
