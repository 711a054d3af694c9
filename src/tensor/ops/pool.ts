/** Maximum pooling over tiles and global average pooling. */

import { mismatch } from "../../errors.ts";
import {
  averagePool,
  averagePoolGradient,
  maxPoolGradient,
  maxPool as maxPoolKernel,
} from "../kernels/pool.ts";
import type { GlobalAveragePool, MaxPool } from "../layer.ts";
import { NOTHING, type Op, type Site, step } from "../op.ts";
import { mapShape } from "./conv2d.ts";

export const maxPool: Op<MaxPool> = {
  shape({ name, size }, [input]) {
    const [H, W, C] = mapShape(name, input);
    if (H < size[0] || W < size[1]) {
      throw mismatch(name, "input height and width", {
        expected: `>= ${size.join(" x ")}`,
        got: [H, W],
      });
    }
    return [Math.floor(H / size[0]), Math.floor(W / size[1]), C];
  },
  parameters: () => [],
  macs: () => 0,
  forward(layer, site) {
    const s = step(layer);
    s.add(maxPoolKernel(imageOf(site), layer.size), { x: site.x[0], y: site.y });
    return s;
  },
  backward(layer, site) {
    const [dx] = site.dx;
    if (dx === undefined) return NOTHING;
    const s = step(layer);
    s.add(maxPoolGradient(imageOf(site), layer.size), { x: site.x[0], y: site.y, dy: site.dy, dx });
    return s;
  },
};

export const globalAveragePool: Op<GlobalAveragePool> = {
  shape: ({ name }, [input]) => [mapShape(name, input)[2]],
  parameters: () => [],
  macs: () => 0,
  forward(layer, site) {
    const s = step(layer);
    s.add(averagePool(imageOf(site)), { x: site.x[0], y: site.y });
    return s;
  },
  backward(layer, site) {
    const [dx] = site.dx;
    if (dx === undefined) return NOTHING;
    const s = step(layer);
    s.add(averagePoolGradient(imageOf(site)), { dy: site.dy, dx });
    return s;
  },
};

function imageOf({ batch, inputs }: Site) {
  return { batch, shape: inputs[0] };
}
