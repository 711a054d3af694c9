import { expect, test } from "vitest";
import { random } from "../tensor/index.ts";
import { extractor } from "./frontend.ts";
import { scaler } from "./scaler.ts";
import { fitScaling } from "./scaling.ts";
import { defaultAudioSpec, defaultImageSpec, type FeatureSpec, inputShape } from "./spec.ts";

const specs: [string, FeatureSpec][] = [
  ["mfcc", defaultAudioSpec({ sampleRateHz: 8000 })],
  ["log-mel", defaultAudioSpec({ sampleRateHz: 16000, kind: "log-mel", durationS: 0.3 })],
  ["grey pictures", defaultImageSpec({ source: { height: 40, width: 30, channels: 1 }, size: 9 })],
  ["colour pictures", defaultImageSpec({ source: { height: 8, width: 8, channels: 3 }, size: 8 })],
];

test.each(specs)("scaling %s afterwards gives what the front-end gives in one go", (name, spec) => {
  const generator = random(name);
  const size = inputShape(spec).reduce((product, n) => product * n);
  const range = spec.kind === "image" ? [0, 256] : [-32768, 65536];
  const inputs = Array.from({ length: 3 }, () => {
    const values = Array.from({ length: size }, () => range[0] + generator.integer(range[1]));
    return spec.kind === "image" ? Uint8Array.from(values) : Int16Array.from(values);
  });
  const raw = inputs.map(extractor(spec, "raw"));
  const fitted = { ...spec, scaling: fitScaling(raw, spec) };
  const [whole, scaled] = [extractor(fitted), scaler(fitted)];
  for (const [i, input] of inputs.entries()) {
    expect(Int8Array.from(scaled(raw[i]))).toEqual(whole(input));
  }
});

test("extremes are clamped as the kernel clamps them", () => {
  const source = { height: 1, width: 2, channels: 1 } as const;
  const spec = { ...defaultImageSpec({ source, size: 1 }), width: 2 };
  const scaled = scaler({ ...spec, scaling: { offset: [10], multiplier: [8 * 2 ** 24] } });
  expect([...scaled(Int32Array.of(26, 9))]).toEqual([127, -8]);
  expect([...scaled(Int32Array.of(10, -100))]).toEqual([0, -128]);
});

test("a spec without scaling is refused", () => {
  expect(() => scaler(defaultAudioSpec({ sampleRateHz: 8000 }))).toThrow(
    'scaler: scaling must be fitted, got "none"',
  );
});
