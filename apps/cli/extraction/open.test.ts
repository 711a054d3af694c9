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

const source = { height: 1, width: 2, channels: 1 } as const;
const spec = { ...defaultImageSpec({ source }), height: 1, width: 2 };

/** A dataset of pictures, each with what the manifest says of it. */
async function opened(...rows: string[]) {
  const header = "id,label,split,group,image,image_low,image_high";
  const lines = rows.map((row, i) => `${i},x,train,g,${row}`);
  await writeFile(join(root, "manifest.csv"), `${[header, ...lines].join("\n")}\n`);
  const dataset = await readDataset(root);
  const reporter = { stage() {}, update() {}, done() {}, stop() {}, line() {} };
  const environment = { TINYM2NET_CACHE: join(root, "cache") };
  const context = { environment, reporter, now: () => 0 } as unknown as Context; // what it reads
  const reader = openReader(dataset);
  return { dataset, ...openExtraction(context, dataset, { reader, threads: 1, cache: true }) };
}

/** Pixels of a grey picture, of which the manifest says these attributes. */
async function pixels(attributes: string): Promise<number[]> {
  const { dataset, extract, close } = await opened(`a.pgm,${attributes}`);
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

test("a scaling is fitted once to the same pictures in the same order, and anew to others", async () => {
  await writeFile(join(root, "b.pgm"), "P2 2 1 255 7 9");
  const fitted: number[] = [];
  const scaling = async (...rows: string[]) => {
    const { dataset, refit, close } = await opened(...rows);
    const found = await refit(dataset.samples, { modality: "image", spec }, async () => {
      fitted.push(fitted.length);
      return { offset: [-fitted.length], multiplier: [2 ** 27] };
    });
    close();
    return found;
  };
  const first = { offset: [-1], multiplier: [2 ** 27] };
  expect(await scaling("a.pgm,,", "b.pgm,,")).toEqual(first);
  expect(await scaling("a.pgm,,", "b.pgm,,")).toEqual(first);
  expect(await scaling("b.pgm,,", "a.pgm,,")).toEqual({ ...first, offset: [-2] });
  expect(await scaling("a.pgm,100,164", "b.pgm,,")).toEqual({ ...first, offset: [-3] });
  await writeFile(join(root, "b.pgm"), "P2 2 1 255 8 9");
  expect(await scaling("a.pgm,,", "b.pgm,,")).toEqual({ ...first, offset: [-4] });
  expect(fitted.length).toBe(4);
});
