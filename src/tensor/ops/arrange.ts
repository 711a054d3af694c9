/** Flatten and concatenation: where values lie, not what they are. */

import { mismatch } from "../../errors.ts";
import { build as b, type Kernel } from "../../kernel/index.ts";
import type { Concat, Flatten } from "../layer.ts";
import { NOTHING, type Op, product, step } from "../op.ts";

export const flatten: Op<Flatten> = {
  isView: true,
  shape: (_layer, [input]) => [product(input)],
  parameters: () => [],
  macs: () => 0,
  forward: () => NOTHING,
  backward: () => NOTHING,
};

/**
 * In training, samples of a batch lie one after the other, so each part is copied into its columns.
 * On the device (one sample) the parts are neighbours and nothing is copied: see compress.
 */
export const concat: Op<Concat> = {
  shape({ name }, inputs) {
    const odd = inputs.find((shape) => shape.length !== 1);
    if (odd !== undefined) throw mismatch(name, "input shape", { expected: "[N]", got: odd });
    return [inputs.reduce((sum, [size]) => sum + size, 0)];
  },
  parameters: () => [],
  macs: () => 0,
  forward(layer, site) {
    const s = step(layer, site);
    const [total] = site.output;
    offsetsOf(site.inputs).forEach((piece, i) => {
      s.each(columns({ ...piece, total, isForward: true }), { part: site.x[i], whole: site.y });
    });
    return s;
  },
  backward(layer, site) {
    const s = step(layer, site);
    const [total] = site.output;
    offsetsOf(site.inputs).forEach((piece, i) => {
      const part = site.dx[i];
      if (part === undefined) return;
      s.each(columns({ ...piece, total, isForward: false }), { part, whole: site.dy });
    });
    return s;
  },
};

function offsetsOf(inputs: readonly (readonly number[])[]) {
  let offset = 0;
  return inputs.map(([size]) => {
    const part = { size, offset };
    offset += size;
    return part;
  });
}

interface Columns {
  readonly size: number;
  readonly offset: number;
  readonly total: number;
  readonly isForward: boolean;
}

/** Copy [size] to or from elements `offset...` of [total]. */
function columns({ size, offset, total, isForward }: Columns): Kernel {
  const part = b.buffer("part", "f32", [size]);
  const whole = b.buffer("whole", "f32", [total]);
  const body = b.lanes("i", size, (i) => {
    const there = b.add(i, offset);
    if (isForward) return [b.store(whole, [there], b.load(part, i))];
    return [b.store(part, [i], b.load(whole, there))];
  });
  return b.kernel(isForward ? "concat" : "split", [part, whole], [body]);
}
