/** Where a net rounds in quantization-aware training. */

import { expect, test } from "vitest";
import { compileTraining } from "../tensor/index.ts";
import { initialWeights } from "./graph.ts";
import { preset } from "./presets.ts";
import { quantizationAware } from "./quantization-aware.ts";

const graph = preset("tinym2net", {
  inputs: [{ name: "a", shape: [8, 9, 1] }],
  classes: ["x", "y", "z"],
});

test("every weight is rounded, and every value that the integer net stores but the scores", () => {
  const { layers } = quantizationAware(graph, { bits: 4 });
  const weighted = layers.filter(({ op }) => ["conv2d", "depthwiseConv2d", "dense"].includes(op));
  expect(weighted.every((layer) => "quantize" in layer && layer.quantize?.bits === 4)).toBe(true);
  const rounded = layers.flatMap((layer) =>
    layer.op === "fakeQuantize" ? [`${layer.inputs[0]}${layer.signed ? " signed" : ""}`] : [],
  );
  expect(rounded).toEqual([
    "a.relu",
    "a.depthwise1 signed",
    "a.pool1",
    "a.depthwise2 signed",
    "a.pool2",
    "a.relu3",
    "head.relu",
  ]);
  expect(layers.find(({ name }) => name === "a.dropout1")?.inputs).toEqual(["a.pool1.quantized8"]);
});

test("it trains: the loss of one batch falls, and the steps of activations move", () => {
  const aware = quantizationAware(graph, { learned: true });
  const runner = compileTraining(aware, { batch: 8, inputScale: 1 / 32 });
  const weights = initialWeights(aware, 1);
  for (const [name, values] of Object.entries(weights)) runner.view(name).set(values);
  runner.view("a").forEach((_, i, x) => {
    x[i] = ((i * 37) % 101) - 50 + (i % 8) * 4;
  });
  runner.view("$labels").set([0, 1, 2, 0, 1, 2, 0, 1]);
  runner.view("$weight").fill(1 / 8);
  const losses = Array.from({ length: 40 }, (_, i) => {
    runner.view("$counter").set([1, i]);
    runner.view("$hyper").set([1e-3, 1 - 0.9 ** (i + 1), 1 - 0.999 ** (i + 1), 0]);
    runner.run();
    return runner.view("$loss")[0];
  });
  expect(losses[39]).toBeLessThan(losses[0] / 2);
  expect(runner.view("a.relu.quantized8.step")[0]).not.toBe(weights["a.relu.quantized8.step"][0]);
});
