/** The whole path by the command line, on a small dataset; every JSON field that scripts rely on. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { needs } from "../capabilities.ts";
import { cli, json, tool, workplace, writeTiny } from "./workplace.ts";

const place = workplace();
const [data, run] = [join(place, "tiny"), join(place, "run")];
/** One modality is enough where only bits and texts are looked at, and far quicker. */
const picture = join(place, "picture");
const settings = ["--epochs", "2", "--size", "16"];

const share = expect.toSatisfy((x: unknown) => typeof x === "number" && x >= 0 && x <= 1);
const bytes = expect.toSatisfy((x: unknown) => Number.isInteger(x) && Number(x) > 0);
const positive = expect.toSatisfy((x: unknown) => typeof x === "number" && x > 0);
const classes = ["explosion", "gunfire", "helicopter", "tank"];

const said: Record<string, Awaited<ReturnType<typeof json>>> = {};

beforeAll(async () => {
  await writeTiny(data);
  const targets = ["--target", "wasm"];
  said.data = await json(["data", data]);
  said.train = await json(["train", data, "--out", run, ...settings]);
  await json(["train", data, "--out", picture, ...settings, "--modalities", "image"]);
  said.evaluate = await json(["evaluate", run, "--data", data, "--split", "test"]);
  for (const bits of ["8", "4", "mixed"]) {
    said[bits] = await json(["compress", picture, "--bits", bits]);
  }
  said.compress = await json(["compress", run]);
  const int = ["--split", "test", "--precision", "int"];
  said.int = await json(["evaluate", run, "--data", data, ...int]);
  said.verify = await json(["verify", run, ...targets, "--samples", "1"]);
  said.deploy = await json(["deploy", run, ...targets, "--out", join(place, "wasm")]);
  said.portable = await json(["deploy", run, "--target", "portable", "--out", join(place, "c")]);
  said.bench = await json(["bench", run, ...targets]);
  said.report = await json(["report", run]);
}, 120_000);

describe("with --json", () => {
  test("every verb prints one object with schemaVersion 1, and progress goes to stderr", () => {
    for (const [verb, { schemaVersion, stderr }] of Object.entries(said)) {
      expect(schemaVersion, verb).toBe(1);
      if (verb !== "report" && !/deploy|portable/.test(verb)) {
        expect(stderr, verb).toMatch(/: done in/);
      }
      expect(stderr, verb).not.toContain("\u001b");
    }
  });

  test("data tells classes, modalities, samples a split, groups and problems", () => {
    expect(said.data).toMatchObject({
      classes,
      modalities: [
        { name: "audio", kind: "audio" },
        { name: "image", kind: "image" },
      ],
      samples: { train: 24, val: 8, test: 12 },
      groups: { train: 2, val: 1, test: 1 },
      problems: [],
    });
  });

  test("train tells scores on the validation split, speed and size", () => {
    expect(said.train).toMatchObject({
      accuracy: share,
      balancedAccuracy: share,
      split: "val",
      epochs: 2,
      samplesPerSecond: positive,
      parameters: bytes,
      macs: bytes,
    });
  });

  test.each(["evaluate", "int"])("%s tells scores, confusion and classes of the split", (verb) => {
    const { n, confusion, perClass, accuracy, balancedAccuracy } = said[verb];
    expect(said[verb]).toMatchObject({ n: 12, split: "test", precision: expect.any(String) });
    const rows = confusion as number[][];
    expect(rows.map((row) => row.reduce((a, b) => a + b, 0))).toEqual([3, 3, 3, 3]);
    const right = rows.reduce((sum, row, i) => sum + row[i], 0);
    expect(accuracy).toBeCloseTo(right / Number(n), 12);
    expect(balancedAccuracy).toBeCloseTo(right / 12, 12); // classes are of one size
    const wanted = { n: 3, precision: share, recall: share, f1: share };
    expect(perClass).toEqual(classes.map((label) => ({ label, ...wanted })));
  });

  test.each([
    ["8", 8],
    ["4", 8],
    ["mixed", 8],
    ["compress", 14],
  ])("compress (%s) tells the bits of every layer, and memory", (bits, layers) => {
    const { bits: byLayer, flashBytes, ramBytes, accuracyFloat, accuracy } = said[bits];
    const used = new Set(Object.values(byLayer as object));
    expect([...used].sort()).toEqual(Number(bits) > 0 ? [Number(bits)] : [4, 8]);
    expect([flashBytes, ramBytes]).toEqual([bytes, bytes]);
    expect([accuracyFloat, accuracy]).toEqual([share, share]);
    expect(Object.keys(byLayer as object)).toHaveLength(layers);
  });

  test("fewer bits take less flash, and no RAM is paid for it", () => {
    const [eight, four, mixed] = ["8", "4", "mixed"].map((bits) => Number(said[bits].flashBytes));
    expect(four).toBeLessThan(mixed);
    expect(mixed).toBeLessThan(eight);
    expect(new Set(["8", "4", "mixed"].map((bits) => said[bits].ramBytes)).size).toBe(1);
  });

  test("verify tells of each target whether it is equal, on how many samples", () => {
    expect(said.verify.targets).toEqual({
      wasm: { target: "wasm", equal: true, samples: 1, firstDifference: null },
    });
  });

  test("deploy tells files, flash in parts, arena and stack", () => {
    for (const [verb, folder] of Object.entries({ deploy: "wasm", portable: "c" })) {
      const { files, flashBytes, arenaBytes } = said[verb];
      expect((files as string[]).every((name) => existsSync(join(place, folder, name)))).toBe(true);
      expect(flashBytes).toMatchObject({ weights: bytes, code: bytes, total: bytes });
      expect(arenaBytes).toBe(said.compress.arenaBytes);
      expect(said[verb]).toHaveProperty("stackBytes");
    }
  });

  test("bench tells of each target instructions, MACs, memory and a measured latency", () => {
    expect(said.bench.targets).toMatchObject({
      wasm: {
        instructions: null,
        macs: said.train.macs,
        flashBytes: bytes,
        arenaBytes: said.compress.arenaBytes,
        latencyMs: positive,
      },
    });
    expect(said.bench.frontends).toMatchObject({
      audio: { kind: "mfcc", per: "second", ramBytes: 7620, flashBytes: bytes },
      image: { kind: "image", per: "picture", ramBytes: bytes, flashBytes: bytes },
    });
  });

  test("bench of a preset needs no run: ds-cnn has 2,656,768 MACs", async () => {
    const preset = ["--preset", "ds-cnn", "--bits", "4"];
    const { targets } = await json(["bench", ...preset, "--target", "wasm"]);
    expect(targets).toMatchObject({ wasm: { macs: 2_656_768, latencyMs: positive } });
  });

  test("bench training tells samples a second by threads, and by peer", async () => {
    const out = join(place, "training.json");
    const options = ["--preset", "ds-cnn", "--quick", "--peers", "none", "--out", out];
    const result = await json(["bench", "training", ...options]);
    expect(result).toMatchObject({
      ...{ preset: "ds-cnn", batch: 64, macs: 2_656_768, rounds: 2, compileMs: positive },
      ...{ firstStepMs: positive, samplesPerSecond: { "1": positive }, peers: {}, missing: {} },
    });
    const { rows, ...written } = JSON.parse(readFileSync(out, "utf8"));
    expect(result).toMatchObject(written);
    const own = { engine: "tinym2net", ratio: 1, samplesPerSecond: positive };
    expect(rows).toMatchObject(expect.arrayContaining([expect.objectContaining(own)]));
  });

  test("bench training tells how a peer that is not here is installed", async () => {
    const options = ["--preset", "ds-cnn", "--quick", "--peers", "pytorch"];
    const { TINYM2NET_PYTHON: python } = process.env;
    process.env.TINYM2NET_PYTHON = "no-such-python";
    try {
      const { missing, peers } = await json(["bench", "training", ...options]);
      expect({ missing, peers }).toEqual({
        missing: { pytorch: expect.stringContaining("pip install torch") },
        peers: {},
      });
    } finally {
      if (python === undefined) delete process.env.TINYM2NET_PYTHON;
      else process.env.TINYM2NET_PYTHON = python;
    }
  });

  test("report names its file, which holds the run", () => {
    expect(said.report.file).toBe(join(run, "report.html"));
    const page = readFileSync(join(run, "report.html"), "utf8");
    for (const text of ["audio + image", "mixed 8/4", "tank"]) expect(page).toContain(text);
  });
});

describe("the packages", needs("cc"), () => {
  test("verify finds C and WebAssembly equal to the reference", async () => {
    const { targets } = await json(["verify", run, "--target", "portable,wasm", "--samples", "1"]);
    const equal = { equal: true, samples: 1, firstDifference: null };
    expect(targets).toMatchObject({ portable: equal, wasm: equal });
  });

  test("make selftest passes in the C package", () => {
    const { code, stdout } = tool("make", ["-C", join(place, "c"), "selftest"]);
    expect(stdout).toContain("0 of 2 examples differ");
    expect(code).toBe(0);
  });
});

test("node selftest.mjs passes in the WebAssembly package", () => {
  expect(tool(process.execPath, [join(place, "wasm", "selftest.mjs")]).code).toBe(0);
});

describe("deploy --streaming, sound hop by hop", () => {
  const streamed = async (target: string) => {
    const out = join(place, `streamed-${target}`);
    return {
      out,
      told: await json(["deploy", run, "--target", target, "--out", out, "--streaming"]),
    };
  };

  test("node selftest.mjs gives the scores of whole recordings", async () => {
    const { out } = await streamed("wasm");
    expect(tool(process.execPath, [join(out, "selftest.mjs")]).code).toBe(0);
  });

  test("make selftest does, in the RAM of a window", needs("cc"), async () => {
    const { out, told } = await streamed("portable");
    const { code, stdout } = tool("make", ["-C", out, "selftest"]);
    expect(stdout).toContain("0 of 2 examples differ");
    expect(code).toBe(0);
    const { streamBytes, inputBytes, ramBytes } = told;
    expect(streamBytes).toBe(2628);
    expect(said.portable.streamBytes).toBe(0);
    expect(Number(inputBytes)).toBeLessThan(Number(said.portable.inputBytes) - 2 * 15_000);
    expect(Number(ramBytes)).toBeLessThan(Number(said.portable.ramBytes));
  });
});

describe("as text", () => {
  test("each verb ends by naming the next one", async () => {
    const again = ["--force", ...settings, "--epochs", "1", "--modalities", "image"];
    const text = join(place, "text");
    const calls: [string[], RegExp][] = [
      [["data", data], /Next: tinym2net train/],
      [["train", data, "--out", text, ...again], /Next: tinym2net compress/],
      [["evaluate", run], /Next: tinym2net report/],
      [["compress", text, "--bits", "8"], /Next: tinym2net verify/],
      [["verify", text, "--target", "wasm", "--samples", "1"], /Next: tinym2net deploy/],
      [["deploy", run, "--target", "wasm", "--out", join(place, "wasm")], /Next: node /],
      [["deploy", text, "--target", "portable", "--out", join(place, "c2")], /Next: make -C/],
      [["bench", text, "--target", "wasm"], /Next: tinym2net report/],
      [["report", run], /Next: tinym2net deploy/],
      [["doctor"], /Next: tinym2net demo/],
    ];
    for (const [argv, next] of calls) {
      const { code, stdout } = await cli([...argv, "--quiet"]);
      expect([argv[0], code]).toEqual([argv[0], 0]);
      expect(stdout.trimEnd().split("\n").at(-1), argv[0]).toMatch(next);
      expect(stdout).not.toContain("\u001b");
    }
  }, 60_000);

  test("a net of pictures alone has nothing to stream", async () => {
    const { code, stderr } = await cli([
      ...["deploy", join(place, "text"), "--target", "wasm", "--out", join(place, "none")],
      "--streaming",
    ]);
    expect(stderr).toContain("deploy: --streaming needs sound, this net has none");
    expect(code).toBe(2);
    expect(existsSync(join(place, "none"))).toBe(false);
  });

  test("the same commands write the same bytes", async () => {
    const files = ["run.json", "train.jsonl", "model.json", "model.weights"];
    const other = join(place, "again");
    await json(["train", data, "--out", other, ...settings]);
    for (const name of files) {
      expect(readFileSync(join(other, name)).equals(readFileSync(join(run, name))), name).toBe(
        true,
      );
    }
  });
});
