/** Equal nets are compiled once, and never share what they have learned. */

import { expect, test } from "vitest";
import {
  compileCache,
  compileInference,
  compileTraining,
  compileTrainingThreads,
} from "./compile.ts";
import type { Net } from "./net.ts";

const netOf = (units: number): Net => ({
  inputs: [{ name: "x", shape: [6] }],
  layers: [
    { op: "dense", name: "hidden", inputs: ["x"], units, bias: true },
    { op: "relu", name: "active", inputs: ["hidden"] },
    { op: "dense", name: "out", inputs: ["active"], units: 2, bias: true },
  ],
});
const options = { batch: 4, inputScale: 1 / 32 };

test("an equal net finds its program and module, another one does not", () => {
  const cache = compileCache();
  compileTraining(netOf(3), { ...options, cache });
  compileTraining(netOf(3), { ...options, cache });
  expect(cache.programs.size).toBe(1);
  compileTraining(netOf(5), { ...options, cache });
  compileTraining(netOf(3), { ...options, batch: 8, cache });
  compileTraining(netOf(3), { ...options, fused: true, cache });
  compileInference(netOf(3), { ...options, cache });
  compileInference(netOf(3), { ...options, keep: true, cache });
  expect(cache.programs.size).toBe(6);
  const modules = [...cache.programs.values()].map((program) => cache.modules.get(program));
  expect(new Set(modules).size).toBe(6);
});

test("runners of one module have memories of their own", async () => {
  const cache = compileCache();
  const [one, other] = [1, 2].map(() => compileTraining(netOf(3), { ...options, cache }));
  one.view("hidden.weight").fill(1);
  expect([...other.view("hidden.weight")].every((value) => value === 0)).toBe(true);
  const threads = [1, 2].map(() => compileTrainingThreads(netOf(3), { ...options, cache }, 2));
  const [first, second] = await Promise.all(threads);
  first.view("hidden.weight").fill(1);
  for (const runner of [first, second]) runner.view("$hyper").set([0, 1, 1, 0]);
  first.run();
  second.run();
  expect([...second.view("hidden.weight")].every((value) => value === 0)).toBe(true);
  await Promise.all([first.stop(), second.stop()]);
});
