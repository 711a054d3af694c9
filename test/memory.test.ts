/** How much memory a training takes, and that it takes no more the longer it goes on. */

import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

/** Run a program against the built package; it prints one JSON value. */
function run(program: string): number[] {
  const root = new URL("..", import.meta.url).href;
  const source = `
    const { features, kernel, model, tensor } = await import(${JSON.stringify(root)} + "dist/src/index.js");
    const fused = kernel.hasFusedMultiplyAdd();
    const prepared = async (name, inputs, batch) => {
      const graph = model.preset(name, { inputs, classes: ["a", "b", "c", "d"] });
      const options = { batch, inputScale: features.FEATURE_SCALE, fused };
      const runner = await tensor.compileTrainingThreads(graph, options, 2);
      const weights = Object.entries(model.initialWeights(graph, 1));
      for (const [key, values] of weights) runner.view(key).set(values);
      runner.view("$weight").fill(1 / batch);
      return (step) => {
        runner.view("$counter").set([1, step]);
        runner.view("$hyper").set([1e-3, 1 - 0.9 ** step, 1 - 0.999 ** step, 0]);
        runner.run();
        if (!Number.isFinite(runner.view("$loss")[0])) throw new Error("the loss is not finite");
      };
    };
    ${program}
    process.exit(0);`;
  const flags = ["--expose-gc", "--input-type=module", "--eval", source];
  return JSON.parse(execFileSync(process.execPath, flags, { encoding: "utf8" }));
}

const MEGABYTE = 2 ** 20;

test("training the preset at batch 64 on two threads stays below 220 MB of resident memory", () => {
  const [before, peak] = run(`
    const before = process.memoryUsage.rss();
    const step = await prepared("tinym2net", [
      { name: "audio", shape: [44, 13, 1] },
      { name: "image", shape: [32, 32, 3] },
    ], 64);
    for (let i = 1; i <= 6; i++) step(i);
    console.log(JSON.stringify([before, process.resourceUsage().maxRSS * 1024]));`);
  expect(before).toBeLessThan(120 * MEGABYTE);
  expect(peak).toBeGreaterThan(before);
  expect(peak).toBeLessThan(220 * MEGABYTE);
});

test("a thousand steps leave the heap, array buffers and resident memory as they were", () => {
  const [heap, buffers, resident] = run(`
    const step = await prepared("ds-cnn", [{ name: "audio", shape: [20, 10, 1] }], 8);
    const used = () => {
      gc();
      const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
      return [heapUsed, arrayBuffers, rss];
    };
    for (let i = 1; i <= 200; i++) step(i);
    const before = used();
    for (let i = 201; i <= 1200; i++) step(i);
    console.log(JSON.stringify(used().map((value, i) => value - before[i])));`);
  expect(heap).toBeLessThan(MEGABYTE / 4);
  expect(buffers).toBeLessThan(1024);
  expect(resident).toBeLessThan(8 * MEGABYTE);
});
