/**
 * Fake quantization of activations: all values are rounded to integers times one step. levels.ts has
 * the formulas.
 */

import { build as b, type Expr, type Kernel } from "../../kernel/index.ts";
import { isInside, type Levels, positive, rounded, stepSlope } from "./levels.ts";

/** A sample's values seen as [rows, C]. */
export interface ValueShape {
  readonly rows: number;
  readonly C: number;
}

const LANES = { vectors: 4 };

/** y = step q(x / step), one step. */
export function quantizeValues({ rows, C }: ValueShape, levels: Levels): Kernel {
  const size = rows * C;
  const [x, y] = ["x", "y"].map((name) => b.buffer(name, "f32", [size]));
  const step = b.buffer("step", "f32", [1]);
  const [s, inverse] = ["s", "inverse"].map((name) => b.variable(name, "f32"));
  const value = (i: Expr) => b.mul(rounded(b.mul(b.load(x, i), inverse), levels), s);
  const body = b.lanes("i", size, (i) => [b.store(y, [i], value(i))], LANES);
  const start = [b.declare(s, positive(b.load(step, 0))), b.declare(inverse, b.div(b.f32(1), s))];
  return b.kernel("quantize_values", [x, step, y], [...start, body]);
}

/** dx alone, for a step that is not trained. */
export function passInside({ rows, C }: ValueShape, levels: Levels): Kernel {
  const size = rows * C;
  const [x, dy, dx] = ["x", "dy", "dx"].map((name) => b.buffer(name, "f32", [size]));
  const step = b.buffer("step", "f32", [1]);
  const [low, high] = ["low", "high"].map((name) => b.variable(name, "f32"));
  const isInside = (i: Expr) => b.bitAnd(b.less(low, b.load(x, i)), b.less(b.load(x, i), high));
  const body = b.lanes(
    "i",
    size,
    (i) => [b.store(dx, [i], b.select(isInside(i), b.load(dy, i), b.f32(0)))],
    LANES,
  );
  const s = positive(b.load(step, 0));
  const start = [b.declare(low, b.mul(s, levels.low)), b.declare(high, b.mul(s, levels.high))];
  return b.kernel("pass_inside", [x, step, dy, dx], [...start, body]);
}

/** dx, and to partial [C] is added each channel's share of the step's gradient. */
export function quantizeValuesGradient({ rows, C }: ValueShape, levels: Levels): Kernel {
  const [x, dy, dx] = ["x", "dy", "dx"].map((name) => b.buffer(name, "f32", [rows, C]));
  const step = b.buffer("step", "f32", [1]);
  const partial = b.buffer("partial", "f32", [C]);
  const [inverse, v, g, sum] = ["inverse", "v", "g", "sum"].map((name) => b.variable(name, "f32"));
  const body = b.lanes(
    "c",
    C,
    (c) => [
      b.declare(sum, b.load(partial, c)),
      b.loop("r", rows, (r) => [
        b.declare(v, b.mul(b.load(x, r, c), inverse)),
        b.declare(g, b.load(dy, r, c)),
        b.store(dx, [r, c], b.select(isInside(v, levels), g, 0)),
        b.set(sum, b.add(sum, b.mul(g, stepSlope(v, levels)))),
      ]),
      b.store(partial, [c], sum),
    ],
    { vectors: 2 },
  );
  const start = b.declare(inverse, b.div(b.f32(1), positive(b.load(step, 0))));
  return b.kernel("quantize_values_dx", [x, step, dy, dx, partial], [start, body]);
}

/** dstep [1] = scale * the sum of all channels' shares, in their order. */
export function stepGradient(C: number, scale: number): Kernel {
  const shares = b.buffer("shares", "f32", [C]);
  const dstep = b.buffer("dstep", "f32", [1]);
  const total = b.variable("total", "f32");
  const body = b.loop("c", C, (c) => [b.set(total, b.add(total, b.load(shares, c)))]);
  const end = b.store(dstep, [0], b.mul(total, scale));
  return b.kernel("step_gradient", [shares, dstep], [b.declare(total, 0), body, end]);
}
