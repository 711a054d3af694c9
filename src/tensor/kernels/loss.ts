/**
 * Softmax cross-entropy with sample weights, two labels a sample and label smoothing, and its
 * gradient in the same pass.
 */

import { type Buffer, build as b, type Expr, type Kernel } from "../../kernel/index.ts";
import { exp, log } from "./math.ts";

/**
 * loss [1] = sum_n weight[n] * -sum_k t[n,k] log softmax(logits)[n,k];  dlogits = weight * (softmax
 * - t)
 *
 * t        (1 - smoothing) (1 - share2) at the label, (1 - smoothing) share2 at the second one, plus
 *          smoothing / K everywhere
 * share2   [batch], in [0, 1]; zeros for one label a sample, whatever labels2 says
 * weight   [batch], given so that it adds up to 1 for a mean
 */
export function crossEntropy(
  { batch, classes }: { batch: number; classes: number },
  { smoothing = 0 }: { smoothing?: number } = {},
): Kernel {
  const logits = b.buffer("logits", "f32", [batch, classes]);
  const labels = b.buffer("labels", "s32", [batch]);
  const labels2 = b.buffer("labels2", "s32", [batch]);
  const share2 = b.buffer("share2", "f32", [batch]);
  const weight = b.buffer("weight", "f32", [batch]);
  const loss = b.buffer("loss", "f32", [1]);
  const dlogits = b.buffer("dlogits", "f32", [batch, classes]);
  const f = (name: string): ReturnType<typeof b.variable> => b.variable(name, "f32");
  const [total, largest, sum, e, x, logSum, target] = [
    f("total"),
    f("largest"),
    f("sum"),
    f("e"),
    f("x"),
    f("log_sum"),
    f("target"),
  ];
  type Index = Parameters<typeof b.load>[1];
  /** A share of what smoothing leaves, where k is the label. */
  const at = (label: Buffer, share: Expr, n: Index, k: Index): Expr =>
    b.select(b.equal(k, b.load(label, n)), b.mul(b.f32(1 - smoothing), share), b.f32(0));
  const body = b.loop("n", batch, (n) => [
    b.declare(largest, b.load(logits, n, 0)),
    b.loop("k0", classes, (k) => [b.set(largest, b.max(largest, b.load(logits, n, k)))]),
    b.declare(sum, 0),
    b.loop("k1", classes, (k) => [
      b.declare(x, b.sub(b.load(logits, n, k), largest)),
      ...exp(e, x, "e"),
      b.store(dlogits, [n, k], e),
      b.set(sum, b.add(sum, e)),
    ]),
    ...log(logSum, sum, "l"),
    b.loop("k2", classes, (k) => [
      b.declare(
        target,
        b.add(
          b.add(
            at(labels, b.sub(b.f32(1), b.load(share2, n)), n, k),
            at(labels2, b.load(share2, n), n, k),
          ),
          b.f32(smoothing / classes),
        ),
      ),
      b.set(
        total,
        b.add(
          total,
          b.mul(
            b.mul(b.load(weight, n), target),
            b.sub(logSum, b.sub(b.load(logits, n, k), largest)),
          ),
        ),
      ),
      b.store(
        dlogits,
        [n, k],
        b.mul(b.load(weight, n), b.sub(b.div(b.load(dlogits, n, k), sum), target)),
      ),
    ]),
  ]);
  return b.kernel(
    "cross_entropy",
    [logits, labels, labels2, share2, weight, loss, dlogits],
    [b.declare(total, 0), body, b.store(loss, [0], total)],
  );
}
