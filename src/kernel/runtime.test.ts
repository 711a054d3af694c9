/** Fused multiply-add: one rounding in the lanes where the engine has it, two everywhere else. */

import { expect, test } from "vitest";
import { build as b, call, compile, hasFusedMultiplyAdd, plan } from "./index.ts";

const N = 6;

/** y = x x + z and w = z - x x over six elements: one vector and a rest of two. */
function run(fused: boolean): { y: number[]; w: number[] } {
  const [x, z, y, w] = ["x", "z", "y", "w"].map((name) => b.buffer(name, "f32", [N]));
  const kernel = b.kernel(
    "square",
    [x, z, y, w],
    [
      b.lanes("i", N, (i) => [
        b.store(y, [i], b.add(b.mul(b.load(x, i), b.load(x, i)), b.load(z, i))),
        b.store(w, [i], b.sub(b.load(z, i), b.mul(b.load(x, i), b.load(x, i)))),
      ]),
    ],
  );
  const vector = (name: string, role: "input" | "output") =>
    ({ name, type: "f32", shape: [N], role }) as const;
  const storage = [
    vector("x", "input"),
    vector("z", "input"),
    vector("y", "output"),
    vector("w", "output"),
  ];
  const bindings = { x: "x", z: "z", y: "y", w: "w" };
  const routine = { storage, calls: [call("square", kernel, bindings)] };
  const runner = compile(plan(routine), { fused });
  // x x = 1 + 2^-11 + 2^-24, whose last term a product of its own loses
  runner.view("x").fill(1 + 2 ** -12);
  runner.view("z").fill(-(1 + 2 ** -11));
  runner.run();
  return { y: [...runner.view("y")], w: [...runner.view("w")] };
}

test("without fusing, a product is rounded before it is added", () => {
  expect(run(false).y).toEqual(Array(N).fill(0));
});

test("this runtime has fused multiply-add, and vectors use it", () => {
  expect(hasFusedMultiplyAdd()).toBe(true);
  const { y, w } = run(true);
  expect(y).toEqual([...Array(4).fill(2 ** -24), 0, 0]);
  expect(w).toEqual([...Array(4).fill(-(2 + 2 ** -10 + 2 ** -24)), ...w.slice(4)].map(Math.fround));
});
