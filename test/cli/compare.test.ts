/** Reports compare runs of one dataset only, and say how they can be made again. */

import { join } from "node:path";
import { expect, test } from "vitest";
import { quoted } from "../../apps/cli/shell.ts";
import { cli, json, workplace, writeTiny } from "./workplace.ts";

const folder = workplace();
const flags = ["--epochs", "1", "--size", "16"];

test("an arm of another dataset with the same ids is refused, one of the same is compared", async () => {
  const [here, there] = ["here", "there"].map((name) => join(folder, name));
  await writeTiny(here, 3);
  await writeTiny(there, 4);
  const run = (name: string): string => join(folder, `run ${name}`);
  const train = async (data: string, name: string, ...more: string[]): Promise<void> => {
    await json(["train", data, "--out", run(name), ...flags, ...more]);
    await json(["evaluate", run(name), "--split", "test"]);
  };
  await train(here, "fused");
  await train(here, "audio", "--modalities", "audio");
  await train(there, "stranger", "--modalities", "audio");
  const { code, stderr } = await cli(["report", run("fused"), "--arms", run("stranger")]);
  expect(code).toBe(2);
  expect(stderr).toContain("was trained on another dataset than");
  const { gain } = await json(["report", run("fused"), "--arms", run("audio")]);
  expect(gain).toMatchObject({ fused: "audio + image", best: "audio" });
});

test("a word that a shell would split or expand is quoted", () => {
  expect(quoted("runs/a-1.b_c,d")).toBe("runs/a-1.b_c,d");
  expect(quoted("my set")).toBe("'my set'");
  expect(quoted("it's $HOME")).toBe("'it'\\''s $HOME'");
});
