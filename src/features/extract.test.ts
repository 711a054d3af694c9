import { expect, test } from "vitest";
import type { Audio, Modality, Picture, Reader, Sample } from "../data/index.ts";
import { UserError } from "../errors.ts";
import { random } from "../tensor/index.ts";
import { extractFeatures, fitFrontend } from "./extract.ts";
import { prepareAudio, preparePicture } from "./prepare.ts";
import { defaultAudioSpec, defaultImageSpec } from "./spec.ts";

const modalities: Modality[] = [
  { name: "audio", kind: "audio" },
  { name: "camera", kind: "image" },
];

/** Sample i sounds at 8 kHz, the fourth at 16 kHz, and is a picture of 8x6, the second of 6x8. */
const samples = Array.from({ length: 6 }, (_, i): Sample => {
  const sources = { audio: { path: `${i}.wav` }, camera: { path: `${i}.png` } };
  const rest = { label: "a", split: "train", group: `${i}`, sources, columns: {} } as const;
  return { id: `s${i}`, row: i + 2, ...rest };
});

const reader: Reader = {
  async audio({ id }): Promise<Audio> {
    const generator = random(id);
    const sampleRateHz = id === "s3" ? 16000 : 8000;
    const values = Float32Array.from({ length: sampleRateHz / 2 }, () => generator.normal() * 0.1);
    return { samples: values, sampleRateHz };
  },
  async picture({ id }): Promise<Picture> {
    const generator = random(id);
    const [height, width] = id === "s1" ? [6, 8] : [8, 6];
    const pixels = Uint8Array.from({ length: height * width * 3 }, () => generator.integer(256));
    return { pixels, height, width, channels: 3 };
  },
  async series(): Promise<never> {
    throw new Error("no series here");
  },
};

test("specs follow the most common rate and size of the training data", async () => {
  const frontend = await fitFrontend(reader, samples, { modalities, size: 4 });
  expect(frontend.audio).toMatchObject(defaultAudioSpec({ sampleRateHz: 8000 }));
  const source = { height: 8, width: 6, channels: 3 } as const;
  expect(frontend.camera).toMatchObject(defaultImageSpec({ source, size: 4 }));
  expect(frontend.audio.scaling?.offset.length).toBe(13);
  expect(frontend.camera.scaling?.multiplier.length).toBe(3);
});

test("the training samples' features have mean 0 and a deviation of 32 steps", async () => {
  const seen: number[] = [];
  const onProgress = (done: number, total: number): void => {
    seen.push(done / total);
  };
  const frontend = await fitFrontend(reader, samples, { modalities, onProgress });
  const { audio, camera } = await extractFeatures(reader, samples, { frontend, onProgress });
  expect(audio.shape).toEqual([44, 13, 1]);
  expect(audio.data.length).toBe(6 * 44 * 13);
  expect(camera.data.length).toBe(6 * 32 * 32 * 3);
  const { length } = camera.data;
  const mean = camera.data.reduce((sum, value) => sum + value, 0) / length;
  const square = camera.data.reduce((sum, value) => sum + value ** 2, 0) / length;
  expect(Math.abs(mean)).toBeLessThan(0.5);
  expect(Math.sqrt(square)).toBeGreaterThan(31.5);
  expect(Math.sqrt(square)).toBeLessThan(32.5);
  expect(seen.filter((part) => part === 1).length).toBe(2);
  expect(seen.length).toBe(24);
});

test("equal data gives equal front-ends and features", async () => {
  const [first, second] = await Promise.all([
    fitFrontend(reader, samples, { modalities }),
    fitFrontend(reader, samples, { modalities }),
  ]);
  expect(JSON.stringify(first)).toBe(JSON.stringify(second));
  const sets = await Promise.all(
    [first, second].map((f) => extractFeatures(reader, samples, { frontend: f })),
  );
  expect(sets[0]).toEqual(sets[1]);
});

test("a given spec is kept and only its scaling is fitted", async () => {
  const spec = defaultAudioSpec({ sampleRateHz: 8000, kind: "log-mel", durationS: 0.25 });
  const [audio] = modalities;
  const frontend = await fitFrontend(reader, samples, {
    modalities: [audio],
    specs: { audio: spec },
  });
  expect(frontend.audio).toEqual({ ...spec, scaling: frontend.audio.scaling });
});

test("a sample without a wanted modality is refused by row", async () => {
  const lacking = samples.map((sample, i) =>
    i === 4 ? { ...sample, sources: { audio: { path: "4.wav" } } } : sample,
  );
  const fitting = fitFrontend(reader, lacking, { modalities });
  await expect(fitting).rejects.toThrow(UserError);
  await expect(fitting).rejects.toThrow("manifest.csv row 6: sample s4 must have camera, got none");
});

test("sound becomes s16 of the clip's length: clamped, padded, cut", () => {
  const spec = { ...defaultAudioSpec({ sampleRateHz: 8000 }), samples: 4 };
  const clip = (values: number[]): number[] => [
    ...prepareAudio({ samples: Float32Array.from(values), sampleRateHz: 8000 }, spec),
  ];
  expect(clip([0.5, -1])).toEqual([16384, -32768, 0, 0]);
  expect(clip([1.5, 1, -2, 2 ** -16, 0.25])).toEqual([32767, 32767, -32768, 1]);
});

test("a long recording at another rate gives what all of it would give", () => {
  const generator = random("long");
  const spec = { ...defaultAudioSpec({ sampleRateHz: 16000 }), samples: 1000 };
  const values = Float32Array.from({ length: 40000 }, () => generator.normal() * 0.2);
  const whole = prepareAudio({ samples: values, sampleRateHz: 44100 }, { ...spec, samples: 14000 });
  const start = prepareAudio({ samples: values, sampleRateHz: 44100 }, spec);
  expect(start).toEqual(whole.subarray(0, 1000));
});

test("a picture of another size is brought to the source's by the same kernel", () => {
  const spec = defaultImageSpec({ source: { height: 2, width: 2, channels: 1 } });
  const pixels = Uint8Array.from([10, 20, 30, 40]);
  expect(preparePicture({ pixels, height: 2, width: 2, channels: 1 }, spec)).toBe(pixels);
  const wide = Uint8Array.from([0, 10, 20, 30, 40, 50, 60, 70]);
  const fitted = preparePicture({ pixels: wide, height: 2, width: 4, channels: 1 }, spec);
  expect([...fitted]).toEqual([5, 25, 45, 65]);
});
