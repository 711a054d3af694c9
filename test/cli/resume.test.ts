/** Stopping a training: by Ctrl-C, by a kill, by a full disk; and what --resume makes of it. */

import { readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { cli, copy, json, start, stateOf, workplace, writeTiny } from "./workplace.ts";

const place = workplace();
const data = join(place, "tiny");
const whole = join(place, "whole");
// twelve steps an epoch, so that a signal comes in the middle of one
const settings = ["--modalities", "image", "--size", "16", "--batch", "2", "--epochs", "8"];
const trains = (run: string): string[] => ["train", data, "--out", run, ...settings];

const untouched: Record<string, string> = {};

beforeAll(async () => {
  await writeTiny(data);
  await json(trains(whole));
  Object.assign(untouched, stateOf(whole));
});

/** A training that is begun as a child and gets a signal in its second epoch. */
async function stopped(
  run: string,
  ...signals: NodeJS.Signals[]
): Promise<{ code: number; signal: string | null; stderr: string; stdout: string }> {
  const child = start([...trains(run), "--json"]);
  await child.until(/epoch 1:/);
  for (const signal of signals) child.process.kill(signal);
  return child.ended;
}

test("training twice gives the same bytes in every file", async () => {
  await json(trains(join(place, "twice")));
  expect(stateOf(join(place, "twice"))).toEqual(untouched);
});

describe("after Ctrl-C in training", () => {
  const run = join(place, "interrupted");

  test("the exit code is 130, the state is saved and nothing is half-written", async () => {
    const { code, stdout, stderr } = await stopped(run, "SIGINT");
    expect(stderr).toContain(`the state is saved in ${run}: add --resume`);
    expect([code, stdout]).toEqual([130, ""]);
    expect(readdirSync(run).sort()).toEqual(["checkpoint.bin", "run.json", "train.jsonl"]);
  });

  test.each([
    ["--epochs", "9", "epochs must be 8"],
    ["--seed", "2", "seed must be 1"],
    ["--optimizer", "sgd", "optimizer must be adamw"],
    ["--schedule", "step", "schedule must be cosine"],
    ["--preset", "ds-cnn", "preset must be tinym2net"],
    ["--batch", "3", "batch must be 2"],
    ["--modalities", "audio", "modalities must be image"],
  ])("--resume with another %s is refused", async (flag, value, message) => {
    const before = stateOf(run);
    const said = await cli(["train", data, "--out", run, "--resume", flag, value]);
    expect(said.stderr).toContain(`train --resume: ${message} as when the run began`);
    expect(said.code).toBe(2);
    expect(stateOf(run)).toEqual(before);
  });

  test("--resume is refused if the data has changed since", async () => {
    const changed = copy(data, join(place, "changed"));
    const [picture] = readdirSync(join(changed, "image"));
    const other = readdirSync(join(changed, "image"))[1];
    const pixels = readFileSync(join(changed, "image", other));
    writeFileSync(join(changed, "image", picture), pixels);
    const { code, stderr } = await cli(["train", changed, "--out", run, "--resume"]);
    expect(stderr).toContain("its content has changed");
    expect(code).toBe(2);
  });

  test("an unfinished run says how to finish it", async () => {
    const { code, stderr } = await cli(["compress", run]);
    expect(stderr).toContain("model.json is missing; run `tinym2net train --resume` to finish it");
    expect(code).toBe(2);
  });

  test("a cut checkpoint is refused, and says what to do", async () => {
    const cut = copy(run, join(place, "cut"));
    const bytes = readFileSync(join(cut, "checkpoint.bin"));
    writeFileSync(join(cut, "checkpoint.bin"), bytes.subarray(0, bytes.length - 64));
    const { code, stderr } = await cli(["train", data, "--out", cut, "--resume"]);
    expect(stderr).toMatch(/checkpoint\.bin is (no whole|damaged).*train/);
    expect(code).toBe(2);
  });

  test("a full disk at the end leaves the state, and --resume goes on once there is room", async () => {
    const full = copy(run, join(place, "full"));
    // a device on which every write fails as on a full disk, in place of the file being written
    symlinkSync("/dev/full", join(full, "model.weights.partial"));
    const { code, stderr } = await cli(["train", data, "--out", full, "--resume"]);
    expect(stderr).toMatch(/cannot write .*model\.weights: the disk is full; free some space/);
    expect(code).toBe(2);
    expect(readdirSync(full).sort()).toEqual(["checkpoint.bin", "run.json", "train.jsonl"]);
    await json(["train", data, "--out", full, "--resume"]);
    expect(stateOf(full)).toEqual(untouched);
  });

  test("--resume, and nothing else, ends in the bytes of a training that was never stopped", async () => {
    await json(["train", data, "--out", run, "--resume"]);
    expect(stateOf(run)).toEqual(untouched);
  });

  test("--resume of a finished run changes nothing", async () => {
    const result = await json(["train", data, "--out", run, "--resume"]);
    expect(result).toMatchObject({ epochs: 8, samplesPerSecond: null, split: "val" });
    expect(stateOf(run)).toEqual(untouched);
  });
});

test("after a kill in training, --resume ends in the same bytes", async () => {
  const run = join(place, "killed");
  expect((await stopped(run, "SIGKILL")).signal).toBe("SIGKILL");
  await json([...trains(run), "--resume"]);
  expect(stateOf(run)).toEqual(untouched);
});

test("a kill before the first epoch is over leaves a run that can be resumed or replaced", async () => {
  const run = copy(whole, join(place, "early"));
  for (const name of readdirSync(run)) if (name !== "run.json") rmSync(join(run, name));
  writeFileSync(join(run, "checkpoint.bin.partial"), "half a");
  await json(["train", data, "--out", run, "--resume"]);
  expect(stateOf(run)).toEqual(untouched);
  writeFileSync(join(run, "report.html.partial"), "half a");
  await json([...trains(run), "--force"]);
  expect(stateOf(run)).toEqual(untouched);
});

test("a kill after the model was written leaves nothing for --resume but to tidy", async () => {
  const run = copy(whole, join(place, "late"));
  writeFileSync(join(run, "checkpoint.bin"), "old");
  await json(["train", data, "--out", run, "--resume"]);
  expect(stateOf(run)).toEqual(untouched);
});

test("--resume without a run, and with --force, is refused", async () => {
  const none = await cli(["train", data, "--out", join(place, "none"), "--resume"]);
  expect(none.stderr).toContain("none is not a run folder");
  const both = await cli(["train", data, "--out", whole, "--resume", "--force"]);
  expect(both.stderr).toContain("give --resume or --force, not both");
  expect([none.code, both.code]).toEqual([2, 2]);
  expect(stateOf(whole)).toEqual(untouched);
});

describe("signals", () => {
  test("a second one kills at once, without saving", async () => {
    const run = join(place, "twice-interrupted");
    const child = start(trains(run));
    await child.until(/epoch 1:/);
    // both wait while it is stopped, and arrive together
    for (const signal of ["SIGSTOP", "SIGINT", "SIGTERM", "SIGCONT"] as const) {
      child.process.kill(signal);
    }
    const { code, stderr } = await child.ended;
    expect(code).toBe(130);
    expect(stderr).not.toContain("the state is saved");
    await json([...trains(run), "--resume"]);
    expect(stateOf(run)).toEqual(untouched);
  });

  test("one in a verb that only reads gives 130 as well", async () => {
    let isSent = false;
    const onProgress = (): void => {
      if (!isSent) process.emit("SIGINT");
      isSent = true;
    };
    const { code, stdout, stderr } = await cli(["data", data, "--json"], { onProgress });
    expect(stderr).toContain("tinym2net: interrupted");
    expect([code, stdout]).toEqual([130, ""]);
  });

  test("Ctrl-C in the middle of compress ends it and leaves the run as it was", async () => {
    const child = start(["compress", whole]);
    await child.until(/compress to mixed 8\/4 bits: started/);
    // one may come in the instant when the listener is taken away: a person presses again
    const pressing = setInterval(() => child.process.kill("SIGINT"), 20);
    const { code, signal } = await child.ended.finally(() => clearInterval(pressing));
    // while a net is compressed nothing listens: the system ends it, which a shell calls 130
    expect(signal ?? code).toSatisfy((how: unknown) => how === "SIGINT" || how === 130);
    expect(stateOf(whole)).toEqual(untouched);
  });
});
