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
  forward(layer, { batch, inputs, output: [total], x, y }) {
    const s = step(layer);
    offsetsOf(inputs).forEach(({ size, offset }, i) => {
      s.add(columns({ batch, size, offset, total, isForward: true }), { part: x[i], whole: y });
    });
    return s;
  },
  backward(layer, { batch, inputs, output: [total], dx, dy }) {
    const s = step(layer);
    offsetsOf(inputs).forEach(({ size, offset }, i) => {
      const part = dx[i];
      if (part === undefined) return;
      s.add(columns({ batch, size, offset, total, isForward: false }), { part, whole: dy });
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
  readonly batch: number;
  readonly size: number;
  readonly offset: number;
  readonly total: number;
  readonly isForward: boolean;
}

/** Copy [batch, size] to or from columns `offset...` of [batch, total]. */
function columns({ batch, size, offset, total, isForward }: Columns): Kernel {
  const part = b.buffer("part", "f32", [batch, size]);
  const whole = b.buffer("whole", "f32", [batch, total]);
  const body = b.loop(
    "n",
    batch,
    (n) => [
      b.lanes("i", size, (i) => {
        const there = b.add(i, offset);
        if (isForward) return [b.store(whole, [n, there], b.load(part, n, i))];
        return [b.store(part, [n, i], b.load(whole, n, there))];
      }),
    ],
    { parallel: true },
  );
  return b.kernel(isForward ? "concat" : "split", [part, whole], [body]);
}
