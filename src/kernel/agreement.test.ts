/** Interpreter = WebAssembly, for every feature of the language. C joins in test/conformance. */

import { expect, test } from "vitest";
import { random } from "../tensor/index.ts";
import * as b from "./build.ts";
import { interpret, interpreter } from "./interpret.ts";
import type { ElementType, Expr, Kernel } from "./language.ts";
import { bytesOf } from "./language.ts";
import { plan } from "./plan.ts";
import { call, type Storage, type TypedArray, viewOf, writtenBy } from "./routine.ts";
import { compile } from "./wasm/module.ts";

/** Random contents that no test here drives into overflow. */
function filled(type: ElementType, shape: readonly number[], seed: string): TypedArray {
  const generator = random(seed);
  const data = viewOf(type, shape, new ArrayBuffer(bytesOf({ type, shape }) + 4), 0);
  for (let i = 0; i < data.length; i++) {
    data[i] = type === "f32" ? generator.normal() : generator.integer(2 ** 16) - 2 ** 15;
  }
  return data;
}

/** Run a kernel both ways on the same random inputs and compare every written buffer. */
function agree(kernel: Kernel): void {
  const written = writtenBy(kernel);
  const storage = kernel.buffers.map(
    ({ name, type, shape }): Storage =>
      written.has(name)
        ? { name, type, shape, role: "output" }
        : { name, type, shape, role: "constant", data: filled(type, shape, name) },
  );
  const bindings = Object.fromEntries(kernel.buffers.map(({ name }) => [name, name]));
  const program = plan({ storage, calls: [call("test", kernel, bindings)] });
  const [reference, wasm] = [interpreter(program), compile(program)];
  reference.run();
  wasm.run();
  for (const name of written) {
    expect(wasm.view(name)).toEqual(reference.view(name));
    expect(new Set(reference.view(name)).size).toBeGreaterThan(1);
  }
}

const acc = b.variable("acc", "s32");

test.each([4, 7, 16, 21, 40])(
  "a dense layer of %i outputs agrees with 8- and 4-bit weights",
  (N) => {
    for (const type of ["s8", "s4"] as const) {
      const x = b.buffer("x", "s8", [9]);
      const w = b.buffer("w", type, [9, N]);
      const y = b.buffer("y", "s32", [N]);
      const body = b.lanes(
        "n",
        N,
        (n) => [
          b.declare(acc, 5),
          b.loop("k", 9, (k) => [b.set(acc, b.add(acc, b.mul(b.load(x, k), b.load(w, k, n))))]),
          b.store(y, [n], acc),
        ],
        { vectors: 2 },
      );
      agree(b.kernel("dense", [x, w, y], [body]));
    }
  },
);

test("a padded depthwise convolution with requantization agrees", () => {
  const [H, W, C] = [5, 6, 10];
  const x = b.buffer("x", "s8", [H, W, C]);
  const w = b.buffer("w", "s4", [3, 3, C]);
  const m = b.buffer("m", "s32", [C]);
  const y = b.buffer("y", "s8", [H, W, C]);
  const body = b.loop("oy", H, (oy) => [
    b.loop("ox", W, (ox) => [
      b.lanes("c", C, (c) => [
        b.declare(acc, 0),
        b.loop("ky", 3, (ky) => [
          b.loop("kx", 3, (kx) => {
            const iy = b.sub(b.add(oy, ky), 1);
            const ix = b.sub(b.add(ox, kx), 1);
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
        b.store(y, [oy, ox, c], b.clamp(b.mulShift(acc, b.load(m, c), 14), -128, 127)),
      ]),
    ]),
  ]);
  agree(b.kernel("depthwise", [x, w, m, y], [body]));
});

test("tables, strided reads, selects and lane numbers agree", () => {
  const table = b.buffer("table", "s16", [64]);
  const x = b.buffer("x", "u8", [19, 2]);
  const y = b.buffer("y", "s16", [19]);
  const body = b.lanes("i", 19, (i) => {
    const looked = b.load(table, b.bitAnd(b.load(x, i, 1), 63));
    const chosen = b.select(b.less(b.load(x, i, 0), i), b.sub(looked, i), b.shr(looked, 2));
    return [b.store(y, [i], chosen)];
  });
  agree(b.kernel("table", [table, x, y], [body]));
});

test("wide arithmetic, leading zeros and data-dependent bounds agree", () => {
  const x = b.buffer("x", "s32", [12]);
  const y = b.buffer("y", "s32", [12, 2]);
  const sum = b.variable("sum", "s64");
  const shift = b.variable("shift", "s32");
  const body = b.loop("i", 12, (i) => [
    b.declare(sum, 1),
    b.loop("k", b.add(b.bitAnd(b.load(x, i), 7), i), (k) => [
      b.set(sum, b.add(sum, b.mul(b.unary("toS64", b.load(x, i)), b.unary("toS64", k)))),
      b.set(sum, b.mul(sum, 3)),
    ]),
    b.set(sum, b.max(sum, b.sub(b.s64(0), sum))),
    b.declare(shift, b.max(b.sub(40, b.unary("clz", sum)), 0)),
    b.store(y, [i, 0], b.unary("toS32", b.shr(sum, shift))),
    b.store(y, [i, 1], b.unary("clz", b.load(x, i))),
  ]);
  agree(b.kernel("wide", [x, y], [body]));
});

test("single-precision arithmetic agrees to the bit", () => {
  const [M, K, N] = [6, 11, 13];
  const a = b.buffer("a", "f32", [M, K]);
  const w = b.buffer("w", "f32", [K, N]);
  const y = b.buffer("y", "f32", [M, N]);
  const sum = b.variable("sum", "f32");
  const body = b.loop("m", M, (m) => [
    b.lanes("n", N, (n) => [
      b.declare(sum, 0.1),
      b.loop("k", K, (k) => [b.set(sum, b.add(sum, b.mul(b.load(a, m, k), b.load(w, k, n))))]),
      b.set(sum, b.div(sum, b.add(b.unary("sqrt", b.mul(sum, sum)), 0.5))),
      b.set(sum, b.add(sum, b.unary("toF32", b.unary("toS32", b.unary("floor", b.mul(sum, 9)))))),
      b.store(y, [m, n], b.max(sum, b.unary("bitsToF32", b.unary("f32ToBits", b.min(sum, -2))))),
    ]),
  ]);
  agree(b.kernel("gemm", [a, w, y], [body]));
});

test("a minimum or maximum of floats is its first operand unless the second is beyond it", () => {
  const values = [0, -0, 1, -1, Number.NaN, Number.POSITIVE_INFINITY];
  const pairs = values.flatMap((first) => values.map((second) => [first, second] as const));
  const size = pairs.length;
  const given = b.buffer("given", "f32", [2, size]);
  const bits = b.buffer("bits", "s32", [4, size]);
  const extremes = (row: number, i: Expr) =>
    [b.min, b.max].map((extreme, k) => {
      const value = extreme(b.load(given, 0, i), b.load(given, 1, i));
      return b.store(bits, [row + k, i], b.unary("f32ToBits", value));
    });
  const body = [
    b.lanes("i", size, (i) => extremes(0, i)),
    b.loop("j", size, (j) => extremes(2, j)),
  ];
  const data = Float32Array.from([...pairs.map(([x]) => x), ...pairs.map(([, y]) => y)]);
  const storage: Storage[] = [
    { ...given, role: "constant", data },
    { ...bits, role: "output" },
  ];
  const one = call("test", b.kernel("extremes", [given, bits], body), {
    given: "given",
    bits: "bits",
  });
  const program = plan({ storage, calls: [one] });
  const low = pairs.map(([x, y]) => (y < x ? y : x));
  const high = pairs.map(([x, y]) => (x < y ? y : x));
  const expected = new Int32Array(Float32Array.from([...low, ...high, ...low, ...high]).buffer);
  for (const runner of [interpreter(program), compile(program)]) {
    runner.run();
    expect(runner.view("bits")).toEqual(expected);
  }
});

test("wrapping arithmetic of a counter-based hash agrees", () => {
  const y = b.buffer("y", "s32", [11]);
  const h = b.variable("h", "s32");
  const body = b.lanes("i", 11, (i) => [
    b.declare(h, b.addWrap(b.mulWrap(i, 0x9e3779b9 | 0), 0x7f4a7c15)),
    b.set(h, b.mulWrap(b.bitXor(h, b.shrU(h, 16)), 0x21f0aaad)),
    b.store(y, [i], b.bitXor(h, b.shrU(h, 15))),
  ]);
  agree(b.kernel("hash", [y], [body]));
});

test("the interpreter refuses what the language forbids and names it", () => {
  const x = b.buffer("x", "s32", [2]);
  const y = b.buffer("y", "s32", [2]);
  const refuse = (value: Parameters<typeof b.store>[2], message: string, at = 0): void => {
    const body = [b.store(y, [at], value)];
    const bindings = { x: Int32Array.of(2 ** 30, 40), y: new Int32Array(2) };
    expect(() => interpret(b.kernel("bad", [x, y], body), bindings)).toThrow(message);
  };
  refuse(b.add(b.load(x, 0), b.load(x, 0)), "bad: s32 must not overflow, got 2147483648");
  refuse(b.shl(b.load(x, 0), b.load(x, 1)), "bad: shift must be in [0, 31], got 40");
  refuse(b.load(x, b.load(x, 1)), "bad: index 0 of x must be in [0, 2), got 40");
  const wide = b.shl(b.unary("toS64", b.load(x, 0)), b.load(x, 1));
  refuse(b.unary("toS32", wide), "bad: s64 must not overflow");
});

test("conditions that are no comparison, and wide ones, agree in lanes", () => {
  const x = b.buffer("x", "s8", [8]);
  const y = b.buffer("y", "s32", [8]);
  const limit = b.variable("limit", "s64");
  const body = b.lanes("i", 8, (i) => {
    const bits = b.select(b.bitAnd(b.load(x, i), 6), 100, b.load(x, i));
    return [b.store(y, [i], b.select(b.less(limit, b.s64(5)), bits, i))];
  });
  agree(b.kernel("select", [x, y], [b.declare(limit, b.unary("toS64", b.load(x, 0))), body]));
});

test("a loop that starts below zero agrees", () => {
  const x = b.buffer("x", "s32", [7]);
  const y = b.buffer("y", "s32", [7]);
  const body = b.loop("i", 4, (i) => [b.store(y, [b.add(i, 3)], b.load(x, b.add(i, 3)))], {
    from: -3,
  });
  agree(b.kernel("negative", [x, y], [body]));
});

test("what the language forbids is refused where it is written", () => {
  const acc = b.variable("acc", "s32");
  const i = b.variable("i", "s32");
  expect(() => b.lanes("i", 4, (n) => [b.set(acc, n)])).toThrow("loop i: target of set must be");
  expect(() => b.loop("i", 4, () => [b.set(i, 0)])).toThrow("loop i: target of set must be");
  expect(() => b.mul(acc, 0.5)).toThrow("s32: constant must be a 32-bit integer, got 0.5");
  expect(() => b.div(acc, 2)).toThrow("div: operand type must be");
  expect(() => b.unary("sqrt", acc)).toThrow("sqrt: operand type must be");
  expect(() => b.load(b.buffer("x", "s8", [2, 2]), 0)).toThrow("load: indices of x must be");
});

test("pairs of floats in lanes move like single ones", () => {
  const x = b.buffer("x", "f32", [40]);
  const y = b.buffer("y", "f32", [40]);
  const [p, q] = [b.variable("p", "f32"), b.variable("q", "f32")];
  const body = b.lanes("i", 19, (i) => [
    b.declare(p, b.load(x, b.mul(i, 2))),
    b.declare(q, b.load(x, b.add(b.mul(i, 2), 1))),
    b.store(y, [b.sub(38, b.mul(i, 2))], b.add(p, q)),
    b.store(y, [b.sub(39, b.mul(i, 2))], b.mul(p, q)),
  ]);
  agree(b.kernel("pairs", [x, y], [body]));
});
