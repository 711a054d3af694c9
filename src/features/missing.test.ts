import { expect, test } from "vitest";
import { extractor } from "./frontend.ts";
import { missingFeatures } from "./missing.ts";
import { type AudioSpec, defaultAudioSpec, defaultImageSpec } from "./spec.ts";

test("a missing sound is silence: every band at the floor of -100 dB, scaled as any other", () => {
  const spec: AudioSpec = {
    ...defaultAudioSpec({ sampleRateHz: 4000, durationS: 0.5, kind: "log-mel" }),
    mels: 12,
  };
  expect(new Set(extractor(spec, "raw")(new Int16Array(2000)))).toEqual(new Set([-100 * 65536]));
  // 10 dB below the mean, one step 1/4 dB
  const scaling = { offset: Array(12).fill(-90 * 65536), multiplier: Array(12).fill(2 ** 10) };
  const missing = missingFeatures({ ...spec, scaling });
  expect(missing).toHaveLength(22 * 12);
  expect(new Set(missing)).toEqual(new Set([-40]));
});

test("a missing picture is black", () => {
  const spec = {
    ...defaultImageSpec({ source: { height: 8, width: 8, channels: 3 }, size: 4 }),
    scaling: { offset: [100, 50, 0], multiplier: [2 ** 24, 2 ** 23, 2 ** 24] },
  };
  const missing = missingFeatures(spec);
  expect([...missing.slice(0, 3), missing.length]).toEqual([-100, -25, 0, 48]);
});
