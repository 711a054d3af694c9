/**
 * Fake quantization of weights: each output channel (the last axis) is rounded to integers times a
 * step of its own, while the optimizer keeps the f32 values. levels.ts has the formulas.
 */

import { build as b, type Expr, type Kernel, type Statement } from "../../kernel/index.ts";
import { isInside, type Levels, positive, rounded, stepSlope } from "./levels.ts";

/** Weights seen as [rows, channels]. */
export interface WeightShape {
  readonly rows: number;
  readonly channels: number;
}

/** step [channels] = max |weight| / high: the largest weight of a channel is an integer. */
export function maxAbsSteps({ rows, channels }: WeightShape, { high }: Levels): Kernel {
  const weight = b.buffer("weight", "f32", [rows, channels]);
  const step = b.buffer("step", "f32", [channels]);
  const largest = b.variable("largest", "f32");
  const body = overChannels(channels, (c) => [
    b.declare(largest, 0),
    b.loop("r", rows, (r) => {
      const w = b.load(weight, r, c);
      return [b.set(largest, b.max(largest, b.max(w, b.sub(0, w))))];
    }),
    b.store(step, [c], b.div(largest, high)),
  ]);
  return b.kernel("max_abs_steps", [weight, step], [body]);
}

/** quantized = step q(weight / step) */
export function quantizeWeights({ rows, channels }: WeightShape, levels: Levels): Kernel {
  const weight = b.buffer("weight", "f32", [rows, channels]);
  const step = b.buffer("step", "f32", [channels]);
  const quantized = b.buffer("quantized", "f32", [rows, channels]);
  const s = b.variable("s", "f32");
  const body = overChannels(channels, (c) => [
    b.declare(s, positive(b.load(step, c))),
    b.loop("r", rows, (r) => {
      const q = rounded(b.div(b.load(weight, r, c), s), levels);
      return [b.store(quantized, [r, c], b.mul(q, s))];
    }),
  ]);
  return b.kernel("quantize_weights", [weight, step, quantized], [body]);
}

/**
 * dweight and dstep from dquantized, the gradient by the quantized weights.
 *
 * dstep is multiplied by 1 / sqrt(rows * high), so that steps learn as fast as weights (section 2.2
 * of the paper).
 */
export function quantizeWeightsGradient({ rows, channels }: WeightShape, levels: Levels): Kernel {
  const [weight, dquantized, dweight] = ["weight", "dquantized", "dweight"].map((name) =>
    b.buffer(name, "f32", [rows, channels]),
  );
  const [step, dstep] = ["step", "dstep"].map((name) => b.buffer(name, "f32", [channels]));
  const [s, v, g, sum] = ["s", "v", "g", "sum"].map((name) => b.variable(name, "f32"));
  const body = overChannels(channels, (c) => [
    b.declare(s, positive(b.load(step, c))),
    b.declare(sum, 0),
    b.loop("r", rows, (r) => [
      b.declare(v, b.div(b.load(weight, r, c), s)),
      b.declare(g, b.load(dquantized, r, c)),
      b.store(dweight, [r, c], b.select(isInside(v, levels), g, 0)),
      b.set(sum, b.add(sum, b.mul(g, stepSlope(v, levels)))),
    ]),
    b.store(dstep, [c], b.mul(sum, 1 / Math.sqrt(rows * levels.high))),
  ]);
  const buffers = [weight, step, dquantized, dweight, dstep];
  return b.kernel("quantize_weights_dx", buffers, [body]);
}

function overChannels(channels: number, body: (c: Expr) => readonly Statement[]): Statement {
  return b.lanes("c", channels, body, { vectors: 2, parallel: true });
}
