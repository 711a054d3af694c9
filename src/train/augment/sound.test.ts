/** Sound and noise: levels by hand and by measurement, identity at strength 0. */

import { expect, test } from "vitest";
import { random } from "../../tensor/index.ts";
import { pinkNoise, recordedNoise, whiteNoise } from "./noise.ts";
import { alterSound, withNoise } from "./sound.ts";

const RATE = 16000;

function tone(amplitude: number, hz = 440): Int16Array {
  const at = (i: number): number => Math.round(amplitude * Math.sin((2 * Math.PI * hz * i) / RATE));
  return Int16Array.from({ length: RATE }, (_, i) => at(i));
}

function power(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, x) => sum + x * x, 0) / values.length;
}

const alter = (
  input: Int16Array,
  augment: Parameters<typeof alterSound>[1],
  { seed = 1, noise = pinkNoise } = {},
): Int16Array => alterSound(input, augment, { sampleRateHz: RATE, generator: random(seed), noise });

const recorded = recordedNoise([tone(9000, 1234), tone(20000, 77)]);

test.each([
  ["white", whiteNoise, -6],
  ["white", whiteNoise, 20],
  ["pink", pinkNoise, 0],
  ["pink", pinkNoise, 15],
  ["recorded", recorded, 3],
] as const)("%s noise is mixed in at the ratio asked for, %# ", (_name, noise, snrDb) => {
  const mixing = { from: "any", snrDb: [snrDb, snrDb], share: 1 } as const;
  for (const amplitude of [300, 3000]) {
    const clip = tone(amplitude);
    const result = alter(clip, { noise: mixing }, { noise });
    const difference = result.map((x, i) => x - clip[i]);
    const measured = 10 * Math.log10(power(clip) / power(difference));
    expect(Math.abs(measured - snrDb)).toBeLessThan(0.1);
  }
});

test("where the sum would not fit, clip and noise are both softer and the ratio holds", () => {
  const clip = Float64Array.from(tone(32000));
  const noise = whiteNoise(RATE, random(3));
  const sum = withNoise(clip, noise, 6);
  expect(sum.reduce((most, x) => Math.max(most, Math.abs(x)), 0)).toBeCloseTo(32767, 6);
  // least squares gives back how much of each is in the sum
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
    Array.from(a).reduce((total, x, i) => total + x * b[i], 0);
  const [cc, nn, cn] = [dot(clip, clip), dot(noise, noise), dot(clip, noise)];
  const [cs, ns] = [dot(clip, sum), dot(noise, sum)];
  const determinant = cc * nn - cn * cn;
  const [a, b] = [(cs * nn - ns * cn) / determinant, (ns * cc - cs * cn) / determinant];
  expect(10 * Math.log10((a * a * cc) / (b * b * nn))).toBeCloseTo(6, 6);
  expect(a).toBeLessThan(1);
});

test("a silent clip and silent noise give the clip as it was", () => {
  const silence = new Float64Array(8);
  expect(withNoise(silence, [1, 2, 3, 4, 5, 6, 7, 8], 0)).toEqual(silence);
  const clip = Float64Array.of(1, -2, 3);
  expect(withNoise(clip, [0, 0, 0], 0)).toEqual(clip);
});

test("strength 0 gives the same samples, extremes included", () => {
  const clip = Int16Array.of(-32768, 32767, 0, 1, -1, 12345);
  const none = { gainDb: 0, shiftS: 0, noise: { from: "pink", snrDb: [0, 0], share: 0 } } as const;
  for (let seed = 0; seed < 20; seed++) {
    expect(alter(clip, none, { seed })).toEqual(clip);
    expect(alter(clip, {}, { seed })).toEqual(clip);
  }
});

test("a gain stays within its range, and too loud saturates", () => {
  const clip = tone(10000);
  for (let seed = 0; seed < 20; seed++) {
    const gain = 10 * Math.log10(power(alter(clip, { gainDb: 6 }, { seed })) / power(clip));
    expect(Math.abs(gain)).toBeLessThan(6.01);
  }
  const loud = alter(Int16Array.of(30000, -30000, 1000), { gainDb: 60 }, { seed: 4 });
  expect([...loud].every((x) => x >= -32768 && x <= 32767)).toBe(true);
});

test("a shift moves a click by at most its range, in both directions, and zeros enter", () => {
  const clip = new Int16Array(RATE);
  clip[8000] = 1000;
  const places = Array.from({ length: 40 }, (_, seed) => {
    const moved = alter(clip, { shiftS: 0.01 }, { seed });
    expect(moved.reduce((sum, x) => sum + Math.abs(x))).toBe(1000);
    return moved.indexOf(1000) - 8000;
  });
  expect(Math.min(...places)).toBeLessThan(0);
  expect(Math.max(...places)).toBeGreaterThan(0);
  expect(Math.max(...places.map(Math.abs))).toBeLessThanOrEqual(160);
});

test("pink noise falls by 3 dB an octave, white noise does not", () => {
  // power in octave bands, by a plain Fourier sum over some bins: white doubles from band to band
  const slope = (noise: Float64Array): number => {
    const bandPower = (low: number): number => {
      let sum = 0;
      for (let k = low; k < 2 * low; k += low / 8) {
        let [re, im] = [0, 0];
        for (let i = 0; i < noise.length; i++) {
          const angle = (2 * Math.PI * k * i) / noise.length;
          re += noise[i] * Math.cos(angle);
          im += noise[i] * Math.sin(angle);
        }
        sum += re * re + im * im;
      }
      return sum / 8;
    };
    const bands = Array.from({ length: 6 }, (_, n) => bandPower(32 * 2 ** n));
    return (10 * Math.log10(bands[5] / bands[0])) / 5;
  };
  const mean = (source: typeof pinkNoise): number =>
    [1, 2, 3, 4].reduce(
      (sum, seed) => sum + slope(Float64Array.from(source(4096, random(seed)))),
      0,
    ) / 4;
  expect(mean(pinkNoise)).toBeCloseTo(-3, 0);
  expect(mean(whiteNoise)).toBeCloseTo(0, 0);
});

test("a recording shorter than the clip is repeated", () => {
  const noise = recordedNoise([Int16Array.of(1, 2, 3)]);
  expect([...Array.from(noise(7, random(1)))]).toEqual([1, 2, 3, 1, 2, 3, 1]);
});
