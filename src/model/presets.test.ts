import { expect, test } from "vitest";
import { parametersOf } from "../tensor/index.ts";
import { costOf } from "./cost.ts";
import { type Graph, initialWeights, packWeights, unpackWeights } from "./graph.ts";
import { preset } from "./presets.ts";

const audio = { name: "audio", shape: [44, 13, 1] };
const image = { name: "image", shape: [32, 32, 3] };
const four = ["a", "b", "c", "d"];
const twelve = Array.from({ length: 12 }, (_, i) => `word${i}`);

test("the paper's fused net has 7,598,976 MACs and 418,948 parameters for four classes", () => {
  const { macs, parameters } = costOf(
    preset("tinym2net", { inputs: [audio, image], classes: four }),
  );
  expect({ macs, parameters }).toEqual({ macs: 7_598_976, parameters: 418_948 });
});

test("every layer of the paper's net has the published MACs", () => {
  const { layers } = costOf(preset("tinym2net", { inputs: [audio, image], classes: four }));
  const macs = Object.fromEntries(layers.map((layer) => [layer.name, layer.macs]));
  expect(macs).toMatchObject({
    "image.conv": 1_769_472,
    "image.depthwise1": 589_824,
    "image.pointwise1": 2_097_152,
    "image.depthwise2": 73_728,
    "image.pointwise2": 524_288,
    "image.dense": 262_144,
    "audio.conv": 329_472,
    "audio.pointwise1": 1_171_456,
    "audio.dense": 135_168,
    "head.dense": 8_192,
  });
});

test("ds-cnn has 2,656,768 MACs for 49 x 10 inputs and twelve words", () => {
  const inputs = [{ name: "audio", shape: [49, 10, 1] }];
  expect(costOf(preset("ds-cnn", { inputs, classes: twelve })).macs).toBe(2_656_768);
});

test("a preset takes one modality or three", () => {
  for (const names of [["a"], ["a", "b", "c"]]) {
    const inputs = names.map((name) => ({ name, shape: [32, 32, 1] }));
    const { layers } = preset("tinym2net", { inputs, classes: four });
    expect(layers.filter(({ op }) => op === "concat")).toHaveLength(names.length > 1 ? 1 : 0);
  }
});

test("an unknown preset is refused with the nearest name", () => {
  const options = { inputs: [audio], classes: four };
  expect(() => preset("tinym2nut", options)).toThrow(
    "unknown preset: tinym2nut; did you mean tinym2net?",
  );
});

test("an input that is too small for the pooling is refused with the layer's name", () => {
  const inputs = [{ name: "audio", shape: [1, 44, 1] }];
  expect(() => preset("tinym2net", { inputs, classes: four })).toThrow("audio.pool1");
});

test("pooling is along the height only where one column is left", () => {
  const inputs = [1, 3, 4].map((width) => ({ name: `x${width}`, shape: [44, width, 1] }));
  const { layers } = preset("tinym2net", { inputs, classes: four });
  const sizes = layers.flatMap((layer) => (layer.op === "maxPool" ? [layer.size[1]] : []));
  expect(sizes).toEqual([1, 1, 2, 1, 2, 2]);
});

test("weights survive packing, and other bytes are refused", () => {
  const graph = preset("ds-cnn", { inputs: [audio], classes: four });
  const weights = initialWeights(graph, 1);
  const bytes = packWeights(graph, weights);
  expect(unpackWeights(graph, bytes, "model.weights")).toEqual(weights);
  expect(parametersOf(graph).every(({ name }) => weights[name] !== undefined)).toBe(true);
  expect(() => unpackWeights(graph, bytes.slice(4), "model.weights")).toThrow(
    "model.weights: weights",
  );
});

test("learned steps start at 2 mean |w| / sqrt(high) of their channel", () => {
  const quantize = { bits: 4, step: "learned" } as const;
  const graph: Graph = {
    inputs: [{ name: "x", shape: [20] }],
    classes: ["a", "b", "c"],
    layers: [{ op: "dense", name: "out", inputs: ["x"], units: 3, bias: true, quantize }],
  };
  const weights = initialWeights(graph, 1);
  const mean = [0, 1, 2].map(
    (c) =>
      weights["out.weight"].reduce((sum, w, i) => sum + (i % 3 === c ? Math.abs(w) : 0), 0) / 20,
  );
  weights["out.step"].forEach((step, c) => {
    expect(step).toBeCloseTo((2 * mean[c]) / Math.sqrt(7), 6);
  });
  expect(unpackWeights(graph, packWeights(graph, weights), "weights")).toEqual(weights);
});
