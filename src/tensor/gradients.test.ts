/** Every operation: gradient against central differences, through a whole compiled step. */

import { expect, test } from "vitest";
import { BATCH, CASES, conv, head, input, prepare, SCALE } from "../../test/small-nets.ts";
import { compileTraining } from "./compile.ts";
import type { Layer } from "./layer.ts";
import type { Net } from "./net.ts";
import { random } from "./random.ts";
import { trainingRoutine } from "./routine.ts";

/**
 * Largest difference between the compiled gradient and central differences, relative to the largest
 * gradient.
 */
function gradientError(
  net: Net,
  { smoothing = 0, step = 2 ** -7, share2 = [0, 0, 0, 0] } = {},
): number {
  const runner = compileTraining(net, { batch: BATCH, inputScale: SCALE, smoothing });
  prepare(net, runner);
  runner.view("$labels2").set([1, 1, 1, 2]);
  runner.view("$share2").set(share2);
  runner.run();
  const gradient = Float32Array.from(runner.view("$gradients") as Float32Array);
  const parameters = runner.view("$parameters");
  const generator = random(3);
  const largest = gradient.reduce((max, g) => Math.max(max, Math.abs(g)), 0);
  let worst = 0;
  for (let probe = 0; probe < 60; probe++) {
    const i = generator.integer(parameters.length);
    const value = parameters[i];
    const at = (shift: number): number => {
      parameters[i] = value + shift;
      runner.run();
      return runner.view("$loss")[0];
    };
    const numeric = (at(step) - at(-step)) / (2 * step);
    parameters[i] = value;
    worst = Math.max(worst, Math.abs(numeric - gradient[i]) / largest);
  }
  expect(largest).toBeGreaterThan(1e-3);
  return worst;
}

test.each(Object.entries(CASES))(
  "the gradient of %s equals central differences",
  (_name, layers) => {
    // f32 losses carry about 1e-7: a step of 2^-7 keeps that and the third-order term far below
    // 2e-3 of the largest
    // gradient. Where a maximum has kinks the step must be too small to cross one, and rounding
    // takes up to 5e-3.
    const hasKinks = layers.some(({ op }) =>
      ["relu", "relu6", "hardSwish", "maxPool"].includes(op),
    );
    const [step, tolerance] = hasKinks ? [2 ** -12, 5e-3] : [2 ** -7, 2e-3];
    expect(gradientError({ inputs: [input], layers }, { step })).toBeLessThan(tolerance);
  },
);

/** Two outputs at a time: see kernels/winograd.ts. */
const wide = { name: "x", shape: [6, 12, 3] };
const even: readonly Layer[] = [
  conv("first", "x", 5),
  { op: "batchNorm", name: "norm", inputs: ["first"], epsilon: 1e-3, momentum: 0.9 },
  { ...conv("last", "norm", 6), padding: "valid" } as Layer,
  ...head,
];

test("the gradient of convolutions by pairs of outputs equals central differences", () => {
  expect(gradientError({ inputs: [wide], layers: even })).toBeLessThan(2e-3);
  const valid = even.map((layer) =>
    layer.op === "conv2d" ? ({ ...layer, padding: "valid" } as Layer) : layer,
  );
  expect(gradientError({ inputs: [wide], layers: valid })).toBeLessThan(2e-3);
  // zeros between the pixels of the gradient by a strided output
  const strided = even.map((layer) =>
    layer.name === "last" ? ({ ...layer, stride: [2, 2] } as Layer) : layer,
  );
  expect(gradientError({ inputs: [wide], layers: strided })).toBeLessThan(2e-3);
  for (const [layers, by, sums] of [
    [even, [3, 2], "lag_sums"],
    [valid, [3, 2], "gram"],
    [strided, [2, 1], "lag_sums"],
  ] as const) {
    const { calls } = trainingRoutine(
      { inputs: [wide], layers },
      { batch: BATCH, inputScale: SCALE },
    );
    const count = (name: string) => calls.filter(({ kernel }) => kernel.name === name).length;
    // both layers, or the first; and the second one's input
    expect([count("winograd"), count("winograd_weights")]).toEqual(by);
    expect(count(sums)).toBe(1);
  }
});

test("label smoothing has the right gradient", () => {
  expect(
    gradientError({ inputs: [input], layers: CASES["dense alone"] }, { smoothing: 0.1 }),
  ).toBeLessThan(2e-3);
});

test("two labels a sample have the right gradient, with smoothing as well", () => {
  const net = { inputs: [input], layers: CASES["dense alone"] };
  const share2 = [0.25, 0.5, 1, 0.75];
  expect(gradientError(net, { share2 })).toBeLessThan(2e-3);
  expect(gradientError(net, { share2, smoothing: 0.1 })).toBeLessThan(2e-3);
});

test("a ReLU over a view leaves the map alone for its other reader", () => {
  const layers: Layer[] = [
    conv("last", "x", 4),
    { op: "flatten", name: "flat", inputs: ["last"] },
    { op: "relu", name: "active", inputs: ["flat"] },
    { op: "globalAveragePool", name: "mean", inputs: ["last"] },
    { op: "concat", name: "both", inputs: ["active", "mean"] },
    { op: "dense", name: "out", inputs: ["both"], units: 3, bias: true },
  ];
  expect(gradientError({ inputs: [input], layers }, { step: 2 ** -12 })).toBeLessThan(5e-3);
});
