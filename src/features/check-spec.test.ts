import { expect, test } from "vitest";
import { UserError } from "../errors.ts";
import { checkSpec } from "./check-spec.ts";
import { frontendRoutine } from "./frontend.ts";
import {
  type AudioSpec,
  defaultAudioSpec,
  defaultImageSpec,
  type FeatureSpec,
  type ImageSpec,
} from "./spec.ts";

const audio = defaultAudioSpec({ sampleRateHz: 16000 });
const image = defaultImageSpec({ source: { height: 64, width: 64, channels: 3 } });

test("the defaults are accepted, and come back unchanged from JSON", () => {
  for (const spec of [audio, image, defaultAudioSpec({ sampleRateHz: 8000, kind: "log-mel" })]) {
    checkSpec(JSON.parse(JSON.stringify(spec)) as FeatureSpec, "x");
    expect(JSON.parse(JSON.stringify(spec))).toEqual(spec);
  }
});

const wrongAudio: [Partial<Record<keyof AudioSpec, unknown>>, string][] = [
  [{ kind: "mfc" }, "did you mean mfcc?"],
  [{ sampleRateHz: 0 }, "sampleRateHz must be an integer in [1, 1000000], got 0"],
  [{ samples: 1.5 }, "samples must be an integer"],
  [{ windowSamples: 1000 }, "windowSamples must be a power of two, got 1000"],
  [{ windowSamples: 65536 }, "windowSamples must be an integer in [32, 16384], got 65536"],
  [{ hopSamples: -1 }, "hopSamples must be an integer"],
  [{ center: "yes" }, "center must be true or false, got yes"],
  [{ center: false, samples: 1000 }, "samples must be at least windowSamples (1024), got 1000"],
  [{ mels: 0 }, "mels must be an integer in [1, 128], got 0"],
  [
    { mels: 120, windowSamples: 256 },
    "mels must be few enough that every band holds a bin (band 0 has none), got 120",
  ],
  [{ melScale: "bark" }, "melScale must be slaney or htk, got bark"],
  [{ lowHz: 9000 }, "lowHz must be in [0, highHz), got 9000"],
  [{ highHz: 8001 }, "highHz must be at most half of sampleRateHz (8000), got 8001"],
  [{ coefficients: 41 }, "coefficients must be an integer in [1, 40], got 41"],
  [{ coefficients: undefined }, "coefficients must be an integer in [1, 40], got nothing"],
  [{ kind: "log-mel" }, "coefficients must be left out for log-mel, got 13"],
  [{ scaling: { offset: [0], multiplier: [1] } }, "scaling.offset must be 13 integers, got 1"],
];

test.each(wrongAudio)("audio with %o is refused", (change, message) => {
  const spec = { ...audio, ...change } as AudioSpec;
  expect(() => checkSpec(spec, "audio")).toThrow(UserError);
  expect(() => checkSpec(spec, "audio")).toThrow(message);
});

const ones = (value: number): number[] => [value, value, value];
const wrongImage: [Partial<Record<keyof ImageSpec, unknown>>, string][] = [
  [{ height: 0 }, "features of image: height must be an integer in [1, 32767], got 0"],
  [{ crop: { top: 0, left: 60, height: 8, width: 8 } }, "crop.width must be an integer in [1, 4]"],
  [{ crop: { top: 64, left: 0, height: 1, width: 8 } }, "crop.top must be an integer in [0, 63]"],
  [{ channels: 4 }, "channels must be 1 (grey) or 3 (RGB), got 4"],
  [{ source: undefined }, "source.height must be an integer in [1, 32767], got nothing"],
  [{ resize: "nearest" }, "resize must be area or bilinear, got nearest"],
  [{ source: { height: 2999, width: 3001, channels: 3 } }, "source must be a size with a simpler"],
  [{ scaling: { offset: ones(0), multiplier: ones(2 ** 28) } }, "scaling.multiplier must be an"],
];

test.each(wrongImage)("an image with %o is refused", (change, message) => {
  const spec = { ...image, ...change } as ImageSpec;
  expect(() => checkSpec(spec, "image")).toThrow(UserError);
  expect(() => checkSpec(spec, "image")).toThrow(message);
});

test("scaled features need a fitted scaling", () => {
  expect(() => frontendRoutine("audio", audio)).toThrow(
    'frontendRoutine: scaling of audio must be fitted, got "none"',
  );
});

test("a front-end's storage bears the modality's name", () => {
  const { storage } = frontendRoutine("microphone", audio, "raw");
  const [input, ...others] = storage;
  expect(input).toMatchObject({ name: "microphone", type: "s16", shape: [16000], role: "input" });
  expect(others.every(({ name }) => name.startsWith("microphone."))).toBe(true);
  expect(others.at(-1)).toMatchObject({
    name: "microphone.features",
    type: "s32",
    shape: [44, 13, 1],
    role: "output",
  });
});
