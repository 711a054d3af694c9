/** One training on one, two and three threads: the same bytes. */

import { expect, test } from "vitest";
import { compileTraining, compileTrainingThreads } from "./compile.ts";
import type { Net } from "./net.ts";
import { parametersOf } from "./net.ts";
import { random } from "./random.ts";

const window = { kernel: [3, 3], stride: [1, 1], padding: "same" } as const;

/** Every operation, with sizes that divide by nothing. */
const net: Net = {
  inputs: [{ name: "x", shape: [9, 7, 3] }],
  layers: [
    { op: "conv2d", name: "c1", inputs: ["x"], filters: 20, bias: true, ...window },
    { op: "batchNorm", name: "n1", inputs: ["c1"], momentum: 0.1, epsilon: 1e-3 },
    { op: "relu", name: "r1", inputs: ["n1"] },
    {
      op: "depthwiseConv2d",
      name: "d1",
      inputs: ["r1"],
      bias: true,
      ...window,
      quantize: { bits: 8, step: "maxAbs" },
    },
    {
      op: "conv2d",
      name: "p1",
      inputs: ["d1"],
      filters: 37,
      bias: true,
      ...window,
      kernel: [1, 1],
    },
    { op: "conv2d", name: "g1", inputs: ["p1"], filters: 37, groups: 37, bias: true, ...window },
    { op: "relu6", name: "r2", inputs: ["g1"] },
    { op: "maxPool", name: "m0", inputs: ["r2"], size: [2, 2] },
    { op: "averagePool", name: "m2", inputs: ["r2"], size: [2, 2] },
    { op: "add", name: "m1", inputs: ["m0", "m2"] },
    {
      op: "conv2d",
      name: "c2",
      inputs: ["m1"],
      filters: 9,
      bias: false,
      ...window,
      stride: [2, 2],
    },
    { op: "depthwiseConv2d", name: "d2", inputs: ["c2"], bias: true, ...window, stride: [2, 2] },
    {
      op: "fakeQuantize",
      name: "q",
      inputs: ["d2"],
      bits: 8,
      signed: true,
      learned: true,
    },
    { op: "globalAveragePool", name: "g", inputs: ["q"] },
    { op: "flatten", name: "f", inputs: ["c2"] },
    { op: "dropout", name: "o", inputs: ["f"], rate: 0.3 },
    { op: "concat", name: "k", inputs: ["g", "o"] },
    {
      op: "dense",
      name: "out",
      inputs: ["k"],
      units: 5,
      bias: true,
      quantize: { bits: 4, step: "learned" },
    },
  ],
};

const options = { batch: 7, inputScale: 1 / 32 };

function runSteps(runner: ReturnType<typeof compileTraining>): Float32Array[] {
  const generator = random(1);
  const x = runner.view("x");
  for (let i = 0; i < x.length; i++) x[i] = Math.round(generator.normal() * 32);
  for (const { name } of parametersOf(net)) {
    const p = runner.view(name);
    for (let i = 0; i < p.length; i++) p[i] = generator.normal() * 0.3;
  }
  runner.view("$labels").set([0, 1, 2, 3, 4, 0, 1]);
  runner.view("$weight").fill(1 / 7);
  for (let step = 1; step <= 5; step++) {
    runner.view("$counter").set([3, step]);
    runner.view("$hyper").set([0.01, 1 - 0.9 ** step, 1 - 0.999 ** step, 1e-4]);
    runner.run();
  }
  return ["$parameters", "$running", "$adam.m", "$loss"].map((name) =>
    Float32Array.from(runner.view(name)),
  );
}

test.each([2, 3])("%i threads give the bytes of one", async (threads) => {
  const expected = runSteps(compileTraining(net, options));
  const runner = await compileTrainingThreads(net, options, threads);
  try {
    expect(runSteps(runner)).toEqual(expected);
    expect(expected[3][0]).toBeGreaterThan(0);
  } finally {
    await runner.stop();
  }
});
