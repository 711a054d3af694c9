/**
 * Features on several cores and from the cache: the built program, in processes that are killed and
 * that run at the same time.
 */

import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, expect, test, vi } from "vitest";
import { encodeWav } from "../../src/data/index.ts";
import { random } from "../../src/tensor/index.ts";
import { root } from "../sources.ts";
import { copy, type Said, start, stateOf, workplace, writeTiny } from "./workplace.ts";

// many short processes: on a machine that is busy otherwise they take their time
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const place = workplace();
const data = join(place, "data");

/** Enough samples that three processes are started: eight recordings of 50 segments, 400 pictures. */
const [RECORDINGS, SEGMENTS] = [8, 50];

beforeAll(() => {
  const generator = random("cache");
  for (const folder of ["audio", "image"]) mkdirSync(join(data, folder), { recursive: true });
  const rows: string[] = [];
  for (let r = 0; r < RECORDINGS; r++) {
    const samples = Float32Array.from({ length: SEGMENTS * 400 }, () => generator.normal() * 0.1);
    writeFileSync(join(data, `audio/${r}.wav`), encodeWav(samples, 8000));
    for (let s = 0; s < SEGMENTS; s++) {
      const id = `${r}-${s}`;
      writeFileSync(
        join(data, `image/${id}.bmp`),
        bitmap(() => generator.integer(256)),
      );
      const files = `audio/${r}.wav,${s * 0.05},0.05,image/${id}.bmp`;
      rows.push(`${id},${s % 2 === 0 ? "a" : "b"},train,${r},${files}`);
    }
  }
  // neighbours in the table lie in different recordings
  const mixed = rows.map((_, i) => rows[(i * 51) % rows.length]);
  const header = "id,label,split,group,audio,audio_start_s,audio_duration_s,image";
  writeFileSync(join(data, "manifest.csv"), `${[header, ...mixed].join("\n")}\n`);
});

/** 8 x 8 pixels of 24 bits. */
function bitmap(byte: () => number): Buffer {
  const bytes = Buffer.alloc(54 + 8 * 8 * 3);
  bytes.write("BM", "latin1");
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(54, 10);
  for (const [at, value] of [
    [14, 40],
    [18, 8],
    [22, 8],
  ])
    bytes.writeUInt32LE(value, at);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  for (let i = 54; i < bytes.length; i++) bytes[i] = byte();
  return bytes;
}

/** What `train` does before the first step; prints a hash of all it gives. */
const EXTRACT = `
import { createHash } from "node:crypto";
const [dist, folder, threads, cache, killAt] = process.argv.slice(1);
const { openDataset } = await import(dist + "apps/cli/samples.js");
const { fitFrontend, extractFeatures } = await import(dist + "src/features/index.js");
const reporter = { stage() {}, update() {}, done() {}, stop() {}, line: (text) => console.error(text) };
const context = { environment: process.env, reporter, now: () => performance.now() };
let done = 0;
const onProgress = () => { if (++done === Number(killAt)) process.kill(process.pid, "SIGKILL"); };
try {
  const options = { seed: 1, threads: Number(threads), cache: cache === "cache" };
  const { dataset, reader, extraction } = await openDataset(context, folder, options);
  const { extract } = extraction;
  const { samples, modalities } = dataset;
  const hash = createHash("sha256").update(await extraction.hash());
  const specs = { audio: { kind: "mfcc", sampleRateHz: 8000, samples: 400, windowSamples: 64,
    hopSamples: 100, center: true, mels: 10, coefficients: 5, lowHz: 0, highHz: 4000 } };
  const frontend = await fitFrontend(reader, samples, { modalities, specs, size: 4, extract, onProgress });
  hash.update(JSON.stringify(frontend));
  const sets = await extractFeatures(reader, samples, { frontend, extract, onProgress });
  for (const { data } of Object.values(sets)) hash.update(data);
  console.log(hash.digest("hex"));
} catch (error) {
  console.log(error.name + ": " + error.message);
}`;

interface Way {
  readonly folder?: string;
  readonly threads: number;
  readonly cache?: string;
  /** After how many features the process kills itself. */
  readonly killAt?: number;
}

/** One line: the hash, or the error; nothing of a process that was killed. */
function extracted({ folder = data, threads, cache, killAt = 0 }: Way): Promise<string> {
  const dist = pathToFileURL(join(root, "dist/")).href;
  const values = [dist, folder, `${threads}`, cache === undefined ? "none" : "cache", `${killAt}`];
  const child = spawn(process.execPath, ["--input-type=module", "-e", EXTRACT, ...values], {
    env: { ...process.env, TINYM2NET_CACHE: cache },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  return new Promise((resolve) => child.on("close", () => resolve(said.trim())));
}

/** What one process gives without a cache; a cache that two processes filled. */
let expected = "";
const filled = join(place, "filled");
beforeAll(async () => {
  expected = await extracted({ threads: 1 });
  expect(expected).toMatch(/^[0-9a-f]{64}$/);
  expect(await extracted({ threads: 2, cache: filled })).toBe(expected);
});

/** Names of packs are hashes of their content: equal ones mean that nothing was computed and kept. */
function packs(cache: string): string[] {
  return Object.keys(stateOf(join(cache, "features")));
}

test("features do not depend on the number of processes, nor on the cache", async () => {
  const kept = packs(filled);
  expect(kept.length).toBeGreaterThan(2);
  expect(await extracted({ threads: 3 })).toBe(expected);
  expect(await extracted({ threads: 1, cache: filled })).toBe(expected);
  expect(packs(filled)).toEqual(kept);
});

test("a copy of the dataset under another name has the same features in the cache", async () => {
  const folder = copy(data, join(place, "copy"));
  const kept = packs(filled);
  expect(await extracted({ folder, threads: 1, cache: filled })).toBe(expected);
  expect(packs(filled)).toEqual(kept);
});

test("runs at the same time, one of them killed, and the next give the same", async () => {
  const cache = join(place, "shared");
  const [first, second, killed] = await Promise.all([
    extracted({ threads: 2, cache }),
    extracted({ threads: 1, cache }),
    extracted({ threads: 2, cache, killAt: 500 }),
  ]);
  expect([first, second, killed]).toEqual([expected, expected, ""]);
  expect(await extracted({ threads: 1, cache })).toBe(expected);
});

test("a damaged cache gives the same", async () => {
  const cache = copy(filled, join(place, "damaged"));
  for (const name of Object.keys(stateOf(cache))) {
    const bytes = readFileSync(join(cache, name));
    bytes[Math.floor(bytes.length * 0.9)] ^= 0x10;
    writeFileSync(join(cache, name), bytes);
  }
  expect(await extracted({ threads: 1, cache })).toBe(expected);
});

test("of broken files the first in the table is told, whoever found it", async () => {
  const folder = copy(data, join(place, "broken"));
  const broken = ["4-7", "1-20", "6-30"]; // in processes of their own
  for (const id of broken) writeFileSync(join(folder, `image/${id}.bmp`), "BM no picture");
  const rows = readFileSync(join(folder, "manifest.csv"), "utf8").split("\n");
  const row =
    1 + Math.min(...broken.map((id) => rows.findIndex((text) => text.startsWith(`${id},`))));
  const told = await extracted({ folder, threads: 3 });
  expect(told).toMatch(new RegExp(`^UserError: manifest.csv row ${row}: image/`));
  expect(await extracted({ folder, threads: 2, cache: join(place, "of-broken") })).toBe(told);
});

const small = ["--modalities", "image", "--size", "16", "--epochs", "1", "--quiet"];

/** The built program's `train`. */
function trained(folder: string, run: string, cache: string, more: string[] = []): Promise<Said> {
  const env = { ...process.env, TINYM2NET_CACHE: cache };
  return start(["train", folder, "--out", run, ...small, ...more], { env }).ended;
}

test("train keeps features in TINYM2NET_CACHE, none with --no-cache; the run is the same", async () => {
  const tiny = join(place, "tiny");
  await writeTiny(tiny);
  const cache = join(place, "train-cache");
  const runs = ["none", "first", "second"].map((name) => join(place, name));
  expect(await trained(tiny, runs[0], cache, ["--no-cache"])).toMatchObject({ code: 0 });
  const config = join(place, "config.json");
  writeFileSync(config, JSON.stringify({ "no-cache": true, quiet: true }));
  const env = { ...process.env, TINYM2NET_CACHE: cache };
  const evaluated = await start(["evaluate", runs[0], "--config", config], { env }).ended;
  expect(evaluated).toMatchObject({ code: 0, stderr: "" });
  rmSync(join(runs[0], "evaluation.json"));
  expect(stateOf(cache)).toEqual({});
  expect(await trained(tiny, runs[1], cache)).toMatchObject({ code: 0, stderr: "" });
  const kept = stateOf(join(cache, "features"));
  expect(Object.keys(kept).length).toBeGreaterThan(0);
  expect(await trained(tiny, runs[2], cache)).toMatchObject({ code: 0, stderr: "" });
  expect(stateOf(join(cache, "features"))).toEqual(kept);
  expect(stateOf(runs[1])).toEqual(stateOf(runs[0]));
  expect(stateOf(runs[2])).toEqual(stateOf(runs[0]));
});

test("a cache that cannot be written is told once and does not stand in the way", async () => {
  const cache = join(place, "file");
  writeFileSync(cache, "");
  const env = { ...process.env, TINYM2NET_CACHE: cache };
  const said = await start(["evaluate", join(place, "first"), "--json"], { env }).ended;
  expect(said.code).toBe(0);
  const warnings = said.stderr.split("\n").filter((line) => line.startsWith("warning"));
  expect(warnings).toEqual([
    `warning: ${cache} cannot be written (ENOTDIR): features are not kept`,
  ]);
});
