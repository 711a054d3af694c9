/**
 * Element by element: ReLU, dropout, sums of gradients, and the way from stored s8 features to f32.
 */

import { build as b, type Expr, type Kernel } from "../../kernel/index.ts";

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

/**
 * y = x / (1 - rate) where the element is kept, else 0. Forward and backward are the same kernel.
 *
 * What is kept is a hash of (seed, step, salt, element): nothing is stored and no order matters.
 * counter   [seed, step] s32
 * sample    its number in the batch, s32
 */
export function dropout(size: number, { rate, salt }: { rate: number; salt: number }): Kernel {
  const x = b.buffer("x", "f32", [size]);
  const counter = b.buffer("counter", "s32", [2]);
  const sample = b.buffer("sample", "s32", [1]);
  const y = b.buffer("y", "f32", [size]);
  const first = b.variable("first", "s32");
  const key = b.variable("key", "s32");
  const hash = b.variable("hash", "s32");
  const threshold = Math.round(rate * 2 ** 24);
  const base = b.addWrap(
    b.mulWrap(b.load(counter, 1), 0x9e3779b9 | 0),
    b.addWrap(b.load(counter, 0), Math.imul(salt + 1, 0x85ebca6b)),
  );
  const body = b.lanes(
    "i",
    size,
    (i) => [
      b.declare(hash, mix(b.bitXor(mix(b.addWrap(b.addWrap(i, first), key)), key))),
      b.store(
        y,
        [i],
        b.select(
          b.less(b.shrU(hash, 8), threshold),
          b.f32(0),
          b.mul(b.load(x, i), b.f32(1 / (1 - rate))),
        ),
      ),
    ],
    { vectors: 2 },
  );
  const begin = [b.declare(key, mix(base)), b.declare(first, b.mul(b.load(sample, 0), size))];
  return b.kernel("dropout", [x, counter, sample, y], [...begin, body]);
}

/** A round of splitmix32's finaliser. */
function mix(value: Expr): Expr {
  const first = b.mulWrap(b.bitXor(value, b.shrU(value, 16)), 0x21f0aaad);
  return b.mulWrap(b.bitXor(first, b.shrU(first, 15)), 0x735a2d97);
}

type Body = Parameters<typeof b.lanes>[2];

function map(name: string, buffers: Kernel["buffers"], size: number, body: Body): Kernel {
  return b.kernel(name, buffers, [b.lanes("i", size, body, { vectors: 4 })]);
}
