/** A complete product of two inputs, small enough to read: for the tests of deploy and bench. */

import { type Example, type Product, storageOf } from "../src/deploy/index.ts";
import {
  build as b,
  call,
  type ElementType,
  type Expr,
  interpreter,
  type Kernel,
  plan,
  type Role,
  type Storage,
  type TypedArray,
} from "../src/kernel/index.ts";
import { conv2d, dense, filled } from "./conformance-kernels.ts";

const acc = b.variable("acc", "s32");

/** Sums over s16 samples into s32: an arena with elements of four bytes. */
function correlate(): Kernel {
  const x = b.buffer("x", "s16", [16, 4]);
  const w = b.buffer("w", "s8", [16, 6]);
  const y = b.buffer("y", "s32", [4, 6]);
  const body = b.loop("t", 4, (t) => [
    b.lanes("n", 6, (n) => [
      b.declare(acc, 0),
      b.loop("k", 16, (k) => [b.set(acc, b.add(acc, b.mul(b.load(x, k, t), b.load(w, k, n))))]),
      b.store(y, [t, n], acc),
    ]),
  ]);
  return b.kernel("correlate", [x, w, y], [body]);
}

/** Pixels to s8, and s32 sums to s8: one kernel each, the same body. */
function narrowed(from: "u8" | "s32", size: number, value: (x: Expr) => Expr): Kernel {
  const x = b.buffer("x", from, [size]);
  const y = b.buffer("y", "s8", [size]);
  const body = b.lanes("i", size, (i) => [b.store(y, [i], value(b.load(x, i)))]);
  return b.kernel("narrow", [x, y], [body]);
}

function constant(name: string, type: ElementType, shape: readonly number[]): Storage {
  return { name, type, shape, role: "constant", data: filled(type, shape, name) };
}

function place(name: string, type: ElementType, shape: readonly number[], role: Role): Storage {
  return { name, type, shape, role };
}

const storage: readonly Storage[] = [
  place("audio", "s16", [16, 4], "input"),
  place("image", "u8", [8, 8, 3], "input"),
  place("scores", "s8", [3], "output"),
  place("audio.sums", "s32", [4, 6], "scratch"),
  place("image.pixels", "s8", [192], "scratch"),
  place("image.conv1", "s8", [4, 4, 6], "scratch"),
  place("joined", "s8", [120], "scratch"),
  { ...place("audio.features", "s8", [24], "scratch"), within: { name: "joined", offset: 0 } },
  { ...place("image.conv2", "s8", [4, 4, 6], "scratch"), within: { name: "joined", offset: 24 } },
  constant("audio.w", "s8", [16, 6]),
  constant("image.w1", "s4", [3, 3, 3, 6]),
  constant("image.w2", "s8", [1, 1, 6, 6]),
  { ...constant("bias", "s32", [6]), data: filled("s32", [6], "bias").map((v) => v >> 6) },
  constant("multiplier", "s32", [6]),
  { ...constant("multiplier again", "s32", [6]), data: filled("s32", [6], "multiplier") },
  constant("head.w", "s4", [3, 120]),
  constant("head.multiplier", "s32", [3]),
];

const calls = [
  call("audio.correlate", correlate(), { x: "audio", w: "audio.w", y: "audio.sums" }),
  call(
    "audio.narrow",
    narrowed("s32", 24, (x) => b.clamp(b.shr(x, 16), -128, 127)),
    { x: "audio.sums", y: "audio.features" },
  ),
  call(
    "image.pixels",
    narrowed("u8", 192, (x) => b.sub(x, 128)),
    { x: "image", y: "image.pixels" },
  ),
  call("image.conv1", conv2d("s4", { in: [8, 8, 3], K: 6, size: 3, stride: 2, pad: 1 }), {
    x: "image.pixels",
    w: "image.w1",
    bias: "bias",
    multiplier: "multiplier",
    y: "image.conv1",
  }),
  call("image.conv2", conv2d("s8", { in: [4, 4, 6], K: 6, size: 1, stride: 1, pad: 0 }), {
    x: "image.conv1",
    w: "image.w2",
    bias: "bias",
    multiplier: "multiplier again",
    y: "image.conv2",
  }),
  call("head */ ??/", dense("s4", 120, 3), {
    x: "joined",
    w: "head.w",
    multiplier: "head.multiplier",
    y: "scores",
  }),
];

const bare: Product = {
  name: "Tiny 2-net",
  program: plan({ storage, calls }),
  inputs: [
    { name: "audio", kind: "audio", description: "64 samples, s16" },
    { name: "image", kind: "image", description: "8 x 8 pixels, RGB */ u8" },
  ],
  scores: "scores",
  classes: ["tank", 'Hub"schräuber\\', "*/ ??/\n"],
  examples: [],
};

/** Random samples. */
export function samplesOf(product: Product, count: number): Record<string, TypedArray>[] {
  return Array.from({ length: count }, (_, i) =>
    Object.fromEntries(
      product.inputs.map(({ name }) => {
        const { type, shape } = storageOf(product, name);
        return [name, filled(type, shape, `${name}/${i}`)];
      }),
    ),
  );
}

/** Golden vectors as the interpreter gives them. */
function exampleOf(product: Product, inputs: Readonly<Record<string, TypedArray>>): Example {
  const runner = interpreter(product.program);
  for (const { name } of product.inputs) runner.view(name).set(inputs[name]);
  runner.run();
  return { inputs, scores: Int8Array.from(runner.view(product.scores)) };
}

/** The tiny product with three golden vectors. */
export const tinyProduct: Product = {
  ...bare,
  examples: samplesOf(bare, 3).map((inputs) => exampleOf(bare, inputs)),
};

/** The same with one element of a constant changed. */
export function corrupted(product: Product, name: string, element: number): Product {
  const changed = product.program.storage.map((s) => {
    if (s.name !== name || s.data === undefined) return s;
    const data = s.data.slice();
    data[element] ^= data.BYTES_PER_ELEMENT === 1 ? 0x24 : 0x2400;
    return { ...s, data };
  });
  return { ...product, program: { ...product.program, storage: changed } };
}
