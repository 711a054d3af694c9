/** Integer fully connected layer: y [N] s8 from x [K] s8 and w [K, N] of 8 or 4 bits. */

import { build as b, type Kernel } from "../../kernel/index.ts";
import type { QuantizedDense } from "../quantized-graph.ts";
import { channel, ends } from "./convolution.ts";
import { requantize } from "./requantize.ts";

export function dense(layer: QuantizedDense): Kernel {
  const [K, N] = layer.weightShape;
  const x = b.buffer("x", "s8", [K]);
  const w = b.buffer("w", layer.bits === 4 ? "s4" : "s8", [K, N]);
  const y = b.buffer("y", "s8", [N]);
  const acc = b.variable("acc", "s32");
  const value = b.variable("value", "s32");
  const { multipliers, output, low, high = 127 } = layer;
  const body = b.lanes(
    "n",
    N,
    (n) => [
      b.declare(acc, b.load(channel("bias", N), n)),
      b.loop("k", K, (k) => [
        b.declare(value, b.load(x, k)),
        b.set(acc, b.add(acc, b.mul(b.load(w, k, n), value))),
      ]),
      b.store(
        y,
        [n],
        requantize(acc, b.load(channel("multiplier", N), n), {
          multipliers,
          zeroPoint: output.zeroPoint,
          low,
          high,
        }),
      ),
    ],
    { vectors: 4 },
  );
  return b.kernel("dense", [x, w, ...ends(N, [N])], [body]);
}
