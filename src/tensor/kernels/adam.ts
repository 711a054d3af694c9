/**
 * Adam with decoupled weight decay over all parameters at once.
 *
 * Source: Kingma, Ba 2015 (arXiv:1412.6980), algorithm 1; Loshchilov, Hutter 2019
 * (arXiv:1711.05101).
 */

import { build as b, type Kernel } from "../../kernel/index.ts";

export interface AdamOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

/**
 * p -= rate * ((m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon) + decay * p)
 *
 * hyper    [4]: rate, 1 - beta1^t, 1 - beta2^t, decay
 */
export function adam(
  size: number,
  { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamOptions = {},
): Kernel {
  const [p, g, m, v] = ["p", "g", "m", "v"].map((name) => b.buffer(name, "f32", [size]));
  const hyper = b.buffer("hyper", "f32", [4]);
  const [rate, fixM, fixV, decay] = ["rate", "fix_m", "fix_v", "decay"].map((name) =>
    b.variable(name, "f32"),
  );
  const gradient = b.variable("gradient", "f32");
  const first = b.variable("first", "f32");
  const second = b.variable("second", "f32");
  const body = b.lanes(
    "i",
    size,
    (i) => [
      b.declare(gradient, b.load(g, i)),
      b.declare(first, b.add(b.mul(b.load(m, i), beta1), b.mul(gradient, 1 - beta1))),
      b.declare(
        second,
        b.add(b.mul(b.load(v, i), beta2), b.mul(b.mul(gradient, gradient), 1 - beta2)),
      ),
      b.store(m, [i], first),
      b.store(v, [i], second),
      b.store(
        p,
        [i],
        b.sub(
          b.load(p, i),
          b.mul(
            rate,
            b.add(
              b.div(b.div(first, fixM), b.add(b.unary("sqrt", b.div(second, fixV)), epsilon)),
              b.mul(decay, b.load(p, i)),
            ),
          ),
        ),
      ),
    ],
    { vectors: 1, parallel: true },
  );
  const settings = [rate, fixM, fixV, decay].map((value, i) => b.declare(value, b.load(hyper, i)));
  return b.kernel("adam", [p, g, m, v, hyper], [...settings, body]);
}
