/** Every example runs as its README says. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { battlefield, writeDataset } from "../src/data/index.ts";

const folder = mkdtempSync(join(tmpdir(), "tinym2net-examples-"));
const dataset = join(folder, "battlefield");

beforeAll(async () => {
  const samples = battlefield({ perClass: { train: 6, val: 2, test: 2 } });
  await writeDataset(dataset, { samples });
});
afterAll(() => rmSync(folder, { recursive: true }));

test("fuse-two-sensors goes from recordings to C, and WebAssembly is equal", () => {
  const program = "dist/examples/fuse-two-sensors/main.js";
  const out = join(folder, "firmware");
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, dataset, out, "1"], {
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  expect(stdout).toContain("WebAssembly equal: true");
  expect(readdirSync(out)).toContain("example.c");
});
