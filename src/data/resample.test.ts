import fc from "fast-check";
import { expect, test } from "vitest";
import { openResampler } from "./resample.ts";

const resample = openResampler();

const tone = (hz: number, rate: number, seconds: number) =>
  Float32Array.from({ length: rate * seconds }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rate));

/** Level of `x` in dB, without the half second at each end where the filter meets silence. */
function levelDb(x: Float32Array, rate: number): number {
  const inner = x.slice(rate / 2, -rate / 2);
  return 10 * Math.log10(inner.reduce((sum, value) => sum + value * value, 0) / inner.length);
}

test("a tone of 9 kHz, above what 16 kHz can hold, is down by 100 dB", () => {
  const out = resample(tone(9000, 44100, 2), { from: 44100, to: 16000 });
  expect(levelDb(out, 16000)).toBeLessThan(-100);
});

test("the length is the exact ratio, rounded up", () => {
  for (const [length, from, to] of [
    [44100, 44100, 16000],
    [1, 48000, 16000],
    [1001, 8000, 16000],
    [1000, 22050, 16000],
    [0, 8000, 16000],
  ]) {
    const expected = Math.ceil((length * to) / from);
    expect(resample(new Float32Array(length), { from, to }).length).toBe(expected);
  }
});

test.each([
  [44100, 16000],
  [48000, 16000],
  [22050, 16000],
  [8000, 16000],
  [11025, 16000],
])("a tone from %d to %d Hz is in place with less than -100 dB of error", (from, to) => {
  const out = resample(tone(1000, from, 2), { from, to });
  const ideal = tone(1000, to, 2);
  const error = ideal.map((value, i) => out[i] - value);
  expect(levelDb(ideal, to) - levelDb(error, to)).toBeGreaterThan(100);
});

test("for any length and rates the length is exact, and filters that were kept change nothing", () => {
  const rate = fc.integer({ min: 1, max: 200 }).map((n) => n * 441);
  const lengths = fc.integer({ min: 0, max: 300 });
  const exact = fc.property(lengths, rate, rate, (length, from, to) => {
    const x = Float32Array.from({ length }, (_, i) => Math.cos(i * i));
    const out = resample(x, { from, to });
    expect(out.length).toBe(Math.ceil((length * to) / from));
    expect(openResampler()(x, { from, to })).toEqual(out);
  });
  fc.assert(exact, { seed: 1, numRuns: 20 });
});

test("rates that share no divisor, or that nobody has, take no memory beyond the sound", () => {
  const ones = new Float32Array(100).fill(1);
  expect(resample(ones, { from: 9999991, to: 16000 })).toHaveLength(1);
  expect(resample(ones, { from: 16001, to: 16000 })).toHaveLength(100);
  expect(() => resample(ones, { from: 1, to: 10 ** 9 })).toThrow(
    "resample: the result must be at most 2^28 samples, got 100000000000",
  );
});

test("a constant stays the constant, up and down", () => {
  for (const rates of [
    { from: 8000, to: 16000 },
    { from: 48000, to: 16000 },
  ]) {
    const out = resample(new Float32Array(4000).fill(0.5), rates);
    const middle = out.subarray(out.length / 2 - 50, out.length / 2 + 50);
    for (const value of middle) expect(value).toBeCloseTo(0.5, 6);
  }
});

test("equal rates give the input, and a rate of zero is refused", () => {
  const samples = Float32Array.of(1, 2);
  expect(resample(samples, { from: 8000, to: 8000 })).toBe(samples);
  expect(() => resample(samples, { from: 0, to: 8000 })).toThrow(
    "resample: from must be a positive integer of Hz, got 0",
  );
});
