/** Hard swish, element by element. */

import { hardSwishGradient, hardSwish as hardSwishKernel } from "../kernels/hard-swish.ts";
import type { HardSwish } from "../layer.ts";
import { NOTHING, type Op, product, step } from "../op.ts";

export const hardSwish: Op<HardSwish> = {
  inPlace: "backward", // which needs the input
  shape: (_layer, [input]) => input,
  parameters: () => [],
  macs: () => 0,
  forward(layer, site) {
    const s = step(layer, site);
    s.each(hardSwishKernel(product(site.output)), { x: site.x[0], y: site.y });
    return s;
  },
  backward(layer, site) {
    const [dx] = site.dx;
    if (dx === undefined) return NOTHING;
    const s = step(layer, site);
    s.each(hardSwishGradient(product(site.output)), { x: site.x[0], dy: site.dy, dx });
    return s;
  },
};
