/** The learning rate against an independent implementation; golden/ names the tool. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { rateAt } from "./schedule.ts";

const golden = JSON.parse(
  readFileSync(new URL("golden/schedules.json", import.meta.url), "utf8"),
) as Readonly<Record<string, readonly number[]>> & { tool: string; rate: number };

test.each([
  ["cosine", 0, { kind: "cosine" }],
  ["cosineAfterFourStepsOfWarmUp", 4, { kind: "cosine" }],
  ["timesAThirdEverySixSteps", 0, { kind: "step", stepEpochs: 3, factor: 1 / 3 }],
] as const)(`the schedule "%s" is that of ${golden.tool}`, (name, warmupSteps, schedule) => {
  const course = { schedule, rate: golden.rate, warmupSteps, epochSteps: 2, epochs: 10 };
  golden[name].forEach((expected, step) => {
    expect(rateAt(step, course)).toBeCloseTo(expected, 8);
  });
});
