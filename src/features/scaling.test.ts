import { expect, test } from "vitest";
import { fitScaling } from "./scaling.ts";
import { type AudioSpec, defaultAudioSpec, type ImageSpec } from "./spec.ts";

const audio: AudioSpec = {
  ...defaultAudioSpec({ sampleRateHz: 16000 }),
  samples: 368,
  mels: 3,
  coefficients: 2,
};
const grey: ImageSpec = {
  kind: "image",
  height: 1,
  width: 4,
  channels: 1,
  source: { height: 1, width: 4, channels: 1 },
  resize: "area",
};

test("each coefficient has its own mean and deviation", () => {
  // Coefficient 0: 0, 200, 0, 200; coefficient 1: 50 everywhere but for 16.
  const raw = [Int32Array.from([0, 66, 200, 34]), Int32Array.from([0, 66, 200, 34])];
  const { offset, multiplier } = fitScaling(raw, audio);
  expect(offset).toEqual([100, 50]);
  expect(multiplier).toEqual([Math.round((32 / 100) * 2 ** 24), 2 * 2 ** 24]);
});

test("a picture's axis of scaling is its colour", () => {
  const { offset, multiplier } = fitScaling([Int32Array.from([8, 24, 8, 24])], grey);
  expect(offset).toEqual([16]);
  expect(multiplier).toEqual([4 * 2 ** 24]);
  const raw = Int32Array.from([10, 20, 30, 10, 20, 30, 10, 20, 30, 10, 20, 30]);
  expect(fitScaling([raw], { ...grey, channels: 3 }).offset).toEqual([10, 20, 30]);
});

test("a constant channel is taken to deviate by 4 steps", () => {
  const { offset, multiplier } = fitScaling([Int32Array.from([7, 7, 7, 7])], grey);
  expect(offset).toEqual([7]);
  expect(multiplier).toEqual([8 * 2 ** 24]);
});

test("no samples are refused", () => {
  expect(() => fitScaling([], grey)).toThrow("fitScaling: samples must be at least one, got 0");
});
