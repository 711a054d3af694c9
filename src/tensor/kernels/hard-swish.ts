/** Hard swish, x min(max(x + 3, 0), 6) / 6: Howard et al. 2019 (arXiv:1905.02244), section 5.2. */

import { build as b, type Kernel } from "../../kernel/index.ts";

const LANES = { vectors: 4 };
const SIXTH = b.f32(1 / 6);

/** y of x; not one storage, since backward needs x. */
export function hardSwish(size: number): Kernel {
  const [x, y] = ["x", "y"].map((name) => b.buffer(name, "f32", [size]));
  const body = b.lanes(
    "i",
    size,
    (i) => {
      const gate = b.clamp(b.add(b.load(x, i), 3), 0, 6);
      return [b.store(y, [i], b.mul(b.mul(b.load(x, i), gate), SIXTH))];
    },
    LANES,
  );
  return b.kernel("hard_swish", [x, y], [body]);
}

/** dx = dy times 0 below -3, 1 above 3, (2 x + 3) / 6 between; dx and dy may be one storage. */
export function hardSwishGradient(size: number): Kernel {
  const [x, dy, dx] = ["x", "dy", "dx"].map((name) => b.buffer(name, "f32", [size]));
  const body = b.lanes(
    "i",
    size,
    (i) => {
      const value = b.load(x, i);
      const inside = b.mul(b.add(b.mul(value, 2), 3), SIXTH);
      const slope = b.select(b.less(value, 3), b.select(b.less(-3, value), inside, 0), 1);
      return [b.store(dx, [i], b.mul(b.load(dy, i), slope))];
    },
    LANES,
  );
  return b.kernel("hard_swish_dx", [x, dy, dx], [body]);
}
