import { expect, test } from "vitest";
import { random } from "../tensor/index.ts";
import { prepareAudio } from "./prepare.ts";
import { defaultAudioSpec } from "./spec.ts";

const spec = defaultAudioSpec({ sampleRateHz: 16000 });

/** The first samples of a clip of the given values. */
function prepared(values: readonly number[]): Int16Array {
  const samples = Float32Array.from(values);
  return prepareAudio({ samples, sampleRateHz: 16000 }, spec).subarray(0, values.length);
}

test("samples are rounded to nearest, halves up, and clamped", () => {
  const tie = (k: number): number => (k + 0.5) / 32768;
  const next = 2 ** -24 / 32768;
  expect([
    ...prepared([0, tie(0), tie(-1), tie(7), tie(-8), tie(32766), tie(32767), tie(-32768)]),
  ]).toEqual([0, 1, 0, 8, -7, 32767, 32767, -32767]);
  expect([...prepared([tie(0) - next, tie(-1) - 2 * next, -1e-30])]).toEqual([0, -1, 0]);
  expect([...prepared([1, -1, 1.5, -1.5, 1e30, -1e30, Infinity, -Infinity, NaN])]).toEqual([
    32767, -32768, 32767, -32768, 32767, -32768, 32767, -32768, 0,
  ]);
});

test("samples are what Math.round gives", () => {
  const generator = random("prepare");
  const values = Array.from({ length: 16000 }, () => Math.fround(generator.normal() * 0.3));
  const rounded = values.map((x) => Math.max(-32768, Math.min(32767, Math.round(x * 32768))));
  expect([...prepared(values)]).toEqual(rounded.map((value) => value + 0));
});

test("a clip replaces all of the array that it is to go into", () => {
  const into = new Int16Array(spec.samples).fill(7);
  const samples = Float32Array.of(0.5, -0.5);
  expect(prepareAudio({ samples, sampleRateHz: 16000 }, spec, { into })).toBe(into);
  expect([...into.subarray(0, 4)]).toEqual([16384, -16384, 0, 0]);
  expect(into.subarray(2).every((value) => value === 0)).toBe(true);
});
