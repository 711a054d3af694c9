/** Fully connected layer: y [units] = x w [inputs, units] + bias. */

import { mismatch } from "../../errors.ts";
import { columnSums, matmul, matmulTransposed, transpose } from "../kernels/matmul.ts";
import type { Dense } from "../layer.ts";
import { type Op, step } from "../op.ts";

export const dense: Op<Dense> = {
  shape({ name, units }, [input]) {
    if (input.length === 1) return [units];
    throw mismatch(name, "input shape", { expected: "[N] (flatten or pool first)", got: input });
  },
  parameters({ name, units, bias }, [[size]]) {
    const initial = { kind: "glorot", fanIn: size, fanOut: units } as const;
    const weight = { name: `${name}.weight`, shape: [size, units], initial, trainable: true };
    const zero = { kind: "constant", value: 0 } as const;
    const offset = { name: `${name}.bias`, shape: [units], initial: zero, trainable: true };
    return bias ? [weight, offset] : [weight];
  },
  macs({ units }, [[size]]) {
    return size * units;
  },
  forward(layer, { batch: M, inputs: [[K]], x: [x], y, parameter }) {
    const s = step(layer);
    const bias = layer.bias ? { bias: parameter("bias") } : {};
    const kernel = matmul({ M, K, N: layer.units }, { bias: layer.bias });
    s.add(kernel, { x, w: parameter("weight"), y, ...bias });
    return s;
  },
  backward(layer, { batch: M, inputs: [[K]], x: [x], dx: [dx], dy, parameter, gradient }) {
    const s = step(layer);
    const N = layer.units;
    s.add(matmulTransposed({ M, K, N }), { x, dy, dw: gradient("weight") });
    if (layer.bias) s.add(columnSums({ M, N }), { dy, db: gradient("bias") });
    if (dx === undefined) return s;
    const turned = s.scratch("turned", [N, K]);
    s.add(transpose({ M: K, N }), { x: parameter("weight"), y: turned });
    s.add(matmul({ M, K: N, N: K }), { x: dy, w: turned, y: dx });
    return s;
  },
};
