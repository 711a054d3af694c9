/** train --augment: presets, files, --config; recorded, resumed, refused, and in training only. */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { encodeWav } from "../../src/data/index.ts";
import { cli, json, start, stateOf, workplace, writeTiny } from "./workplace.ts";

const place = workplace();
const data = join(place, "tiny");
const noise = join(place, "noise");
const spec = {
  copies: 1,
  audio: { shiftS: 0.05, noise: { from: noise, snrDb: [0, 10], share: 0.5 } },
  image: { brightness: 0.2, cutout: 0.3 },
  mixup: 0.2,
  modalityDropout: 0.2,
};
const file = join(place, "augment.json");
const config = join(place, "config.json");
const whole = join(place, "whole");
const untouched: Record<string, string> = {};
const settings = ["--size", "16", "--batch", "3", "--epochs", "3"];
const trains = (run: string): string[] => ["train", data, "--out", run, ...settings];

/** A recording for the folder of noise. */
function hiss(name: string, every: number): void {
  const samples = Float32Array.from({ length: 9000 }, (_, i) => (i % every) / every - 0.5);
  writeFileSync(join(noise, name), encodeWav(samples, 16000));
}

beforeAll(async () => {
  await writeTiny(data);
  mkdirSync(noise);
  hiss("a.wav", 7);
  hiss("b.wav", 31);
  writeFileSync(file, JSON.stringify(spec));
  writeFileSync(config, JSON.stringify({ augment: spec }));
  await json([...trains(whole), "--config", config]);
  Object.assign(untouched, stateOf(whole));
});

function settingsOf(run: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(run, "run.json"), "utf8")).settings;
}

test("a run records what was done, and the hash of the noise", () => {
  const { augment, noise: hashes } = settingsOf(whole);
  expect(augment).toEqual(spec);
  expect(hashes).toEqual({ [noise]: expect.stringMatching(/^[0-9a-f]{64}$/) });
});

test("validation is scored without augmentation: evaluate gives what train said", async () => {
  const { best } = JSON.parse(readFileSync(join(whole, "model.json"), "utf8"));
  const { balancedAccuracy, accuracy } = await json(["evaluate", whole, "--split", "val"]);
  expect([balancedAccuracy, accuracy]).toEqual([best.valBalancedAccuracy, best.valAccuracy]);
});

test("the preset is written out, none leaves no trace", async () => {
  const [standard, none] = [join(place, "standard"), join(place, "none")];
  const quick = ["--modalities", "image", "--size", "16", "--epochs", "1"];
  await json(["train", data, "--out", standard, ...quick, "--augment", "standard"]);
  await json(["train", data, "--out", none, ...quick, "--augment", "none"]);
  expect(settingsOf(standard)).toMatchObject({ augment: { modalityDropout: 0.1, mixup: 0.2 } });
  expect(Object.keys(settingsOf(none))).not.toContain("augment");
});

test("stopped and resumed, a file gives the same bytes as an object in --config", async () => {
  const run = join(place, "stopped");
  const child = start([...trains(run), "--augment", file]);
  await child.until(/epoch 1:/);
  child.process.kill("SIGINT");
  expect((await child.ended).code).toBe(130);
  const other = await cli(["train", data, "--out", run, "--resume", "--augment", "standard"]);
  expect(other.stderr).toContain("train --resume: augment must be {");
  hiss("c.wav", 5);
  const changed = await cli(["train", data, "--out", run, "--resume"]);
  expect(changed.stderr).toContain("the recordings of noise have changed since the run began");
  expect([other.code, changed.code]).toEqual([2, 2]);
  rmSync(join(noise, "c.wav"));
  await json(["train", data, "--out", run, "--resume", "--augment", file]);
  expect(stateOf(run)).toEqual(untouched);
});

test.each([
  ["standart", "standart is no file that can be read and none of none, standard"],
  ["{", "is no JSON"],
  ['{"mixup": 2}', "--augment: augment.mixup must be a number in [0.05, 1], got 2"],
  ['{"modalities": {"sound": {}}}', "unknown modality in augment.modalities: sound"],
  ['{"modalities": {"image": {"gainDb": 1}}}', "unknown field of augment.modalities.image: gainDb"],
  ['{"audio": {"noise": {"from": "grey", "snrDb": [0, 1], "share": 1}}}', 'got "grey"'],
])("--augment %s is refused before anything is written", async (text, message) => {
  const run = join(place, "refused");
  const { code, stderr } = await cli(["train", data, "--out", run, "--augment", text]);
  expect(stderr).toContain(message);
  expect(code).toBe(2);
  expect(stateOf(run)).toEqual({});
});
