/** ReLU6, in place like ReLU. */

import { relu6Gradient, relu6 as relu6Kernel } from "../kernels/relu6.ts";
import type { Relu6 } from "../layer.ts";
import { NOTHING, type Op, product, step } from "../op.ts";

export const relu6: Op<Relu6> = {
  inPlace: true,
  shape: (_layer, [input]) => input,
  parameters: () => [],
  macs: () => 0,
  forward(layer, site) {
    const s = step(layer, site);
    const {
      output,
      x: [x],
      y,
    } = site;
    s.each(relu6Kernel(product(output)), { x, y });
    return s;
  },
  backward(layer, site) {
    const {
      output,
      y,
      dy,
      dx: [dx],
    } = site;
    if (dx === undefined) return NOTHING;
    const s = step(layer, site);
    s.each(relu6Gradient(product(output)), { y, dy, dx });
    return s;
  },
};
