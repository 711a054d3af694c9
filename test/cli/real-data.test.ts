/** `data --json` on the developer data sets. Needs the capability `data`. */

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { dataFolder, needs } from "../capabilities.ts";
import { json } from "./workplace.ts";

describe("data", needs("data"), () => {
  test.each([
    ["drone-av", ["background", "drone", "helicopter"], { train: 2055, val: 442, test: 882 }, 3],
    ["av-digits", [..."0123456789"], { train: 5500, val: 900, test: 1800 }, 0],
    ["covid-cough", ["negative", "positive"], { train: 292, val: 52, test: 80 }, 0],
    ["coswara-pairs", ["female", "male"], { train: 160, val: 40, test: 57 }, 0],
  ])(
    "finds %s usable, with the classes and splits of its README",
    async (name, classes, samples, code) => {
      const result = await json(["data", join(dataFolder, name), "--strict", "--quiet"], code);
      expect(result).toMatchObject({ classes, samples });
      const problems = result.problems as { severity: string; message: string }[];
      expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
      // drone-av: thermal clips of one flight, cut between two frames, lie in train and val
      expect(result.serious).toEqual(code === 3 ? ["near copy in two splits"] : []);
    },
    120_000,
  );
});
