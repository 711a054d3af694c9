/**
 * Element by element: ReLU, dropout, sums of gradients, and the way from stored s8 features to f32.
 */

import {
  type Buffer,
  build as b,
  type Expr,
  type Kernel,
  type Statement,
  type Variable,
} from "../../kernel/index.ts";

/** y = x * scale, from s8. */
export function dequantize(size: number, scale: number): Kernel {
  const x = b.buffer("x", "s8", [size]);
  const y = b.buffer("y", "f32", [size]);
  return map("dequantize", [x, y], size, (i) => [
    b.store(y, [i], b.mul(b.unary("toF32", b.load(x, i)), b.f32(scale))),
  ]);
}

/** y = max(x, 0); x and y may be one storage. */
export function relu(size: number): Kernel {
  const x = b.buffer("x", "f32", [size]);
  const y = b.buffer("y", "f32", [size]);
  return map("relu", [x, y], size, (i) => [b.store(y, [i], b.max(b.load(x, i), 0))]);
}

/** dx = dy where y > 0. */
export function reluGradient(size: number): Kernel {
  const y = b.buffer("y", "f32", [size]);
  const dy = b.buffer("dy", "f32", [size]);
  const dx = b.buffer("dx", "f32", [size]);
  return map("relu_dx", [y, dy, dx], size, (i) => [
    b.store(dx, [i], b.select(b.less(0, b.load(y, i)), b.load(dy, i), b.f32(0))),
  ]);
}

/** y = x + z. */
export function sum(size: number): Kernel {
  const x = b.buffer("x", "f32", [size]);
  const z = b.buffer("z", "f32", [size]);
  const y = b.buffer("y", "f32", [size]);
  return map("sum", [x, z, y], size, (i) => [b.store(y, [i], b.add(b.load(x, i), b.load(z, i)))]);
}

/** y = x. */
export function copy(size: number): Kernel {
  const x = b.buffer("x", "f32", [size]);
  const y = b.buffer("y", "f32", [size]);
  return map("copy", [x, y], size, (i) => [b.store(y, [i], b.load(x, i))]);
}

/** y = 0. */
export function zeros(size: number): Kernel {
  const y = b.buffer("y", "f32", [size]);
  const body = b.lanes("i", size, (i) => [b.store(y, [i], 0)], { vectors: 2, parallel: true });
  return b.kernel("zeros", [y], [body]);
}

/** Where dropout gets its masks from. */
export interface Dropped {
  readonly rate: number;
  /** Tells the dropouts of a net apart. */
  readonly salt: number;
}

/** A mask as parts of a kernel. */
export interface Mask {
  readonly buffers: readonly Buffer[];
  /** Statements before the loop over elements. */
  readonly begin: readonly Statement[];
  /** What to declare for element i of the sample before asking isDropped. */
  readonly declare: (i: Expr) => Statement[];
  readonly isDropped: Expr;
}

/**
 * Which elements of a sample are dropped: a hash of (seed, step, salt, element). Nothing is stored,
 * and no order matters.
 *
 * counter   [seed, step] s32
 * sample    its number in the batch, s32
 */
export function droppedBy({ rate, salt }: Dropped, size: number): Mask {
  const counter = b.buffer("counter", "s32", [2]);
  const sample = b.buffer("sample", "s32", [1]);
  const key = b.variable("key", "s32");
  const start = b.variable("start", "s32");
  const first = b.variable("first", "s32");
  const hash = b.variable("hash", "s32");
  const base = b.addWrap(
    b.mulWrap(b.load(counter, 1), 0x9e3779b9 | 0),
    b.addWrap(b.load(counter, 0), Math.imul(salt + 1, 0x85ebca6b)),
  );
  return {
    buffers: [counter, sample],
    begin: [
      b.declare(key, base),
      ...mix(key),
      b.declare(first, b.mul(b.load(sample, 0), size)),
      b.declare(start, b.addWrap(first, key)),
    ],
    declare: (i) => [
      b.declare(hash, b.addWrap(i, start)),
      ...mix(hash),
      // the same start would give another step the same masks
      b.set(hash, b.mulWrap(b.bitXor(hash, key), 0x9e3779b1 | 0)),
    ],
    isDropped: b.less(b.shrU(hash, 8), Math.round(rate * 2 ** 24)),
  };
}

/** y = x / (1 - rate) where the element is kept, else 0: forward and backward alike. */
export function dropout(size: number, { rate, salt }: Dropped): Kernel {
  const x = b.buffer("x", "f32", [size]);
  const y = b.buffer("y", "f32", [size]);
  const { buffers, begin, declare, isDropped } = droppedBy({ rate, salt }, size);
  const body = b.lanes(
    "i",
    size,
    (i) => {
      const kept = b.mul(b.load(x, i), b.f32(1 / (1 - rate)));
      return [...declare(i), b.store(y, [i], b.select(isDropped, b.f32(0), kept))];
    },
    { vectors: 2 },
  );
  return b.kernel("dropout", [x, ...buffers, y], [...begin, body]);
}

/** A round of splitmix32's finaliser. */
function mix(value: Variable): Statement[] {
  return [
    b.set(value, b.mulWrap(b.bitXor(value, b.shrU(value, 16)), 0x21f0aaad)),
    b.set(value, b.mulWrap(b.bitXor(value, b.shrU(value, 15)), 0x735a2d97)),
  ];
}

type Body = Parameters<typeof b.lanes>[2];

function map(name: string, buffers: Kernel["buffers"], size: number, body: Body): Kernel {
  return b.kernel(name, buffers, [b.lanes("i", size, body, { vectors: 4 })]);
}
