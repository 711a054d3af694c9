import { expect, test } from "vitest";
import * as b from "./build.ts";
import { distinctKernels } from "./distinct-kernels.ts";
import type { Kernel } from "./language.ts";
import { call } from "./routine.ts";

const y = b.buffer("y", "f32", [8]);

function filled(name: string, value: number, buffer = y): Kernel {
  return b.kernel(name, [buffer], [b.lanes("i", 8, (i) => [b.store(buffer, [i], value)])]);
}

test("kernels that differ in their name only are one", () => {
  const [one, other] = [filled("ones", 1), filled("units", 1)];
  const calls = [call("a", one, { y: "a" }), call("b", other, { y: "b" })];
  const { kernels, indexOf } = distinctKernels({ calls });
  expect(kernels.map(({ kernel }) => kernel)).toEqual([one]);
  expect(calls.map((each) => indexOf.get(each))).toEqual([0, 0]);
});

test("a constant, a shape, a step or the sign of zero makes another kernel", () => {
  const wide = b.buffer("y", "f32", [16]);
  const stepped = b.loop("i", 8, (i) => [b.store(y, [i], 1)], { step: 2 });
  const list = [
    filled("a", 1),
    filled("a", 2),
    filled("a", 0),
    filled("a", -0),
    filled("a", 1, wide),
    b.kernel("a", [y], [stepped]),
    b.kernel("a", [y], [b.loop("i", 8, (i) => [b.store(y, [i], 1)], { unrolled: true })]),
    b.kernel("a", [y], []),
  ];
  const calls = list.map((kernel) => call("a", kernel, { y: "a" }));
  expect(distinctKernels({ calls }).kernels.length).toBe(list.length);
});

test("a kernel that runs by item and for all is two, since threads share it differently", () => {
  const kernel = filled("ones", 1);
  const each = { items: 4, chunks: 4 };
  const calls = [call("a", kernel, { y: "a" }), call("b", kernel, { y: "b" }, each)];
  expect(distinctKernels({ calls }).kernels.map(({ isByItem }) => isByItem)).toEqual([false, true]);
});
