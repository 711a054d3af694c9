/**
 * Adam over all parameters at once, with decay beside the gradient's step (AdamW) or inside the
 * gradient (L2).
 *
 * Source: Kingma, Ba 2015 (arXiv:1412.6980), algorithm 1; Loshchilov, Hutter 2019
 * (arXiv:1711.05101), algorithm 2.
 */

import { type Buffer, build as b, type Kernel } from "../../kernel/index.ts";
import { type Decayed, overDecayed } from "./decayed.ts";

export interface AdamOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  /** Whether decay acts on the parameter beside the step (AdamW), not through the gradient. */
  readonly decoupled?: boolean;
}

/**
 * p -= rate * ((m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon) + decay * p)
 *
 * Not decoupled: the gradient is g + decay * p, and p -= the same without its last term.
 *
 * decayed  how many of the parameters, from the first, decay
 * hyper    [4]: rate, 1 - beta1^t, 1 - beta2^t, decay
 */
export function adam(sizes: Decayed, options: AdamOptions = {}): Kernel {
  const [p, g, m, v] = ["p", "g", "m", "v"].map((name) => b.buffer(name, "f32", [sizes.size]));
  const hyper = b.buffer("hyper", "f32", [4]);
  return b.kernel("adam", [p, g, m, v, hyper], adamBody({ p, g, m, v }, hyper, sizes, options));
}

type Buffers = Readonly<Record<"p" | "g" | "m" | "v", Buffer>>;

function adamBody(
  { p, g, m, v }: Buffers,
  hyper: Buffer,
  sizes: Decayed,
  { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, decoupled = true }: AdamOptions,
) {
  const [rate, fixM, fixV, decay] = ["rate", "fix_m", "fix_v", "decay"].map((name) =>
    b.variable(name, "f32"),
  );
  const settings = [rate, fixM, fixV, decay].map((value, i) => b.declare(value, b.load(hyper, i)));
  const loops = overDecayed(sizes, ({ i, decays, name }) => {
    const [gradient, first, second] = ["gradient", "first", "second"].map((role) =>
      b.variable(name(role), "f32"),
    );
    const decline = b.mul(decay, b.load(p, i));
    const given = decays && !decoupled ? b.add(b.load(g, i), decline) : b.load(g, i);
    const step = b.div(b.div(first, fixM), b.add(b.unary("sqrt", b.div(second, fixV)), epsilon));
    const change = decays && decoupled ? b.add(step, decline) : step;
    return [
      b.declare(gradient, given),
      b.declare(first, b.add(b.mul(b.load(m, i), beta1), b.mul(gradient, 1 - beta1))),
      b.declare(
        second,
        b.add(b.mul(b.load(v, i), beta2), b.mul(b.mul(gradient, gradient), 1 - beta2)),
      ),
      b.store(m, [i], first),
      b.store(v, [i], second),
      b.store(p, [i], b.sub(b.load(p, i), b.mul(rate, change))),
    ];
  });
  return [...settings, ...loops];
}
