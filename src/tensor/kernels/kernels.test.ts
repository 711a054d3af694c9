/** Float kernels against double precision, written out by hand. */

import { expect, test } from "vitest";
import { build as b, interpret } from "../../kernel/index.ts";
import { random } from "../random.ts";
import { adam } from "./adam.ts";
import { dropout } from "./elementwise.ts";
import { exp, log } from "./math.ts";
import { NONE } from "./pointwise-pool.ts";
import { chosenInput, chosenWeights, listChosen, listsOf } from "./pointwise-pool-gradient.ts";
import { relu6, relu6Gradient } from "./relu6.ts";
import { sgd } from "./sgd.ts";
import { segmentsOf } from "./window.ts";

/** Values of a one-argument function of the loop language. */
function applied(body: typeof exp, xs: readonly number[]): Float32Array {
  const n = xs.length;
  const [x, y] = [b.buffer("x", "f32", [n]), b.buffer("y", "f32", [n])];
  const [argument, result] = [b.variable("argument", "f32"), b.variable("result", "f32")];
  const loop = b.loop("i", n, (i) => [
    b.declare(argument, b.load(x, i)),
    ...body(result, argument, "f"),
    b.store(y, [i], result),
  ]);
  const out = new Float32Array(n);
  interpret(b.kernel("applied", [x, y], [loop]), { x: Float32Array.from(xs), y: out });
  return out;
}

const steps = Array.from({ length: 2001 }, (_, i) => i / 1000 - 1);

test("exp is right to 3e-7 over its range", () => {
  const xs = steps.map((t) => Math.fround(t * 86));
  applied(exp, xs).forEach((y, i) => {
    expect(Math.abs(y / Math.exp(xs[i]) - 1)).toBeLessThan(3e-7);
  });
});

test("log is right to 3e-7 of the larger of 1 and its value", () => {
  const xs = steps.map((t) => Math.fround(2 ** (t * 100)));
  applied(log, xs).forEach((y, i) => {
    const exact = Math.log(xs[i]);
    expect(Math.abs(y - exact) / Math.max(1, Math.abs(exact))).toBeLessThan(3e-7);
  });
});

test("one step of Adam is the one written in the paper", () => {
  const [p, g, m, v] = [
    [1, -2],
    [0.5, -0.25],
    [0.1, 0.2],
    [0.01, 0.04],
  ].map((values) => Float32Array.from(values));
  const [rate, t, decay] = [0.1, 3, 0.01];
  const hyper = Float32Array.of(rate, 1 - 0.9 ** t, 1 - 0.999 ** t, decay);
  const expected = Array.from(p, (value, i) => {
    const first = 0.9 * m[i] + 0.1 * g[i];
    const second = 0.999 * v[i] + 0.001 * g[i] ** 2;
    const update = first / (1 - 0.9 ** t) / (Math.sqrt(second / (1 - 0.999 ** t)) + 1e-8);
    return value - rate * (update + decay * value);
  });
  interpret(adam({ size: 2 }), { p, g, m, v, hyper });
  p.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i], 6);
  });
});

test("decay is a part of the gradient of Adam, and spares the parameters after the decayed ones", () => {
  const start = { p: [1, -2], g: [0.5, -0.25], m: [0.1, 0.2], v: [0.01, 0.04] };
  const hyper = Float32Array.of(0.1, 0.3, 0.003, 0.01);
  const run = (decayed: number, decoupled: boolean, decay: number): Float32Array => {
    const arrays = Object.fromEntries(
      Object.entries(start).map(([name, values]) => [name, Float32Array.from(values)]),
    );
    interpret(adam({ size: 2, decayed }, { decoupled }), {
      ...arrays,
      hyper: hyper.with(3, decay),
    });
    return arrays.p;
  };
  const without = run(2, true, 0);
  for (const decoupled of [true, false]) {
    expect(run(1, decoupled, 0.01)[1]).toBe(without[1]);
    expect(run(0, decoupled, 0.01)).toEqual(without);
    expect(run(2, decoupled, 0.01)[1]).not.toBe(without[1]);
  }
  const gradient = 0.5 + 0.01;
  const [first, second] = [0.09 + 0.1 * gradient, 0.00999 + 0.001 * gradient ** 2];
  const expected = 1 - (0.1 * (first / 0.3)) / (Math.sqrt(second / 0.003) + 1e-8);
  expect(run(1, false, 0.01)[0]).toBeCloseTo(expected, 6);
});

test.each([
  [false, 0.5 - 0.1 * 0.555, -1 - 0.1 * -0.2],
  [true, 0.5 - 0.1 * (0.105 + 0.9 * 0.555), -1 - 0.1 * (-0.2 + 0.9 * -0.2)],
])("one step of SGD with momentum, nesterov %s, is the one written by hand", (nesterov, a, c) => {
  const [p, g, v] = [
    [0.5, -1],
    [0.1, -0.2],
    [0.5, 0],
  ].map((values) => Float32Array.from(values));
  interpret(sgd({ size: 2, decayed: 1 }, { nesterov }), {
    p,
    g,
    v,
    hyper: Float32Array.of(0.1, 1, 1, 0.01),
  });
  // the first decays: its gradient is 0.1 + 0.01 * 0.5
  expect(v[0]).toBeCloseTo(0.555, 6);
  expect(p[0]).toBeCloseTo(a, 6);
  expect(p[1]).toBeCloseTo(c, 6);
});

test("dropout drops its share, keeps the mean, and depends on seed, step and layer", () => {
  const size = 20_000;
  const x = new Float32Array(size).fill(1);
  const run = (counter: number[], salt: number): Float32Array => {
    const y = new Float32Array(size);
    const sample = Int32Array.of(0);
    const bindings = { x, counter: Int32Array.from(counter), sample, y };
    interpret(dropout(size, { rate: 0.2, salt }), bindings);
    return y;
  };
  const base = run([1, 1], 0);
  const dropped = base.filter((value) => value === 0).length / size;
  expect(Math.abs(dropped - 0.2)).toBeLessThan(0.01);
  expect(base.reduce((a, c) => a + c, 0) / size).toBeCloseTo(1, 1);
  expect(run([1, 1], 0)).toEqual(base);
  for (const other of [run([2, 1], 0), run([1, 2], 0), run([1, 1], 1)]) {
    const same = other.filter((value, i) => value === base[i]).length / size;
    // two independent masks agree on 0.8^2 + 0.2^2 of the elements
    expect(Math.abs(same - 0.68)).toBeLessThan(0.02);
  }
});

test("segments group the outputs whose taps fall inside alike", () => {
  const axis = { extent: 5, kernel: 3, stride: 1, outputs: 5, before: 1 };
  expect(segmentsOf(axis)).toEqual([
    { from: 0, to: 1, taps: [1, 2] },
    { from: 1, to: 4, taps: [0, 1, 2] },
    { from: 4, to: 5, taps: [0, 1] },
  ]);
});

test("relu6 passes what lies between 0 and 6, and its gradient only there", () => {
  const x = Float32Array.of(-1, 0, 0.5, 5.5, 6, 7);
  interpret(relu6(6), { x, y: x });
  expect([...x]).toEqual([0, 0, 0.5, 5.5, 6, 6]);
  const dy = new Float32Array(6).fill(2);
  interpret(relu6Gradient(6), { y: x, dy, dx: dy });
  expect([...dy]).toEqual([0, 0, 2, 2, 0, 0]);
});

test("gradients behind a maximum are those of the chosen pixels, over several bands", () => {
  // five rows of tiles in two bands, an odd last row and column
  const [H, W, K, N] = [11, 17, 64, 3];
  const product = { shape: [H, W, K], filters: N };
  const shape = listsOf(product);
  expect(shape.slice(0, 2)).toEqual([2, N]);
  const source = random("gradients");
  const values = (size: number) => Float32Array.from({ length: size }, () => source.normal());
  const [tiles, scale] = [5 * 8, 2];
  const pixels = Array.from({ length: tiles * N }, (_, i) => {
    const [tile, which] = [Math.floor(i / N), (7 * i) % 5];
    const corner = 2 * Math.floor(tile / 8) * W + 2 * (tile % 8);
    return which === 4 ? NONE : corner + (which >> 1) * W + (which & 1);
  });
  const [x, dy, turned] = [values(H * W * K), values(tiles * N), values(N * K)];
  const lists = new Int32Array(shape.reduce((a, c) => a * c));
  const gradients = new Float32Array(lists.length);
  const [db, dw, dx] = [N, N * K, H * W * K].map((size) => new Float32Array(size).fill(0.5));
  const choice = Int16Array.from(pixels);
  interpret(listChosen(product, { scale }), { choice, dy, lists, gradients, db });
  interpret(chosenWeights(product, { scale }), { x, lists, gradients, dw });
  interpret(chosenInput(product, { scale }), { lists, gradients, turned, dx });
  const [eb, ew, ex] = [db, dw, dx].map((a, i) => new Float64Array(a.length).fill(i < 2 ? 0.5 : 0));
  pixels.forEach((pixel, i) => {
    if (pixel === NONE) return;
    const [n, g] = [i % N, scale * dy[i]];
    eb[n] += g;
    for (let k = 0; k < K; k++) {
      ew[n * K + k] += g * x[pixel * K + k];
      ex[pixel * K + k] += g * turned[n * K + k];
    }
  });
  const distance = (found: Float32Array, expected: Float64Array): number =>
    Math.max(...expected.map((value, i) => Math.abs(found[i] - value)));
  const distances = [distance(db, eb), distance(dw, ew), distance(dx, ex)];
  expect(Math.max(...distances)).toBeLessThan(1e-5);
});
