import { expect, test } from "vitest";
import { dctBasis, logMelFloat, mfccFloat } from "./audio-definition.ts";
import { melEdges } from "./mel.ts";
import { defaultAudioSpec, featureShape } from "./spec.ts";

const spec = defaultAudioSpec({ sampleRateHz: 16000 });

test("one second at 16 kHz is the paper's 44 x 13", () => {
  expect(featureShape(spec)).toEqual([44, 13, 1]);
  expect(featureShape(defaultAudioSpec({ sampleRateHz: 16000, kind: "log-mel" }))).toEqual([
    44, 40, 1,
  ]);
});

test.each([2000, 8000, 11025, 22050, 44100, 48000])("one second at %i Hz is 44 frames", (rate) => {
  expect(featureShape(defaultAudioSpec({ sampleRateHz: rate }))[0]).toBe(44);
});

test("a silent clip gives the floor of -100 dB in every band", () => {
  expect(new Set(logMelFloat(new Float32Array(16000), spec))).toEqual(new Set([-100]));
});

test("a silent clip has its whole cepstrum in coefficient 0", () => {
  const [first, ...others] = mfccFloat(new Float32Array(16000), spec).subarray(0, 13);
  expect(first).toBeCloseTo(-100 * Math.sqrt(40), 9);
  for (const other of others) expect(other).toBeCloseTo(0, 9);
});

test.each([3, 12, 25, 38])("a tone in the middle of band %i is loudest there", (band) => {
  const hz = melEdges(spec)[band + 1];
  const tone = Float32Array.from({ length: 16000 }, (_, n) =>
    Math.sin((2 * Math.PI * hz * n) / 16000),
  );
  const frame = logMelFloat(tone, spec).subarray(20 * 40, 21 * 40);
  expect(frame.indexOf(Math.max(...frame))).toBe(band);
});

test("a tone of amplitude a has 10 log10((a N / 4)^2 w) decibels in its band", () => {
  // A tone on bin k leaves half of N a under a window of mean 1/2; its neighbours get a quarter of
  // the power each.
  const [k, amplitude] = [100, 0.5];
  const wide = {
    ...spec,
    kind: "log-mel",
    melScale: "htk",
    mels: 1,
    lowHz: 0,
    highHz: 8000,
  } as const;
  const tone = Float64Array.from({ length: 16000 }, (_, n) => {
    return amplitude * Math.sin((2 * Math.PI * k * n) / 1024);
  });
  const edges = melEdges(wide);
  const weight = (bin: number): number => {
    const hz = bin * (16000 / 1024);
    return hz < edges[1] ? hz / edges[1] : (8000 - hz) / (8000 - edges[1]);
  };
  const power = (amplitude * 256) ** 2 * (weight(k) + weight(k - 1) / 4 + weight(k + 1) / 4);
  expect(logMelFloat(tone, wide)[20]).toBeCloseTo(10 * Math.log10(power), 9);
});

test("what lies 80 dB below the maximum can be cut as librosa cuts it", () => {
  const impulse = Float32Array.from({ length: 16000 }, (_, n) => (n === 8000 ? 1 : 0));
  const cut = logMelFloat(impulse, spec, { topDb: 80 });
  const top = cut.reduce((a, b) => Math.max(a, b));
  expect(cut.reduce((a, b) => Math.min(a, b))).toBeCloseTo(top - 80, 9);
});

test("the rows of the DCT are orthonormal", () => {
  const rows = dctBasis(40, 40);
  rows.forEach((row, i) => {
    rows.forEach((other, j) => {
      const product = row.reduce((sum, value, m) => sum + value * other[m], 0);
      expect(product).toBeCloseTo(i === j ? 1 : 0, 12);
    });
  });
});
