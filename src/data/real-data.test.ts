/** The developer data sets, read as they are. Needs the capability `data`. */

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { dataFolder, needs } from "../../test/capabilities.ts";
import { countSplits, readDataset } from "./read.ts";
import { openReader } from "./reader.ts";

describe("real datasets", needs("data"), () => {
  test.each([
    ["drone-av", { train: 2055, val: 442, test: 882 }, ["class-matched pairs"]],
    ["av-digits", { train: 5500, val: 900, test: 1800 }, []],
    ["covid-cough", { train: 292, val: 52, test: 80 }, []],
    ["coswara-pairs", { train: 160, val: 40, test: 57 }, ["class imbalance"]],
  ])("%s has the counts of its README, and its known warnings", async (name, splits, kinds) => {
    const dataset = await readDataset(join(dataFolder, name));
    expect(countSplits(dataset.samples)).toEqual(splits);
    expect(dataset.problems.map(({ kind }) => kind)).toEqual(kinds);
  });

  test("drone-av gives colour, grey and one second of sound", async () => {
    const dataset = await readDataset(join(dataFolder, "drone-av"));
    const reader = openReader(dataset);
    const sample = dataset.samples[100];
    const image = await reader.picture(sample, "image");
    const thermal = await reader.picture(sample, "thermal");
    expect([image.channels, thermal.channels, thermal.height, thermal.width]).toEqual([
      3, 1, 64, 64,
    ]);
    expect((await reader.audio(sample, "audio")).samples).toHaveLength(16000);
  });
});
