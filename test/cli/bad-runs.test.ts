/** Runs that are damaged, missing, or compressed again: what every verb says of them. */

import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { cli, copy, json, stateOf, workplace, writeTiny } from "./workplace.ts";

const place = workplace();
const data = join(place, "tiny");
const run = join(place, "run");
const settings = ["--modalities", "image", "--size", "16", "--epochs", "1"];

beforeAll(async () => {
  await writeTiny(data);
  await json(["train", data, "--out", run, ...settings]);
  await json(["compress", run, "--bits", "8"]);
});

/** A copy of the run, beside it, with one file changed. */
function damaged(name: string, file: string, change: (bytes: Buffer) => Uint8Array): string {
  const folder = copy(run, join(place, name));
  writeFileSync(join(folder, file), change(readFileSync(join(folder, file))));
  return folder;
}

const cut = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length >> 1);
const flip = (bytes: Buffer): Buffer => {
  bytes[bytes.length >> 1] ^= 1;
  return bytes;
};
const edited = (bytes: Buffer): Buffer =>
  Buffer.from(bytes.toString("utf8").replace('"units": 64', '"units": 63'));

describe("a damaged file is named, with the verb that makes it anew", () => {
  test.each([
    ["run.json", "cut", cut, "evaluate", "train --force"],
    ["model.json", "cut", cut, "compress", "train --force"],
    ["model.json", "edited", edited, "evaluate", "train --force"],
    ["model.weights", "flipped", flip, "evaluate", "train --force"],
    ["model.weights", "cut", cut, "compress", "train --force"],
    ["compressed.json", "cut", cut, "verify", "compress"],
    ["compressed.weights", "cut", cut, "deploy", "compress"],
    ["compressed.weights", "flipped", flip, "bench", "compress"],
    ["golden.json", "flipped", flip, "verify", "compress"],
    ["plan.json", "cut", cut, "report", "compress"],
    ["train.jsonl", "cut", cut, "report", "train --force"],
  ])("%s, %s", async (file, how, change, verb, again) => {
    const folder = damaged(`${file}-${how}`, file, change);
    const before = stateOf(folder);
    const out = join(place, "package");
    const flags = verb === "deploy" ? ["--target", "wasm", "--out", out] : [];
    const { code, stdout, stderr } = await cli([verb, folder, ...flags, "--json"]);
    expect(stderr).toContain(
      `${join(folder, file)} is damaged or was changed after it was written; ` +
        `run \`tinym2net ${again}\` again`,
    );
    expect([code, stdout]).toEqual([2, ""]);
    expect(stateOf(folder)).toEqual(before);
    expect(stateOf(out)).toEqual({});
  });

  test("damaged evaluations do not stand in the way of measuring again", async () => {
    const folder = damaged("evaluation", "evaluation.json", cut);
    expect((await cli(["report", folder])).stderr).toContain("evaluation.json is damaged");
    await json(["evaluate", folder]);
    await json(["report", folder]);
  });
});

describe("a run that is none", () => {
  test.each(["evaluate", "compress", "verify", "bench", "report"])("%s says so", async (verb) => {
    mkdirSync(join(place, "empty"), { recursive: true });
    for (const folder of ["nowhere", "empty", "tiny", "tiny/manifest.csv"]) {
      const { code, stderr } = await cli([verb, join(place, folder)]);
      expect(stderr).toContain(`${folder} is not a run folder; run \`tinym2net train\` first`);
      expect(code).toBe(2);
    }
  });

  test("a run that is not compressed says which verb is missing", async () => {
    const float = copy(run, join(place, "float"));
    for (const name of ["compressed.json", "compressed.weights", "golden.json", "plan.json"]) {
      rmSync(join(float, name));
    }
    for (const argv of [["verify"], ["bench"], ["evaluate", "--precision", "int"]]) {
      const { code, stderr } = await cli([argv[0], float, ...argv.slice(1)]);
      expect(stderr).toContain("compressed.json is missing; run `tinym2net compress` first");
      expect(code).toBe(2);
    }
    await json(["report", float]);
  });
});

describe("a run that is trained or compressed again", () => {
  const again = join(place, "again");
  const page = (): string => readFileSync(join(again, "report.html"), "utf8");
  const int = ["--precision", "int", "--split", "test"];

  test("the last net is the one that is scored and deployed", async () => {
    copy(run, again);
    await json(["evaluate", again, ...int]);
    await json(["evaluate", again, "--split", "test"]);
    await json(["verify", again, "--target", "wasm", "--samples", "1"]);
    await json(["report", again]);
    expect(page()).toContain("8-bit");
    const { flashBytes } = await json(["compress", again, "--bits", "4"]);
    expect(await json(["evaluate", again, ...int])).toMatchObject({ precision: "4-bit" });
    expect(JSON.parse(readFileSync(join(again, "compressed.json"), "utf8"))).toMatchObject({
      precision: "4",
      flashBytes,
    });
  });

  test("what was verified before is not shown beside the new net", async () => {
    const equal = (text: string): boolean => /bit for bit|equal integers|equal<|>equal/i.test(text);
    const before = page();
    await json(["report", again]);
    expect([equal(before), equal(page())]).toEqual([true, false]);
    await json(["verify", again, "--target", "wasm", "--samples", "1"]);
    await json(["report", again]);
    expect(equal(page())).toBe(true);
  });

  test("a score of an earlier net of the same precision is forgotten", async () => {
    await json(["compress", again]);
    await json(["evaluate", again, ...int]);
    await json(["compress", again, "--flash", "46000"]);
    const { evaluations } = JSON.parse(readFileSync(join(again, "evaluation.json"), "utf8"));
    const kept = evaluations
      .filter(({ precision }: { precision: string }) => precision === "mixed 8/4")
      .map(({ split }: { split: string }) => split);
    expect(kept).toEqual(["val"]);
    await json(["report", again]);
    expect(page()).toContain("--bits mixed --flash 46000");
  });

  test("train --force leaves nothing of the earlier net", async () => {
    await json(["train", data, "--out", again, ...settings, "--seed", "2", "--force"]);
    expect(Object.keys(stateOf(again)).sort()).toEqual([
      "model.json",
      "model.weights",
      "run.json",
      "train.jsonl",
    ]);
  });
});

describe("limits", () => {
  test.each([
    [["--bits", "mixed", "--flash", "1000"], /flash needs .* limit 1000 B; the run is as before/],
    [["--bits", "8", "--flash", "20000"], /flash needs .* limit 20000 B; the run is as before/],
    [["--bits", "4", "--ram", "1000"], /RAM needs .* limit 1000 B; the run is as before/],
  ])("%j cannot be met: exit code 3, and the run is as before", async (flags, message) => {
    const before = stateOf(run);
    const { code, stdout, stderr } = await cli(["compress", run, ...flags, "--json"]);
    expect(stderr.replaceAll(",", "")).toMatch(message);
    expect([code, stdout]).toEqual([3, ""]);
    expect(stateOf(run)).toEqual(before);
  });

  test("a flash limit that can be met is kept to", async () => {
    const fits = copy(run, join(place, "fits"));
    const smallest = Number((await json(["compress", fits, "--bits", "4"])).flashBytes);
    const largest = Number((await json(["compress", fits, "--bits", "8"])).flashBytes);
    for (const limit of [smallest, Math.floor((smallest + largest) / 2), largest]) {
      const { flashBytes } = await json(["compress", fits, "--flash", `${limit}`]);
      expect(flashBytes).toBeLessThanOrEqual(limit);
    }
  });
});

test.each([
  ["compress", "plan.json"],
  ["evaluate", "evaluation.json"],
  ["report", "report.html"],
])("%s on a full disk changes nothing", async (verb, file) => {
  const full = copy(run, join(place, `full-${verb}`));
  const before = stateOf(full);
  // a device on which every write fails as on a full disk, in place of the file being written
  symlinkSync("/dev/full", join(full, `${file}.partial`));
  const { code, stderr } = await cli([verb, full]);
  expect(stderr).toContain(`cannot write ${join(full, file)}: the disk is full; free some space`);
  expect(code).toBe(2);
  expect(stateOf(full)).toEqual(before);
});
