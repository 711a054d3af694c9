/** Integer pooling: the largest of each tile, and the mean over a whole map. */

import { build as b, type Expr, type Kernel } from "../../kernel/index.ts";
import type { QuantizedGlobalAveragePool, QuantizedMaxPool } from "../quantized-graph.ts";
import { requantize } from "./requantize.ts";

/** y [H / h, W / w, C] from x [H, W, C]; scale and zero point do not change. */
export function maxPool(
  { size, outputShape }: QuantizedMaxPool,
  [H, W, C]: readonly number[],
): Kernel {
  const [outH, outW] = outputShape;
  const x = b.buffer("x", "s8", [H, W, C]);
  const y = b.buffer("y", "s8", [outH, outW, C]);
  const largest = b.variable("largest", "s32");
  const body = b.loop("oy", outH, (oy) => [
    b.loop("ox", outW, (ox) => [
      b.lanes("c", C, (c) => {
        const at = (ky: Expr | number, kx: Expr | number): Expr =>
          b.load(x, b.add(b.mul(oy, size[0]), ky), b.add(b.mul(ox, size[1]), kx), c);
        return [
          b.declare(largest, at(0, 0)),
          b.loop("ky", size[0], (ky) => [
            b.loop("kx", size[1], (kx) => [b.set(largest, b.max(largest, at(ky, kx)))]),
          ]),
          b.store(y, [oy, ox, c], largest),
        ];
      }),
    ]),
  ]);
  return b.kernel("max_pool", [x, y], [body]);
}

/** y [C] = mean over H and W; the division is part of the multiplier. */
export function globalAveragePool(
  { multipliers, inputZero, output }: QuantizedGlobalAveragePool,
  [H, W, C]: readonly number[],
): Kernel {
  const x = b.buffer("x", "s8", [H * W, C]);
  const y = b.buffer("y", "s8", [C]);
  const acc = b.variable("acc", "s32");
  const rounding = { multipliers, zeroPoint: output.zeroPoint, low: -128 };
  const body = b.lanes(
    "c",
    C,
    (c) => [
      b.declare(acc, -inputZero * H * W),
      b.loop("i", H * W, (i) => [b.set(acc, b.add(acc, b.load(x, i, c)))]),
      b.store(y, [c], requantize(acc, b.s32(multipliers.values[0]), rounding)),
    ],
    { vectors: 2 },
  );
  return b.kernel("global_average_pool", [x, y], [body]);
}
