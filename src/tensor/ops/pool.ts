/** Maximum pooling over tiles and global average pooling. */

import { mismatch } from "../../errors.ts";
import {
  averagePool,
  averagePoolGradient,
  maxPoolGradient,
  maxPool as maxPoolKernel,
} from "../kernels/pool.ts";
import type { Pair } from "../kernels/window.ts";
import type { GlobalAveragePool, MaxPool, Shape } from "../layer.ts";
import { NOTHING, type Op, step } from "../op.ts";
import { mapShape } from "./conv2d.ts";

export const maxPool: Op<MaxPool> = {
  shape: (layer, [input]) => tiledShape(layer, input),
  parameters: () => [],
  macs: () => 0,
  forward(layer, site) {
    const s = step(layer, site);
    s.each(maxPoolKernel(site.inputs[0], layer.size), { x: site.x[0], y: site.y });
    return s;
  },
  backward(layer, site) {
    const [dx] = site.dx;
    if (dx === undefined) return NOTHING;
    const s = step(layer, site);
    s.each(maxPoolGradient(site.inputs[0], layer.size), {
      x: site.x[0],
      y: site.y,
      dy: site.dy,
      dx,
    });
    return s;
  },
};

export const globalAveragePool: Op<GlobalAveragePool> = {
  shape: ({ name }, [input]) => [mapShape(name, input)[2]],
  parameters: () => [],
  macs: () => 0,
  forward(layer, site) {
    const s = step(layer, site);
    s.each(averagePool(site.inputs[0]), { x: site.x[0], y: site.y });
    return s;
  },
  backward(layer, site) {
    const [dx] = site.dx;
    if (dx === undefined) return NOTHING;
    const s = step(layer, site);
    s.each(averagePoolGradient(site.inputs[0]), { dy: site.dy, dx });
    return s;
  },
};

/** Shape after pooling over tiles. */
export function tiledShape(
  { name, size }: { readonly name: string; readonly size: Pair },
  input: Shape,
): Shape {
  const [H, W, C] = mapShape(name, input);
  if (H >= size[0] && W >= size[1]) {
    return [Math.floor(H / size[0]), Math.floor(W / size[1]), C];
  }
  throw mismatch(name, "input height and width", {
    expected: `>= ${size.join(" x ")}`,
    got: [H, W],
  });
}
