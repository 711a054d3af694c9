/** Residual sums: y = x0 + x1 + ..., and its gradient, which is dy for each. */

import { build as b, type Kernel } from "../../kernel/index.ts";

const LANES = { vectors: 4 };

/** y = x0 + x1 + ..., from left to right. */
export function addAll(size: number, count: number): Kernel {
  const parts = Array.from({ length: count }, (_, k) => b.buffer(`x${k}`, "f32", [size]));
  const y = b.buffer("y", "f32", [size]);
  const body = b.lanes(
    "i",
    size,
    (i) => {
      const [first, ...rest] = parts.map((part) => b.load(part, i));
      return [b.store(y, [i], rest.reduce(b.add, first))];
    },
    LANES,
  );
  return b.kernel("add", [...parts, y], [body]);
}

/** y = x. */
export function copy(size: number): Kernel {
  const [x, y] = ["x", "y"].map((name) => b.buffer(name, "f32", [size]));
  const body = b.lanes("i", size, (i) => [b.store(y, [i], b.load(x, i))], LANES);
  return b.kernel("copy", [x, y], [body]);
}
