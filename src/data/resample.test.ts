import { describe, expect, test } from "vitest";
import { resample } from "./resample.ts";

const tone = (hz: number, rate: number, seconds: number) =>
  Float32Array.from({ length: rate * seconds }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rate));

/** Level of `x` in dB, without the half second at each end where the filter meets silence. */
function levelDb(x: Float32Array, rate: number): number {
  const inner = x.slice(rate / 2, -rate / 2);
  return 10 * Math.log10(inner.reduce((sum, value) => sum + value * value, 0) / inner.length);
}

describe("44.1 to 16 kHz", () => {
  const rates = { from: 44100, to: 16000 };

  test("a tone of 1 kHz comes out with less than -100 dB of error", () => {
    const out = resample(tone(1000, 44100, 2), rates);
    const ideal = tone(1000, 16000, 2);
    const error = Float32Array.from(out, (value, i) => value - ideal[i]);
    expect(levelDb(ideal, 16000) - levelDb(error, 16000)).toBeGreaterThan(100);
  });

  test("a tone of 9 kHz, above the new limit, is down by 100 dB", () => {
    expect(levelDb(resample(tone(9000, 44100, 2), rates), 16000)).toBeLessThan(-100);
  });
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
