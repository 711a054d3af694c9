/** Equality, and that a difference is named by the layer and element that cause it. */

import { describe, expect, test } from "vitest";
import { needs } from "../../test/capabilities.ts";
import { corrupted, samplesOf, tinyProduct } from "../../test/tiny-product.ts";
import type { Product } from "../deploy/index.ts";
import { build as b, call, plan } from "../kernel/index.ts";
import { requireAvailable, type Target, target } from "./targets.ts";
import { MEMORY_PLAN, verify } from "./verify.ts";

const samples = samplesOf(tinyProduct, 4);

/** A target that runs another product than it is given. */
function deceived(honest: Target, change: (product: Product) => Product): Target {
  return {
    ...honest,
    run: (product, inputs) => honest.run(change(product), inputs),
    trace: (product, input) => honest.trace(change(product), input),
  };
}

describe.each([
  ["wasm", []],
  ["portable", ["cc"]],
] as const)("%s", (name, capabilities) => {
  describe("verified", needs(...capabilities), () => {
    test("gives the interpreter's scores on every sample", async () => {
      const [result] = await verify(tinyProduct, samples, [target(name)]);
      expect(result).toEqual({ target: name, equal: true, samples: 4, firstDifference: null });
    });

    test.each([
      ["image.w1", "image.conv1", "image.conv1"],
      ["audio.w", "audio.correlate", "audio.sums"],
      ["image.w2", "image.conv2", "image.conv2"],
      ["head.multiplier", "head */ ??/", "scores"],
    ])(
      "with one element of %s changed, differs first in layer %s",
      async (constant, layer, storage) => {
        const wrong = deceived(target(name), (product) => corrupted(product, constant, 0));
        const [{ equal, firstDifference }] = await verify(tinyProduct, samples, [wrong]);
        expect(equal).toBe(false);
        expect(firstDifference).toMatchObject({ layer, storage });
        expect(firstDifference?.got).not.toBe(firstDifference?.expected);
      },
    );
  });
});

test("the difference names the exact element and both values", async () => {
  const wrong = deceived(target("wasm"), (product) => corrupted(product, "head.multiplier", 1));
  const [{ firstDifference }] = await verify(tinyProduct, samples, [wrong]);
  expect(firstDifference).toMatchObject({ storage: "scores", element: 1 });
  const expected = (await target("wasm").run(tinyProduct, samples))[firstDifference?.sample ?? 0];
  expect(firstDifference?.expected).toBe(expected[1]);
});

describe("storage that is written twice", () => {
  const product = inPlace();
  const sample = { input: Uint8Array.of(1, 2, 3) };

  test("is blamed on the call that goes wrong, not on the first that writes it", async () => {
    const wrong = deceived(target("wasm"), (p) => corrupted(p, "second", 2));
    const [{ firstDifference }] = await verify(product, [sample], [wrong]);
    expect(firstDifference).toEqual({
      sample: 0,
      layer: "second",
      storage: "sum",
      element: 2,
      expected: 3 + 1 + 1,
      got: 3 + 1 + (1 ^ 0x24),
    });
  });
});

test("a difference that comes from shared memory alone is blamed on the memory plan", async () => {
  const wrong = deceived(target("wasm"), (product) => {
    const storage = product.program.storage.map((s) =>
      s.role === "scratch" && s.first !== s.last ? { ...s, address: s.type === "s32" ? 0 : 1 } : s,
    );
    const isShared =
      product.program.regionBytes.scratch === tinyProduct.program.regionBytes.scratch;
    return isShared ? { ...product, program: { ...product.program, storage } } : product;
  });
  const [{ equal, firstDifference }] = await verify(tinyProduct, samples, [wrong]);
  expect(equal).toBe(false);
  expect(firstDifference?.layer).toBe(MEMORY_PLAN);
});

test("progress tells every reference sample and every target", async () => {
  const told: string[] = [];
  await verify(tinyProduct, samples.slice(2), [target("wasm")], {
    onProgress: ({ stage, done, total }) => told.push(`${stage} ${done}/${total}`),
  });
  expect(told).toEqual(["reference 1/2", "reference 2/2", "wasm 0/2", "wasm 2/2"]);
});

describe("targets", () => {
  test("misspelled ones are answered with the nearest", () => {
    expect(() => target("portabel")).toThrow("unknown target: portabel; did you mean portable?");
  });

  test("planned ones say so", () => {
    expect(() => target("cortex-m4")).toThrow("target cortex-m4: not available in this version");
  });

  test("without a compiler, C is skipped with a reason, and missing only if asked for", async () => {
    const portable = target("portable", { environment: { PATH: "" } });
    const [result] = await verify(tinyProduct, samples.slice(3), [portable]);
    expect(result).toMatchObject({
      equal: null,
      samples: 0,
      skipped: expect.stringMatching(/no cc/),
    });
    await expect(requireAvailable(portable)).rejects.toThrow("target portable: no cc");
    await expect(portable.run(tinyProduct, samples)).rejects.toThrow("target portable: no cc");
  });

  test("a wrong CC is named", async () => {
    const environment = { PATH: "/usr/bin", CC: "/nowhere/gcc -m32" };
    const { available, reason } = await target("portable", { environment }).available();
    expect({ available, reason }).toEqual({
      available: false,
      reason: "CC is no program: /nowhere/gcc -m32",
    });
  });
});

/** sum = input; sum += first; sum += second: one storage, three writers. */
function inPlace(): Product {
  const input = b.buffer("input", "u8", [3]);
  const term = b.buffer("term", "s8", [3]);
  const sum = b.buffer("sum", "s8", [3]);
  const fill = b.kernel(
    "fill",
    [input, sum],
    [b.loop("i", 3, (i) => [b.store(sum, [i], b.load(input, i))])],
  );
  const increase = b.kernel(
    "increase",
    [term, sum],
    [b.loop("i", 3, (i) => [b.store(sum, [i], b.add(b.load(sum, i), b.load(term, i)))])],
  );
  const scores = b.buffer("scores", "s8", [3]);
  const copy = b.kernel(
    "copy",
    [sum, scores],
    [b.loop("i", 3, (i) => [b.store(scores, [i], b.load(sum, i))])],
  );
  const ones = Int8Array.of(1, 1, 1);
  const program = plan({
    storage: [
      { name: "input", type: "u8", shape: [3], role: "input" },
      { name: "first", type: "s8", shape: [3], role: "constant", data: ones },
      { name: "second", type: "s8", shape: [3], role: "constant", data: ones },
      { name: "sum", type: "s8", shape: [3], role: "scratch" },
      { name: "scores", type: "s8", shape: [3], role: "output" },
    ],
    calls: [
      call("fill", fill, { input: "input", sum: "sum" }),
      call("first", increase, { term: "first", sum: "sum" }),
      call("second", increase, { term: "second", sum: "sum" }),
      call("copy", copy, { sum: "sum", scores: "scores" }),
    ],
  });
  const inputs = [{ name: "input", kind: "image", description: "3 bytes" }] as const;
  return {
    name: "in place",
    program,
    inputs,
    scores: "scores",
    classes: ["a", "b", "c"],
    examples: [],
  };
}
