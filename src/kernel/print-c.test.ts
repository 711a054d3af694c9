/**
 * The text of printed kernels. That it computes the right integers is tested in
 * test/conformance.test.ts.
 */

import { describe, expect, test } from "vitest";
import * as b from "./build.ts";
import { printSupport, SUPPORT_NAMES } from "./c/support.ts";
import type { Buffer, Expr } from "./language.ts";
import { printKernel } from "./print-c.ts";

const [p, q, r] = ["p", "q", "r"].map((name) => b.variable(name, "s32"));
const wide = b.variable("wide", "s64");

/** An expression as the printer writes it. */
function printed(value: Expr, ...buffers: Buffer[]): string {
  const y = b.buffer("y", "s32", [1]);
  const given = [p, q, r].map((variable) => b.declare(variable, 0));
  const narrow = value.type === "s64" ? b.unary("toS32", value) : value;
  const body = [...given, b.declare(wide, 0), b.store(y, [0], narrow)];
  const { text } = printKernel(b.kernel("f", [...buffers, y], body), "f");
  return /y\[0\] = (.*);/.exec(text)?.[1] ?? text;
}

test("a dense layer reads as a person would write it", () => {
  const x = b.buffer("x", "s8", [9]);
  const w = b.buffer("w", "s4", [4, 9]);
  const y = b.buffer("y", "s8", [4]);
  const acc = b.variable("acc", "s32");
  const body = b.loop("n", 4, (n) => [
    b.declare(acc, 5),
    b.loop("k", 9, (k) => [b.set(acc, b.add(acc, b.mul(b.load(x, k), b.load(w, n, k))))]),
    b.store(y, [n], b.clamp(b.mulShift(acc, 77, 21), -128, 127)),
  ]);
  const { text, support } = printKernel(b.kernel("dense", [x, w, y], [body]), "dense_1");
  expect(text).toBe(`/* x s8[9], w s4[4,9], y s8[4] */
static void dense_1(const int8_t *x, const uint8_t *w, int8_t *y) {
  for (int32_t n = 0; n < 4; n++) {
    int32_t acc = 5;
    for (int32_t k = 0; k < 9; k++) {
      acc += x[k] * s4(w, n * 9 + k);
    }
    y[n] = (int8_t)clamp_s32(mul_shift(acc, 77, 21), -128, 127);
  }
}
`);
  expect([...support].sort()).toEqual(["clamp_s32", "mul_shift", "s4"]);
});

test("branches become else-if chains, and ends that move are kept in a variable", () => {
  const x = b.buffer("x", "u8", [4]);
  const y = b.buffer("y", "s16", [4]);
  const body = b.loop("i", b.load(x, 0), (i) => [
    b.when(
      b.inside([b.sub(i, 1), 4]),
      [b.store(y, [i], 1)],
      [b.when(b.bitAnd(i, 1), [b.store(y, [i], b.shl(i, 4))], [b.store(y, [i], 0)])],
    ),
  ]);
  expect(printKernel(b.kernel("f", [x, y], [body]), "f").text).toBe(`/* x u8[4], y s16[4] */
static void f(const uint8_t *x, int16_t *y) {
  for (int32_t i = 0, i_end = x[0]; i < i_end; i++) {
    if ((uint32_t)(i - 1) < 4u) {
      y[i] = (int16_t)1;
    } else if ((i & 1) != 0) {
      y[i] = (int16_t)(i * 16);
    } else {
      y[i] = (int16_t)0;
    }
  }
}
`);
});

test("a variable that outlives its block is declared before it, one that nobody reads is left out", () => {
  const y = b.buffer("y", "s32", [1]);
  const body = [
    b.declare(r, 3),
    b.when(b.equal(b.load(y, 0), 0), [b.declare(p, 1)], [b.declare(p, 2)]),
    b.store(y, [0], p),
  ];
  const { text } = printKernel(b.kernel("f", [y], body), "f");
  expect(text).toContain(
    "  int32_t p = 0;\n  if (y[0] == 0) {\n    p = 1;\n  } else {\n    p = 2;",
  );
  expect(text).not.toContain(" r");
});

describe("parentheses are as few as C and its warnings allow", () => {
  test.each<[Expr, string]>([
    [b.add(b.mul(p, q), r), "p * q + r"],
    [b.mul(b.add(p, q), r), "(p + q) * r"],
    [b.sub(p, b.sub(q, r)), "p - (q - r)"],
    [b.sub(b.sub(p, q), r), "p - q - r"],
    [b.add(p, -1), "p - 1"],
    [b.sub(p, -1), "p + 1"],
    [b.mul(p, -3), "p * -3"],
    [b.shr(b.add(p, q), 2), "(p + q) >> 2"],
    [b.bitAnd(b.shr(p, 2), b.bitXor(q, r)), "(p >> 2) & (q ^ r)"],
    [b.bitAnd(b.bitAnd(p, q), r), "p & q & r"],
    [b.bitAnd(b.less(p, q), b.less(q, r)), "p < q && q < r"],
    [b.add(b.less(p, q), 1), "(p < q) + 1"],
    [b.select(b.less(p, q), p, b.select(r, 1, 2)), "p < q ? p : (r != 0 ? 1 : 2)"],
    [b.inside([b.sub(p, 1), 30], [q, 20]), "(uint32_t)(p - 1) < 30u && (uint32_t)q < 20u"],
    [b.bitAnd(b.lessEqual(0, p), b.less(q, 4)), "0 <= p && q < 4"],
  ])("%#: %s", (expr, text) => expect(printed(expr)).toBe(text));
});

describe("nothing is undefined in C", () => {
  test.each<[Expr, string]>([
    [b.shl(p, 3), "p * 8"],
    [b.shl(p, q), "shl_s32(p, q)"],
    [b.shl(p, 31), "shl_s32(p, 31)"],
    [b.shrU(p, 16), "shr_u32(p, 16)"],
    [b.addWrap(p, q), "add_wrap(p, q)"],
    [b.mulWrap(p, 5), "mul_wrap(p, 5)"],
    [b.add(p, b.s32(-(2 ** 31))), "p + INT32_MIN"],
    [b.shl(wide, 40), "(int32_t)(wide * INT64_C(1099511627776))"],
    [b.shr(b.s64(5), q), "(int32_t)(INT64_C(5) >> q)"],
    [b.mul(wide, 3), "(int32_t)(wide * 3)"],
    [b.mul(b.unary("toS64", p), b.unary("toS64", q)), "(int32_t)((int64_t)p * (int64_t)q)"],
    [b.max(wide, b.s64(-(2 ** 63))), "(int32_t)max_s64(wide, INT64_MIN)"],
    [b.unary("clz", wide), "clz_s64(wide)"],
    [b.mulShift(p, q, 31), "mul_shift(p, q, 31)"],
    [b.mulShift(p, q, 32), "mul_high(p, q)"],
    [b.add(r, b.mulShift(p, q, 32)), "mul_high_add(r, p, q)"],
    [b.sub(r, b.mulShift(p, q, 32)), "r - mul_high(p, q)"],
  ])("%#: %s", (expr, text) => expect(printed(expr)).toBe(text));
});

test("an index is in Horner's form, regrouped to the left", () => {
  const x = b.buffer("x", "s8", [5, 32, 16]);
  expect(printed(b.load(x, p, b.sub(b.add(q, r), 1), b.add(r, 2)), x)).toBe(
    "x[(p * 32 + q + r - 1) * 16 + r + 2]",
  );
});

test("neighbours are moved together, the constant of the index apart", () => {
  const x = b.buffer("x", "s32", [64, 2]);
  const w = b.buffer("w", "s16", [64]);
  const y = b.buffer("y", "s32", [64, 2]);
  const body = b.loop("i", 60, (i) => [
    b.declare(p, b.load(x, b.add(i, 4), 0)),
    b.declare(q, b.load(x, b.add(i, 4), 1)),
    b.declare(r, b.load(w, i)),
    b.declare(b.variable("s", "s32"), b.load(w, b.add(i, 1))),
    b.store(y, [b.sub(63, i), 0], b.add(p, r)),
    b.store(y, [b.sub(63, i), 1], b.add(q, b.variable("s", "s32"))),
  ]);
  expect(
    printKernel(b.kernel("f", [x, w, y], [body]), "f").text,
  ).toBe(`/* x s32[64,2], w s16[64], y s32[64,2] */
static void f(const int32_t *x, const int16_t *w, int32_t *y) {
  for (int32_t i = 0; i < 60; i++) {
    int32_t p, q;
    load_pair_s32(x + i * 2, 8, &p, &q);
    int32_t r, s;
    load_pair_s16(w + i, 0, &r, &s);
    store_pair_s32(y + (63 - i) * 2, 0, p + r, q + s);
  }
}
`);
});

test("variables of loops to be written out count as constant in an index", () => {
  const x = b.buffer("x", "s32", [64, 2]);
  const y = b.buffer("y", "s32", [64]);
  const point = (u: Expr): Expr => b.add(b.mul(p, 8), b.add(u, 1));
  const body = b.loop(
    "u",
    4,
    (u) => [
      b.declare(q, b.load(x, point(u), 0)),
      b.declare(r, b.load(x, point(u), 1)),
      b.store(y, [b.mul(u, 2)], q),
      b.store(y, [b.add(b.mul(u, 2), 1)], r),
    ],
    { unrolled: true },
  );
  const { text, support } = printKernel(b.kernel("f", [x, y], [b.declare(p, 3), body]), "f");
  expect(text).toContain("load_pair_s32(x + p * 8 * 2, u * 2 + 2, &q, &r);\n");
  expect(text).toContain("store_pair_s32(y, u * 2, q, r);\n");
  expect(printSupport(support)).toMatch(/#define INLINED inline\n[\s\S]*static INLINED void/);
});

test("what only looks like neighbours is moved one by one", () => {
  const x = b.buffer("x", "s32", [8]);
  const y = b.buffer("y", "s32", [8]);
  const body = [
    b.declare(p, b.load(x, 0)),
    b.declare(q, b.load(x, b.add(p, 1))),
    b.store(y, [0], q),
    b.store(y, [1], b.load(y, 0)),
    b.store(y, [3], 1),
    b.store(y, [2], 2),
  ];
  const { support } = printKernel(b.kernel("f", [x, y], body), "f");
  expect([...support]).toEqual([]);
});

test("high words are added and subtracted by one function each", () => {
  const product = b.mulShift(q, r, 32);
  expect(printed(b.add(p, product))).toBe("mul_high_add(p, q, r)");
  expect(printed(b.add(p, b.mulShift(b.sub(0, q), r, 32)))).toBe("mul_high_sub(p, q, r)");
  expect(printed(b.sub(p, product))).toBe("p - mul_high(q, r)");
});

test("loops to be written out say so", () => {
  const y = b.buffer("y", "s32", [4]);
  const body = b.loop("i", 4, (i) => [b.store(y, [i], i)], { unrolled: true });
  const { text, support } = printKernel(b.kernel("f", [y], [body]), "f");
  expect(text).toContain("  UNROLLED for (int32_t i = 0; i < 4; i++) {\n");
  expect([...support]).toEqual(["UNROLLED"]);
});

test("lines keep to 100 columns", () => {
  const buffers = ["input", "weights", "bias", "multiplier", "output"].map((name) =>
    b.buffer(`${name}_of_the_layer`, "s32", [7]),
  );
  const sum = buffers.map((buffer) => b.load(buffer, b.add(p, 1))).reduce<Expr>(b.add, p);
  const body = [b.declare(p, 0), b.store(buffers[4], [0], b.mul(sum, b.add(sum, 1)))];
  const { text } = printKernel(b.kernel("f", buffers, body), "f");
  for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
});

describe("refused, since C of a device has it not", () => {
  const y = b.buffer("y", "s32", [4]);
  const f = b.buffer("f", "f32", [4]);
  test.each([
    ["float buffers", [f], [b.store(f, [0], 1)]],
    ["float arithmetic", [y], [b.store(y, [0], b.unary("f32ToBits", b.add(b.f32(1), b.f32(2))))]],
    ["stores to s4", [b.buffer("w", "s4", [4])], [b.store(b.buffer("w", "s4", [4]), [0], 1)]],
    ["shifts beyond the width", [y], [b.store(y, [0], b.shr(b.load(y, 1), 32))]],
    ["loop variables after the loop", [y], [b.loop("p", 4, () => []), b.store(y, [0], p)]],
  ] as const)("%s", (_what, buffers, body) => {
    expect(() => printKernel(b.kernel("k", buffers, body), "k")).toThrow(/^internal: /);
  });
});

test("support functions come in a fixed order, each once", () => {
  expect(printSupport(["max_s32", "min_s32", "max_s32"])).toBe(
    printSupport(["min_s32", "max_s32"]),
  );
  expect(printSupport([])).toBe("");
  for (const name of SUPPORT_NAMES) expect(printSupport([name])).toContain(name);
});
