import { expect, test } from "vitest";
import type { Graph } from "../model/index.ts";
import { type Layer, type Optimizer, random } from "../tensor/index.ts";
import { packCheckpoint, unpackCheckpoint } from "./checkpoint.ts";
import type { Examples } from "./examples.ts";
import { trainGraph } from "./fit.ts";
import { rateAt } from "./schedule.ts";

const graph: Graph = {
  inputs: [{ name: "x", shape: [6, 6, 1] }],
  classes: ["left", "right"],
  layers: [
    {
      op: "conv2d",
      name: "conv",
      inputs: ["x"],
      filters: 4,
      bias: true,
      kernel: [3, 3],
      stride: [1, 1],
      padding: "same",
    },
    { op: "batchNorm", name: "norm", inputs: ["conv"], momentum: 0.1, epsilon: 1e-3 },
    { op: "relu", name: "relu", inputs: ["norm"] },
    { op: "flatten", name: "flat", inputs: ["relu"] },
    { op: "dropout", name: "drop", inputs: ["flat"], rate: 0.2 },
    { op: "dense", name: "out", inputs: ["drop"], units: 2, bias: true },
  ],
};

/** In the place of "flat": the map is rounded first. */
const roundedMap: readonly Layer[] = [
  { op: "fakeQuantize", name: "map", inputs: ["relu"], bits: 8, signed: false, learned: true },
  { op: "flatten", name: "flat", inputs: ["map"] },
];

/** Noise with a bright left or right half. */
function examples(count: number, seed: string): Examples {
  const generator = random(seed);
  const labels = Int32Array.from({ length: count }, (_, i) => i % 2);
  const x = new Int8Array(count * 36);
  for (let i = 0; i < x.length; i++) {
    const isBright = Math.floor((i % 6) / 3) === labels[Math.floor(i / 36)];
    x[i] = Math.round(generator.normal() * 30 + (isBright ? 20 : 0));
  }
  return { count, inputs: { x }, labels, groups: Array.from(labels, String) };
}

const splits = { train: examples(80, "train"), val: examples(40, "val") };
const options = { epochs: 4, seed: 5, inputScale: 1 / 32, batch: 16, rate: 1e-2 };

test("training learns an easy task", () => {
  const training = trainGraph(graph, splits, { ...options, epochs: 6 });
  const records = [...training.steps].flatMap(({ record }) => record ?? []);
  expect(records).toHaveLength(6);
  expect(records[5].trainLoss).toBeLessThan(records[0].trainLoss);
  expect(training.best().record.valBalancedAccuracy).toBeGreaterThan(0.9);
});

const OPTIMIZERS: readonly Optimizer[] = [
  { kind: "adamw" },
  { kind: "adam", beta1: 0.8 },
  { kind: "sgd" },
  { kind: "sgd", nesterov: true },
];

test.each(OPTIMIZERS)(
  "a training with %o stopped in the middle of an epoch goes on to the same bytes",
  (optimizer) => {
    const schedule = { kind: "step", stepEpochs: 3, factor: 0.1 } as const;
    const all = { ...options, optimizer, schedule };
    const whole = trainGraph(graph, splits, all);
    for (const _ of whole.steps);
    const first = trainGraph(graph, splits, all);
    for (let i = 0; i < 7; i++) first.steps.next();
    const saved = unpackCheckpoint(packCheckpoint(first.checkpoint()), "checkpoint");
    const second = trainGraph(graph, splits, all, saved);
    for (const _ of second.steps);
    expect(packCheckpoint(second.checkpoint())).toEqual(packCheckpoint(whole.checkpoint()));
    expect(second.best()).toEqual(whole.best());
    expect(whole.best().record.valBalancedAccuracy).toBeGreaterThan(0.9);
  },
);

test.each([
  ["maxAbs", 8],
  ["maxAbs", 4],
  ["learned", 8],
  ["learned", 4],
] as const)("an easy task is learned with weights of %s steps and %i bits", (step, bits) => {
  const quantize = { bits, step };
  const layers = graph.layers.map(
    (layer): Layer =>
      layer.op === "conv2d" || layer.op === "dense" ? { ...layer, quantize } : layer,
  );
  layers.splice(3, 1, ...roundedMap);
  const training = trainGraph({ ...graph, layers }, splits, { ...options, epochs: 6 });
  for (const _ of training.steps);
  expect(training.best().record.valBalancedAccuracy).toBeGreaterThan(0.9);
});

test("another seed gives other weights", () => {
  const [a, b] = [1, 2].map((seed) => {
    const training = trainGraph(graph, splits, { ...options, epochs: 1, seed });
    for (const _ of training.steps);
    return training.best().weights["conv.weight"];
  });
  expect(a).not.toEqual(b);
});

test("a checkpoint that is cut or changed is refused", () => {
  const training = trainGraph(graph, splits, { ...options, epochs: 1 });
  training.steps.next();
  const bytes = packCheckpoint(training.checkpoint());
  for (const broken of [
    bytes.slice(0, 8),
    bytes.slice(0, -4),
    bytes.with(0, 1),
    bytes.with(20, 1),
  ]) {
    expect(() => unpackCheckpoint(broken, "run/checkpoint.bin")).toThrow(
      "run/checkpoint.bin is no",
    );
  }
});

test("the learning rate warms up and ends near zero", () => {
  const course = { rate: 1, warmupSteps: 4, epochSteps: 5, epochs: 4 };
  expect([0, 3, 4].map((step) => rateAt(step, course))).toEqual([0.25, 1, 1]);
  expect(rateAt(12, course)).toBeCloseTo(0.5);
  expect(rateAt(19, course)).toBeLessThan(0.01);
});

test("a step schedule warms up and goes down at the epochs it names", () => {
  const schedule = { kind: "step", stepEpochs: 2, factor: 0.1 } as const;
  const course = { schedule, rate: 1, warmupSteps: 4, epochSteps: 5, epochs: 5 };
  expect([0, 4, 9].map((step) => rateAt(step, course))).toEqual([0.25, 1, 1]);
  expect([10, 19].map((step) => rateAt(step, course))).toEqual([0.1, 0.1]);
  expect(rateAt(20, course)).toBeCloseTo(0.01);
  const wrong = { ...options, schedule: { ...schedule, factor: 2 } };
  expect(() => trainGraph(graph, splits, wrong)).toThrow("train: factor must be in (0, 1], got 2");
});

test("an empty split is refused", () => {
  const val = { ...splits.val, count: 0 };
  expect(() => trainGraph(graph, { ...splits, val }, options)).toThrow(
    "val samples must be >= 1, got 0",
  );
});
