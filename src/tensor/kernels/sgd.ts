/**
 * Stochastic gradient descent with momentum over all parameters at once, in PyTorch's form: the
 * rate is outside of the momentum, decay inside the gradient.
 *
 * Source: Sutskever et al. 2013, "On the importance of initialization and momentum in deep
 * learning", equations 1 to 4, for a rate that does not change.
 */

import { build as b, type Kernel } from "../../kernel/index.ts";
import { type Decayed, overDecayed } from "./decayed.ts";

export interface SgdOptions {
  readonly momentum?: number;
  readonly nesterov?: boolean;
}

/**
 * v = momentum * v + (g + decay * p);  p -= rate * v, with nesterov rate * (g + decay * p + momentum * v)
 *
 * hyper    [4]: rate, unused, unused, decay
 */
export function sgd(sizes: Decayed, { momentum = 0.9, nesterov = false }: SgdOptions = {}): Kernel {
  const [p, g, v] = ["p", "g", "v"].map((name) => b.buffer(name, "f32", [sizes.size]));
  const hyper = b.buffer("hyper", "f32", [4]);
  const [rate, decay] = ["rate", "decay"].map((name) => b.variable(name, "f32"));
  const loops = overDecayed(sizes, ({ i, decays, name }) => {
    const [gradient, speed] = ["gradient", "speed"].map((role) => b.variable(name(role), "f32"));
    const decline = b.mul(decay, b.load(p, i));
    const change = nesterov ? b.add(gradient, b.mul(speed, momentum)) : speed;
    return [
      b.declare(gradient, decays ? b.add(b.load(g, i), decline) : b.load(g, i)),
      b.declare(speed, b.add(b.mul(b.load(v, i), momentum), gradient)),
      b.store(v, [i], speed),
      b.store(p, [i], b.sub(b.load(p, i), b.mul(rate, change))),
    ];
  });
  const settings = [b.declare(rate, b.load(hyper, 0)), b.declare(decay, b.load(hyper, 3))];
  return b.kernel("sgd", [p, g, v, hyper], [...settings, ...loops]);
}
