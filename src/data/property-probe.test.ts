/** Labels that follow from a property, and those that do not. */

import { describe, expect, test } from "vitest";
import { random } from "../tensor/index.ts";
import { encodingOf } from "./encoding.ts";
import { type Observation, probeProperties } from "./property-probe.ts";
import { encodeWav } from "./wav.ts";

/** Observations of two classes in turn, each a group of its own. */
function observe(count: number, property: (i: number) => number | string): Observation[] {
  return Array.from({ length: count }, (_, i) => ({
    ...{ id: `s${i}`, label: "xy"[i % 2], group: `g${i}` },
    properties: { property: property(i) },
  }));
}

describe("a property that gives the label away is told", () => {
  test.each<[string, (i: number) => number | string]>([
    ["a rate of each class", (i) => [8000, 16_000][i % 2]],
    ["an encoder of each class", (i) => ["wav", "png"][i % 2]],
    ["a threshold", (i) => (i % 2) * 1000 + i],
    ["a band in the middle", (i) => (i % 2 ? 1000 + i : 2000 * Math.floor((i % 4) / 2) + i)],
  ])("%s", (_, property) => {
    const [shortcut] = probeProperties(observe(60, property));
    expect(shortcut.balancedAccuracy).toBeGreaterThan(0.9);
    expect(shortcut.examples.map(({ label }) => label)).toEqual(["x", "y"]);
  });
});

test("properties dealt by chance are hardly ever told", () => {
  const told = Array.from({ length: 40 }, (_, seed) => {
    const generator = random(seed);
    return probeProperties(observe(30, () => generator.next())).length;
  });
  expect(told.reduce((sum, count) => sum + count, 0)).toBe(0);
});

test("many samples of few recordings prove nothing", () => {
  const few = observe(400, (i) => (i % 2) + (i % 8)).map((each, i) => ({
    ...each,
    group: `${i % 8}`,
  }));
  expect(probeProperties(few)).toEqual([]);
});

test("the encoding is read from the file, not from its name", () => {
  const wav = encodeWav(new Float32Array(10), 8000);
  expect(encodingOf(wav, "a.flac")).toBe("wav, format 1, 16 bits, 1 channels");
  expect(encodingOf(wav.subarray(0, 15), "a.WAV")).toBe("wav");
  expect(encodingOf(new Uint8Array(0), "a.ogg")).toBe("ogg");
});
