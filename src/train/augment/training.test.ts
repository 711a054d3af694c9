/** Training with augmentation: resumed to the same bytes, never on validation, nothing at strength 0. */

import { expect, test } from "vitest";
import type { Graph } from "../../model/index.ts";
import { random } from "../../tensor/index.ts";
import { packCheckpoint, unpackCheckpoint } from "../checkpoint.ts";
import { trainGraph } from "../fit.ts";
import { meanLoss, predictor } from "../predict.ts";
import { type Augmentable, augmentation } from "./draw.ts";
import type { AugmentSpec } from "./spec.ts";

const graph: Graph = {
  inputs: [
    { name: "x", shape: [6, 6, 1] },
    { name: "y", shape: [6, 6, 1] },
  ],
  classes: ["left", "right"],
  layers: [
    { op: "flatten", name: "a", inputs: ["x"] },
    { op: "flatten", name: "b", inputs: ["y"] },
    { op: "concat", name: "both", inputs: ["a", "b"] },
    { op: "dense", name: "hidden", inputs: ["both"], units: 8, bias: true },
    { op: "relu", name: "relu", inputs: ["hidden"] },
    { op: "dense", name: "out", inputs: ["relu"], units: 2, bias: true },
  ],
};
const picture: Augmentable = {
  kind: "image",
  shape: [6, 6, 1],
  missing: new Int8Array(36).fill(-128),
};
const modalities = { x: picture, y: picture };

function examples(count: number, seed: string) {
  const generator = random(seed);
  const labels = Int32Array.from({ length: count }, (_, i) => (i % 3 === 0 ? 1 : 0));
  const noisy = (): Int8Array =>
    Int8Array.from({ length: count * 36 }, (_, i) => {
      const isBright = Math.floor((i % 6) / 3) === labels[Math.floor(i / 36)];
      return Math.round(generator.normal() * 30 + (isBright ? 20 : 0));
    });
  const ids = Array.from(labels, (_, i) => `${seed}${i}`);
  return { count, inputs: { x: noisy(), y: noisy() }, labels, groups: ids, ids };
}

const splits = { train: examples(48, "train"), val: examples(24, "val") };
const options = { epochs: 3, seed: 5, inputScale: 1 / 32, batch: 16, rate: 1e-2 };
const strong: AugmentSpec = {
  image: { flip: 0.2, cropPixels: 1, cutout: 0.4 },
  mixup: 0.3,
  modalityDropout: 0.2,
};
const augmented = (spec: AugmentSpec) => {
  const { ids } = splits.train;
  return { ...options, augment: augmentation(splits.train, spec, { seed: 5, modalities, ids }) };
};

function trained(fitting: Parameters<typeof trainGraph>[2], steps = Number.POSITIVE_INFINITY) {
  const training = trainGraph(graph, splits, fitting);
  for (let i = 0; i < steps && !training.steps.next().done; i++);
  return training;
}

test("a training with augmentation, stopped anywhere, goes on to the same bytes", () => {
  const whole = packCheckpoint(trained(augmented(strong)).checkpoint());
  expect(whole).not.toEqual(packCheckpoint(trained(options).checkpoint()));
  for (const steps of [1, 3, 5]) {
    const bytes = packCheckpoint(trained(augmented(strong), steps).checkpoint());
    const saved = unpackCheckpoint(bytes, "checkpoint");
    const rest = trainGraph(graph, splits, augmented(strong), saved);
    for (const _ of rest.steps);
    expect(packCheckpoint(rest.checkpoint())).toEqual(whole);
  }
});

test("augmentation of strength 0 trains to the bytes of none", () => {
  const none = packCheckpoint(trained(options).checkpoint());
  expect(packCheckpoint(trained(augmented({})).checkpoint())).toEqual(none);
});

test("validation is scored on the samples as they are", () => {
  const before = structuredClone(splits);
  const training = trained(augmented(strong));
  const { weights, record } = training.best();
  const scores = predictor(graph, options).scores(weights, splits.val);
  expect(record.valLoss).toBe(meanLoss(scores, splits.val.labels, 2));
  expect(splits).toEqual(before);
});

test("a mixed sample's labels keep the weights of their classes", () => {
  // both classes of a batch in one mixed sample: the loss is the weighted mean of the plain ones
  const { train } = splits;
  const half = (other: number, otherShare: number) => (index: number) => ({
    inputs: { x: train.inputs.x.slice(0, 36), y: train.inputs.y.slice(0, 36) },
    other: other < 0 ? index : other,
    otherShare,
  });
  const lossOf = (augment: ReturnType<typeof half>): number => {
    const training = trainGraph(graph, splits, { ...options, batch: 48, augment });
    const { value } = training.steps.next();
    if (value === undefined) throw new Error("no step");
    return value.loss;
  };
  // labels: sample 0 is of the rare class (weight 1.5), sample 1 of the other (weight 0.75)
  const [rare, common] = [lossOf(half(0, 1)), lossOf(half(1, 1))];
  const plain = lossOf(half(-1, 0));
  expect(plain).toBeCloseTo((rare + common) / 2, 5);
  const [w0, w1] = [1.5, 0.75];
  const expected =
    (16 * (w0 * rare) + 32 * ((w1 * common + w0 * rare) / 2)) / (16 * w0 + 32 * ((w1 + w0) / 2));
  expect(lossOf(half(0, 0.5))).toBeCloseTo(expected, 5);
});
