/** Average pooling over tiles. */

import { averageTiles, averageTilesGradient } from "../kernels/average-pool.ts";
import type { AveragePool } from "../layer.ts";
import { NOTHING, type Op, step } from "../op.ts";
import { tiledShape } from "./pool.ts";

export const averagePool: Op<AveragePool> = {
  shape: (layer, [input]) => tiledShape(layer, input),
  parameters: () => [],
  macs: () => 0,
  forward(layer, site) {
    const s = step(layer, site);
    s.each(averageTiles(site.inputs[0], layer.size), { x: site.x[0], y: site.y });
    return s;
  },
  backward(layer, site) {
    const [dx] = site.dx;
    if (dx === undefined) return NOTHING;
    const s = step(layer, site);
    s.each(averageTilesGradient(site.inputs[0], layer.size), { dy: site.dy, dx });
    return s;
  },
};
