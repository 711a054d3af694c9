import { describe, expect, test } from "vitest";
import { needs } from "../../test/capabilities.ts";
import { samplesOf, tinyProduct } from "../../test/tiny-product.ts";
import { constantBytes, flashParts } from "../deploy/index.ts";
import { measureBuilds, measureInstructions, measureLatency } from "./measure.ts";
import { codeReading, stackReading } from "./sections.ts";

const [sample] = samplesOf(tinyProduct, 1);
const nothing = { environment: { PATH: "" } };

test("WebAssembly is timed in this process", async () => {
  const { latencyMs, fastestMs, slowestMs, runs } = await measureLatency(
    tinyProduct,
    "wasm",
    sample,
  );
  expect(runs).toBe(50);
  expect(latencyMs.value).toBeGreaterThan(0);
  expect(fastestMs).toBeLessThanOrEqual(latencyMs.value ?? 0);
  expect(slowestMs).toBeGreaterThanOrEqual(latencyMs.value ?? 0);
});

test("C is timed inside one process of this host", needs("cc"), async () => {
  const { latencyMs, runs } = await measureLatency(tinyProduct, "portable", sample, { runs: 9 });
  expect(runs).toBe(9);
  expect(latencyMs).toMatchObject({
    value: expect.any(Number),
    on: expect.stringContaining("host"),
  });
});

test("instructions are the same in every count", needs("cc", "valgrind"), async () => {
  const first = await measureInstructions(tinyProduct, sample);
  expect(first.value).toBeGreaterThan(1000);
  expect(await measureInstructions(tinyProduct, sample)).toEqual(first);
});

test("code and stack of this host are measured", needs("cc"), async () => {
  const [host] = await measureBuilds(tinyProduct);
  expect(host.codeBytes.value).toBeGreaterThan(100);
  expect(host.codeBytes.value).toBeLessThan(4000);
});

test("on Cortex-M4 the estimate of code is within a quarter", needs("arm-gcc"), async () => {
  const [, arm] = await measureBuilds(tinyProduct);
  const estimated = flashParts(tinyProduct)
    .filter(({ part }) => part === "code" || part === "class names")
    .reduce((sum, { bytes }) => sum + bytes, 0);
  expect(arm.codeBytes.value).toBeGreaterThan(estimated * 0.75);
  expect(arm.codeBytes.value).toBeLessThan(estimated * 1.25);
  expect(arm.stackBytes.value).toBeGreaterThan(0);
  expect(arm.stackBytes.value).toBeLessThan(300);
});

describe("without tools there is a reason instead of a number", () => {
  test.each([
    [
      "time",
      async () => (await measureLatency(tinyProduct, "portable", sample, nothing)).latencyMs,
    ],
    ["instructions", () => measureInstructions(tinyProduct, sample, nothing)],
    ["code", async () => (await measureBuilds(tinyProduct, nothing))[0].codeBytes],
    ["stack", async () => (await measureBuilds(tinyProduct, nothing))[1].stackBytes],
  ])("%s", async (_what, measured) => {
    expect(await measured()).toEqual({ value: null, reason: expect.stringMatching(/on PATH/) });
  });
});

test("code is text and read-only data without the constants", () => {
  const rows = ["core.o  :", ".text  1000  0", ".text.cold 20 0", ".data  7 0", ".rodata 600 0"];
  const table = rows.join("\n");
  const stdout = new TextEncoder().encode(table);
  const reading = codeReading(tinyProduct, { code: 0, stdout, stderr: "" }, "here");
  expect(reading).toEqual({ value: 1620 - constantBytes(tinyProduct), on: "here" });
  expect(codeReading(tinyProduct, { code: 1, stdout, stderr: "" }, "here").value).toBeNull();
});

test("stack is that of run, its deepest kernel and the deepest support function", () => {
  const usage = [
    "tiny_2_net.c:1:23:mul_shift\t8\tstatic",
    "tiny_2_net.c:9:13:conv2d\t72\tstatic",
    "tiny_2_net.c:9:13:dense.constprop.0\t40\tstatic",
    "tiny_2_net.c:99:6:tiny_2_net_run\t24\tstatic",
  ].join("\n");
  expect(stackReading("tiny_2_net_run", usage, "here")).toEqual({ value: 24 + 72 + 8, on: "here" });
  expect(
    stackReading("tiny_2_net_run", usage.replace("8\tstatic", "8\tdynamic"), "here").value,
  ).toBeNull();
});
