/** ReLU6, min(max(x, 0), 6): its largest value is known before anything is measured. */

import { build as b, type Kernel } from "../../kernel/index.ts";

/** The largest value; Krizhevsky 2010, "Convolutional deep belief networks on CIFAR-10". */
const MOST = 6;
const LANES = { vectors: 4 };

/** y = min(max(x, 0), 6); x and y may be one storage. */
export function relu6(size: number): Kernel {
  const [x, y] = ["x", "y"].map((name) => b.buffer(name, "f32", [size]));
  const body = b.lanes("i", size, (i) => [b.store(y, [i], b.clamp(b.load(x, i), 0, MOST))], LANES);
  return b.kernel("relu6", [x, y], [body]);
}

/** dx = dy where 0 < y < 6; dx and dy may be one storage. */
export function relu6Gradient(size: number): Kernel {
  const [y, dy, dx] = ["y", "dy", "dx"].map((name) => b.buffer(name, "f32", [size]));
  const passes = (value: ReturnType<typeof b.load>) =>
    b.bitAnd(b.less(0, value), b.less(value, MOST));
  const body = b.lanes(
    "i",
    size,
    (i) => [b.store(dx, [i], b.select(passes(b.load(y, i)), b.load(dy, i), 0))],
    LANES,
  );
  return b.kernel("relu6_dx", [y, dy, dx], [body]);
}
