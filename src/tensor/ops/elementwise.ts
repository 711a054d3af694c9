/** Operations on each element by itself, without parameters. */

import type { Kernel } from "../../kernel/index.ts";
import type { Layer } from "../layer.ts";
import { NOTHING, type Op, product, step } from "../op.ts";

interface Elementwise {
  /** Of x and y. */
  readonly forward: (size: number) => Kernel;
  /** Of dy, dx and the value it `reads`. */
  readonly backward: (size: number) => Kernel;
  /** Backward knows the output, or needs the input, which then may not be written over. */
  readonly reads: "y" | "x";
}

export function elementwise<L extends Layer>({ forward, backward, reads }: Elementwise): Op<L> {
  return {
    inPlace: reads === "y" ? true : "backward",
    shape: (_layer, [input]) => input,
    parameters: () => [],
    macs: () => 0,
    forward(layer, site) {
      const s = step(layer, site);
      s.each(forward(product(site.output)), { x: site.x[0], y: site.y });
      return s;
    },
    backward(layer, site) {
      const [dx] = site.dx;
      if (dx === undefined) return NOTHING;
      const s = step(layer, site);
      const value = reads === "y" ? { y: site.y } : { x: site.x[0] };
      s.each(backward(product(site.output)), { ...value, dy: site.dy, dx });
      return s;
    },
  };
}
