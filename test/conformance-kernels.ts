/**
 * Kernels on which interpreter, WebAssembly and C must agree: the table of
 * test/conformance.test.ts.
 *
 * A case is a kernel and the contents of what it reads (random where not given). To add one, append
 * to `cases`.
 */

import {
  build as b,
  bytesOf,
  type ElementType,
  type Expr,
  type Kernel,
  sizeOf,
  type TypedArray,
  viewOf,
} from "../src/kernel/index.ts";
import { random } from "../src/tensor/index.ts";
import { neighbourLanes, neighbours, writtenOut } from "./conformance-neighbours.ts";

export interface Case {
  readonly name: string;
  readonly kernel: Kernel;
  readonly data?: Readonly<Record<string, readonly number[]>>;
}

/**
 * Random contents over the whole range of 8- and 16-bit types; 17 bits of s32, so that sums have
 * room.
 */
export function filled(type: ElementType, shape: readonly number[], seed: string): TypedArray {
  const generator = random(seed);
  const data = viewOf(type, shape, new ArrayBuffer(bytesOf({ type, shape })), 0);
  return data.map(() => generator.integer(2 ** 17) - 2 ** 16);
}

const acc = b.variable("acc", "s32");
const requantized = (value: Expr, multiplier: Expr): Expr =>
  b.clamp(b.add(b.mulShift(value, multiplier, 21), -3), -128, 127);

interface Conv {
  readonly in: readonly [H: number, W: number, C: number];
  readonly K: number;
  readonly size: number;
  readonly stride: number;
  readonly pad: number;
}

/** A convolution whose padding holds the zero point, so that it adds nothing. */
export function conv2d(bits: "s8" | "s4", { in: [H, W, C], K, size, stride, pad }: Conv): Kernel {
  const [Ho, Wo] = [H, W].map((extent) => Math.floor((extent + 2 * pad - size) / stride) + 1);
  const x = b.buffer("x", "s8", [H, W, C]);
  const w = b.buffer("w", bits, [size, size, C, K]);
  const bias = b.buffer("bias", "s32", [K]);
  const multiplier = b.buffer("multiplier", "s32", [K]);
  const y = b.buffer("y", "s8", [Ho, Wo, K]);
  const body = b.loop("oy", Ho, (oy) => [
    b.loop("ox", Wo, (ox) => [
      b.lanes("k", K, (k) => [
        b.declare(acc, b.load(bias, k)),
        b.loop("ky", size, (ky) => [
          b.loop("kx", size, (kx) => {
            const iy = b.sub(b.add(b.mul(oy, stride), ky), pad);
            const ix = b.sub(b.add(b.mul(ox, stride), kx), pad);
            return [
              b.when(b.inside([iy, H], [ix, W]), [
                b.loop("c", C, (c) => {
                  const value = b.sub(b.load(x, iy, ix, c), -5);
                  return [b.set(acc, b.add(acc, b.mul(value, b.load(w, ky, kx, c, k))))];
                }),
              ]),
            ];
          }),
        ]),
        b.store(y, [oy, ox, k], requantized(acc, b.load(multiplier, k))),
      ]),
    ]),
  ]);
  return b.kernel("conv2d", [x, w, bias, multiplier, y], [body]);
}

export function depthwise(bits: "s8" | "s4", H: number, W: number, C: number): Kernel {
  const x = b.buffer("x", "s8", [H, W, C]);
  const w = b.buffer("w", bits, [3, 3, C]);
  const multiplier = b.buffer("multiplier", "s32", [C]);
  const y = b.buffer("y", "s8", [H, W, C]);
  const body = b.loop("oy", H, (oy) => [
    b.loop("ox", W, (ox) => [
      b.lanes("c", C, (c) => [
        b.declare(acc, 0),
        b.loop("ky", 3, (ky) => [
          b.loop("kx", 3, (kx) => {
            const [iy, ix] = [b.sub(b.add(oy, ky), 1), b.sub(b.add(ox, kx), 1)];
            const product = b.mul(b.load(x, iy, ix, c), b.load(w, ky, kx, c));
            return [
              b.when(
                b.inside([iy, H], [ix, W]),
                [b.set(acc, b.add(acc, product))],
                [b.set(acc, b.sub(acc, b.load(w, ky, kx, c)))],
              ),
            ];
          }),
        ]),
        b.store(y, [oy, ox, c], requantized(acc, b.load(multiplier, c))),
      ]),
    ]),
  ]);
  return b.kernel("depthwise", [x, w, multiplier, y], [body]);
}

export function dense(bits: "s8" | "s4", K: number, N: number): Kernel {
  const x = b.buffer("x", "s8", [K]);
  const w = b.buffer("w", bits, [N, K]);
  const multiplier = b.buffer("multiplier", "s32", [N]);
  const y = b.buffer("y", "s8", [N]);
  const body = b.loop("n", N, (n) => [
    b.declare(acc, 5),
    b.loop("k", K, (k) => [b.set(acc, b.add(acc, b.mul(b.load(x, k), b.load(w, n, k))))]),
    b.store(y, [n], requantized(acc, b.load(multiplier, n))),
  ]);
  return b.kernel("dense", [x, w, multiplier, y], [body]);
}

function pooling(): Kernel {
  const x = b.buffer("x", "s8", [6, 8, 5]);
  const most = b.buffer("most", "s8", [3, 4, 5]);
  const mean = b.buffer("mean", "s8", [5]);
  const best = b.variable("best", "s32");
  const maxima = b.loop("oy", 3, (oy) => [
    b.loop("ox", 4, (ox) => [
      b.lanes("c", 5, (c) => [
        b.declare(best, -128),
        b.loop("ky", 2, (ky) => [
          b.loop("kx", 2, (kx) => {
            const [iy, ix] = [b.add(b.shl(oy, 1), ky), b.add(b.mul(ox, 2), kx)];
            return [b.set(best, b.max(best, b.load(x, iy, ix, c)))];
          }),
        ]),
        b.store(most, [oy, ox, c], best),
      ]),
    ]),
  ]);
  const means = b.loop("channel", 5, (c) => [
    b.declare(acc, 0),
    b.loop("iy", 6, (iy) => [
      b.loop("ix", 8, (ix) => [b.set(acc, b.add(acc, b.load(x, iy, ix, c)))]),
    ]),
    b.store(mean, [c], b.mulShift(acc, Math.round(2 ** 31 / 48), 31)),
  ]);
  return b.kernel("pooling", [x, most, mean], [maxima, means]);
}

function lookUps(): Kernel {
  const table = b.buffer("table", "s16", [64]);
  const x = b.buffer("x", "u8", [19, 2]);
  const y = b.buffer("y", "s16", [19]);
  const body = b.lanes("i", 19, (i) => {
    const looked = b.load(table, b.bitAnd(b.load(x, i, 1), 63));
    const isBelow = b.less(b.load(x, i, 0), i);
    return [b.store(y, [i], b.select(isBelow, b.sub(looked, i), b.shr(looked, 2)))];
  });
  return b.kernel("look_ups", [table, x, y], [body]);
}

/** Every s64 operation, with constants beyond 32 bits and shifts that the data decide. */
function wide(): Kernel {
  const x = b.buffer("x", "s32", [12]);
  const y = b.buffer("y", "s32", [12, 4]);
  const sum = b.variable("sum", "s64");
  const shift = b.variable("shift", "s32");
  const body = b.loop("i", 12, (i) => {
    const value = b.unary("toS64", b.load(x, i));
    const isSmall = b.less(sum, b.s64(2 ** 40));
    return [
      b.declare(sum, 1),
      b.loop("k", b.add(b.bitAnd(b.load(x, i), 7), i), (k) => [
        b.set(sum, b.add(sum, b.mul(value, b.unary("toS64", k)))),
        b.set(sum, b.mul(sum, 3)),
      ]),
      b.set(sum, b.add(b.select(isSmall, sum, b.s64(-(2 ** 50))), b.s64(-7))),
      b.set(sum, b.sub(b.max(sum, b.sub(b.s64(0), sum)), b.s64(2 ** 33 + 1))),
      b.declare(shift, b.max(b.sub(40, b.unary("clz", sum)), 0)),
      b.store(y, [i, 0], b.unary("toS32", b.shr(sum, shift))),
      b.store(y, [i, 1], b.unary("clz", sum)),
      b.set(sum, b.shl(b.shl(value, 4), b.bitAnd(b.load(x, i), 15))),
      b.store(y, [i, 2], b.unary("toS32", b.min(b.shr(sum, 9), b.s64(2 ** 30)))),
      b.store(y, [i, 3], b.unary("toS32", b.shr(b.s64(2 ** 44 + 12345), b.max(shift, 14)))),
    ];
  });
  return b.kernel("wide", [x, y], [body]);
}

function leadingZeros(): Kernel {
  const x = b.buffer("x", "s32", [9]);
  const y = b.buffer("y", "s32", [9, 3]);
  const body = b.loop("i", 9, (i) => {
    const value = b.load(x, i);
    const square = b.mul(b.unary("toS64", value), b.unary("toS64", value));
    return [
      b.store(y, [i, 0], b.unary("clz", value)),
      b.store(y, [i, 1], b.unary("clz", b.unary("toS64", value))),
      b.store(y, [i, 2], b.unary("clz", square)),
    ];
  });
  return b.kernel("leading_zeros", [x, y], [body]);
}

function mulShiftBy(shift: number, count: number): Kernel {
  const a = b.buffer("a", "s32", [count]);
  const y = b.buffer("y", "s32", [count, count]);
  const body = b.loop("i", count, (i) => [
    b.lanes("j", count, (j) => [b.store(y, [i, j], b.mulShift(b.load(a, i), b.load(a, j), shift))]),
  ]);
  return b.kernel("mul_shift_by", [a, y], [body]);
}

function hash(): Kernel {
  const y = b.buffer("y", "s32", [11]);
  const h = b.variable("h", "s32");
  const body = b.lanes("i", 11, (i) => [
    b.declare(h, b.addWrap(b.mulWrap(i, 0x9e3779b9 | 0), 0x7f4a7c15)),
    b.set(h, b.mulWrap(b.bitXor(h, b.shrU(h, 16)), 0x21f0aaad)),
    b.store(y, [i], b.bitXor(h, b.shrU(h, 15))),
  ]);
  return b.kernel("hash", [y], [body]);
}

function or(a: Expr, c: Expr): Expr {
  return { op: "or", type: "s32", a, b: c };
}

/** Conditions of every kind, as values and as branches. */
function logic(): Kernel {
  const x = b.buffer("x", "s8", [16]);
  const y = b.buffer("y", "s32", [16, 6]);
  const body = b.loop("i", 15, (i) => {
    const [p, q] = [b.load(x, i), b.load(x, b.add(i, 1))];
    const [isLess, isEven] = [b.less(p, q), b.equal(b.bitAnd(p, 1), 0)];
    return [
      b.store(y, [i, 0], b.add(b.bitAnd(isLess, isEven), b.mul(or(isLess, isEven), 2))),
      b.store(y, [i, 1], or(b.bitAnd(p, b.bitXor(q, -1)), b.bitXor(b.bitAnd(p, 85), q))),
      b.store(y, [i, 2], b.bitAnd(or(p, q), b.add(p, b.shr(q, 1)))),
      b.store(y, [i, 3], b.select(b.bitAnd(p, 3), b.select(isLess, p, -17), b.mul(q, -3))),
      b.store(y, [i, 4], b.sub(b.sub(p, b.sub(q, 7)), b.mul(b.sub(p, -2), b.add(q, -9)))),
      b.when(
        or(b.bitAnd(isLess, isEven), b.less(100, p)),
        [b.store(y, [i, 5], 1)],
        [
          b.when(p, [], [b.store(y, [i, 5], -2)]),
          b.when(b.bitXor(isLess, isEven), [b.store(y, [i, 5], b.mul(isLess, p))]),
        ],
      ),
    ];
  });
  return b.kernel("logic", [x, y], [body]);
}

/**
 * Variables that outlive their block, ends that move, steps, shifts by data, and stores that keep
 * the low bits.
 */
function scopes(): Kernel {
  const x = b.buffer("x", "u8", [12]);
  const y = b.buffer("y", "s16", [12]);
  const z = b.buffer("z", "u8", [12]);
  const idle = b.buffer("idle", "s8", [3]);
  const [last, end, unread] = ["int", "end", "unread"].map((name) => b.variable(name, "s32"));
  const body = [
    b.declare(unread, 3),
    b.declare(end, 4),
    b.loop("i", end, (i) => [
      b.set(end, b.min(b.add(end, 1), 9)),
      b.store(y, [i], end),
      b.when(b.less(100, b.load(x, i)), [b.declare(last, i)], [b.declare(last, b.sub(0, i))]),
      b.store(z, [i], b.mul(last, 77)),
    ]),
    b.loop("j", b.add(9, b.bitAnd(b.load(x, 0), 3)), (j) => [b.store(y, [j], b.shl(j, j))], {
      from: 4,
      step: 3,
    }),
    b.loop("n", 12, (n) => [
      b.set(last, b.shl(b.sub(b.load(x, n), 100), b.add(n, 2))),
      b.store(z, [n], b.shrU(last, b.add(n, 1))),
    ]),
  ];
  return b.kernel("scopes", [x, idle, y, z], body);
}

/** Names that C reserves or that its support functions have. */
function reservedNames(): Kernel {
  const static_ = b.buffer("static", "s8", [3]);
  const s4 = b.buffer("s4", "s4", [3]);
  const result = b.buffer("mul_shift", "s32", [3]);
  const body = b.loop("for", 3, (i) => [
    b.declare(b.variable("clamp_s32", "s32"), b.mulShift(b.load(static_, i), b.load(s4, i), 1)),
    b.store(result, [i], b.clamp(b.variable("clamp_s32", "s32"), -100, 100)),
  ]);
  return b.kernel("switch", [static_, s4, result], [body]);
}

const [low, high] = [-(2 ** 31), 2 ** 31 - 1];
const extremes = [low + 1, high, 0, 1, -1, 2 ** 30, -(2 ** 30), 2 ** 30 - 1, 12345, -98765];

const convolutions = (["s8", "s4"] as const).flatMap((bits): Case[] => [
  {
    name: `a padded convolution with ${bits} weights`,
    kernel: conv2d(bits, { in: [5, 6, 3], K: 6, size: 3, stride: 1, pad: 1 }),
  },
  {
    name: `a strided, unpadded convolution with ${bits} weights`,
    kernel: conv2d(bits, { in: [9, 7, 2], K: 5, size: 3, stride: 2, pad: 0 }),
  },
  { name: `a pointwise convolution with ${bits} weights`, kernel: pointwise(bits) },
  { name: `a depthwise convolution with ${bits} weights`, kernel: depthwise(bits, 4, 5, 7) },
  { name: `a dense layer of odd sizes with ${bits} weights`, kernel: dense(bits, 13, 7) },
]);

function pointwise(bits: "s8" | "s4"): Kernel {
  return conv2d(bits, { in: [3, 3, 8], K: 16, size: 1, stride: 1, pad: 0 });
}

/** Sums with high words, ties (2^31 and its odd multiples) among them: what has an instruction of its own. */
function mulShiftAdded(): Kernel {
  const a = b.buffer("a", "s32", [6]);
  const y = b.buffer("y", "s32", [6, 6, 3]);
  const body = b.loop("i", 6, (i) => [
    b.loop("j", 6, (j) => {
      const product = b.mulShift(b.load(a, i), b.load(a, j), 32);
      const opposite = b.mulShift(b.sub(0, b.load(a, i)), b.load(a, j), 32);
      return [
        b.store(y, [i, j, 0], b.add(b.load(a, j), product)),
        b.store(y, [i, j, 1], b.sub(b.load(a, j), product)),
        b.store(y, [i, j, 2], b.add(b.load(a, j), opposite)),
      ];
    }),
  ]);
  return b.kernel("mul_shift_added", [a, y], [body]);
}

export const cases: readonly Case[] = [
  ...convolutions,
  { name: "pooling", kernel: pooling() },
  { name: "table look-ups", kernel: lookUps() },
  { name: "s64 arithmetic", kernel: wide() },
  {
    name: "leading zeros",
    kernel: leadingZeros(),
    data: { x: [0, 1, -1, low, high, 255, 256, -256, 65536] },
  },
  // low * low >> 31 is 2^31, which no s32 holds: low itself meets only shifts that have room.
  { name: "mulShift of extremes by 31", kernel: mulShiftBy(31, 10), data: { a: extremes } },
  {
    name: "mulShift of extremes by 32",
    kernel: mulShiftBy(32, 10),
    data: { a: [low, ...extremes.slice(1)] },
  },
  {
    name: "mulShift of extremes by 62",
    kernel: mulShiftBy(62, 10),
    data: { a: [low, ...extremes.slice(1)] },
  },
  {
    name: "mulShift of ties by 1",
    kernel: mulShiftBy(1, 6),
    data: { a: [0, 1, -1, 3, -3, 46340] },
  },
  {
    name: "mulShift by 32, added",
    kernel: mulShiftAdded(),
    data: { a: [2, -2, 6, 2 ** 30, -(2 ** 30), 3] },
  },
  { name: "neighbours moved together", kernel: neighbours() },
  { name: "neighbours in lanes", kernel: neighbourLanes() },
  { name: "loops written out", kernel: writtenOut() },
  { name: "a wrapping hash", kernel: hash() },
  { name: "conditions and bits", kernel: logic() },
  { name: "scopes and moving ends", kernel: scopes() },
  { name: "reserved names", kernel: reservedNames() },
];

/** What a case's buffer holds before the run. */
export function contents(
  { name, data }: Case,
  kernelBuffer: Kernel["buffers"][number],
): TypedArray {
  const { type, shape } = kernelBuffer;
  const given = data?.[kernelBuffer.name];
  if (given === undefined) {
    const random17 = filled(type, shape, `${name}/${kernelBuffer.name}`);
    // A bias of 17 bits would drive every output into its clamp.
    return kernelBuffer.name === "bias" ? random17.map((value) => value >> 6) : random17;
  }
  if (given.length !== sizeOf(shape))
    throw new RangeError(`${name}: ${kernelBuffer.name} has no such size`);
  const view = viewOf(type, shape, new ArrayBuffer(bytesOf({ type, shape })), 0);
  view.set(given);
  return view;
}
