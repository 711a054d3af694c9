/** Cross-validation from the command line: what a run was trained on, it is never scored on. */

import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { readDataset, splitByFold } from "../../src/data/index.ts";
import { cli, json, workplace, writeTiny } from "./workplace.ts";

const place = workplace();
const data = join(place, "tiny");
const run = join(place, "run");
const small = ["--modalities", "image", "--size", "16", "--epochs", "1"];

beforeAll(() => writeTiny(data));

test("a run of a fold is scored on the recordings of that fold, wherever the data lies", async () => {
  await json(["train", data, "--out", run, "--fold", "2/3", ...small]);
  const { samples } = await readDataset(data);
  const splits = splitByFold(samples, { seed: 1, fold: { index: 2, count: 3 } });
  const held = samples.filter((_, i) => splits[i] === "test").map(({ id }) => id);
  expect((await json(["evaluate", run])).ids).toEqual(held);
  expect((await json(["evaluate", run, "--data", data])).ids).toEqual(held);
  const { code, stderr } = await cli(["train", data, "--out", run, "--resume", "--fold", "1/3"]);
  expect(stderr).toContain("fold must be 2/3 as when the run began, got 1/3");
  expect(code).toBe(2);
});

test("data shows the splits of a fold and says that the manifest's are left aside", async () => {
  const { samples, problems } = await json(["data", data, "--fold", "1/3"]);
  const splits = await json(["data", data]);
  expect(samples).not.toEqual(splits.samples);
  expect(problems).toContainEqual({
    severity: "warning",
    kind: "split made",
    message: "fold 1 of 3 is test instead of manifest.csv's, by group, seed 1",
  });
});

test.each(["1/2", "0/5", "6/5", "5", "2/5x", "01/5"])("%s is no fold", async (fold) => {
  const { code, stderr } = await cli(["data", data, "--fold", fold]);
  expect(stderr).toContain("must be a fold of three or more, such as 2/5");
  expect(code).toBe(2);
});
