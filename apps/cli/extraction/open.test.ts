/** What a cached feature is known by, in this process: nothing of it comes back for other files. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openReader, readDataset } from "../../../src/data/index.ts";
import { defaultImageSpec } from "../../../src/features/index.ts";
import type { Context } from "../context.ts";
import { openExtraction } from "./open.ts";

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tinym2net-open-"));
  await writeFile(join(root, "a.pgm"), "P2 2 1 255 100 150");
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Pixels of a grey picture, of which the manifest says these attributes. */
async function pixels(attributes: string): Promise<number[]> {
  const header = "id,label,split,group,image,image_low,image_high";
  await writeFile(join(root, "manifest.csv"), `${header}\n1,x,train,g,a.pgm,${attributes}\n`);
  const dataset = await readDataset(root);
  const reporter = { stage() {}, update() {}, done() {}, stop() {}, line() {} };
  const environment = { TINYM2NET_CACHE: join(root, "cache") };
  const context = { environment, reporter, now: () => 0 } as unknown as Context; // what it reads
  const reader = openReader(dataset);
  const { extract, close } = openExtraction(context, dataset, { reader, threads: 1, cache: true });
  const source = { height: 1, width: 2, channels: 1 } as const;
  const spec = { ...defaultImageSpec({ source }), height: 1, width: 2 };
  const found: number[] = [];
  const take = (_: number, values: Int32Array): void => void found.push(...values);
  await extract(dataset.samples, { modality: "image", work: { op: "raw", spec }, take });
  close();
  return found;
}

test("a picture is another one by another range of counts", async () => {
  const whole = await pixels(",");
  const narrow = await pixels("100,164");
  expect(narrow).not.toEqual(whole);
  expect(await pixels(",")).toEqual(whole);
  expect(await pixels("100,164")).toEqual(narrow);
});
