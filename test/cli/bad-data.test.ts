/** Datasets with faults: the message names file and row, the exit code is 2, nothing is written. */

import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { cli, copy, json, stateOf, workplace, writeTiny } from "./workplace.ts";

const place = workplace();
const good = join(place, "tiny");
const run = join(place, "run");
const small = ["--modalities", "image", "--size", "16", "--epochs", "1"];

beforeAll(async () => {
  await writeTiny(good);
  await json(["train", good, "--out", run, ...small]);
});

/** A copy of the good dataset with one change. */
function changed(name: string, change: (folder: string) => void): string {
  const folder = copy(good, join(place, name));
  change(folder);
  return folder;
}

/** Rewrite the manifest; `edit` gets a row's cells by column. */
function editRows(
  folder: string,
  edit: (cells: Record<string, string>, row: number) => Record<string, string> | undefined,
): void {
  const path = join(folder, "manifest.csv");
  const [header, ...lines] = readFileSync(path, "utf8").trimEnd().split("\n");
  const columns = header.split(",");
  const rows = lines.flatMap((line, i) => {
    const cells = line.split(",");
    const row = edit(Object.fromEntries(columns.map((column, c) => [column, cells[c]])), i + 2);
    return row === undefined ? [] : [columns.map((column) => row[column]).join(",")];
  });
  writeFileSync(path, `${[header, ...rows].join("\n")}\n`);
}

/** Bytes of a WAV file of 32-bit floats at 16 kHz. */
function floatWav(samples: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(44 + 4 * samples.length);
  bytes.write("RIFF....WAVEfmt ", 0, "latin1");
  bytes.writeUInt32LE(36 + 4 * samples.length, 4);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(3, 20); // float
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(16_000, 24);
  bytes.writeUInt32LE(64_000, 28);
  bytes.writeUInt16LE(4, 32);
  bytes.writeUInt16LE(32, 34);
  bytes.write("data", 36, "latin1");
  bytes.writeUInt32LE(4 * samples.length, 40);
  for (const [i, value] of samples.entries()) bytes.writeFloatLE(value, 44 + 4 * i);
  return bytes;
}

/** The sound of the manifest's second line. */
const firstSound = (folder: string): string => join(folder, "audio/train-helicopter-0000.wav");

const faults: [string, (folder: string) => void, RegExp][] = [
  [
    "no manifest",
    (folder) => rmSync(join(folder, "manifest.csv")),
    /has no manifest\.csv \(columns id, label, split, group/,
  ],
  [
    "a file that is not there",
    (folder) => rmSync(firstSound(folder)),
    /manifest\.csv row 2: audio\/train-helicopter-0000\.wav does not exist/,
  ],
  [
    "a truncated WAV",
    (folder) =>
      writeFileSync(firstSound(folder), readFileSync(firstSound(folder)).subarray(0, 1000)),
    /manifest\.csv row 2: audio\/train-helicopter-0000\.wav is truncated/,
  ],
  [
    "NaN in a float WAV",
    (folder) => writeFileSync(firstSound(folder), floatWav([0.1, 0.2, Number.NaN, 0.1])),
    /row 2: audio\/train-helicopter-0000\.wav holds NaN at sample 2; sound must be finite/,
  ],
  [
    "a WAV of zero length",
    (folder) => writeFileSync(firstSound(folder), floatWav([])),
    /row 2: audio\/train-helicopter-0000\.wav holds no sound: its length is zero/,
  ],
  [
    "a picture that is none",
    (folder) => writeFileSync(join(folder, "image/train-helicopter-0000.png"), "no picture"),
    /row 2: image\/train-helicopter-0000\.png is not a readable picture/,
  ],
  [
    "a misspelt column",
    (folder) => {
      const path = join(folder, "manifest.csv");
      writeFileSync(path, readFileSync(path, "utf8").replace("label", "labl"));
    },
    /manifest\.csv has no column "label"; did you mean labl\?/,
  ],
  [
    "no training samples",
    (folder) => editRows(folder, (cells) => (cells.split === "train" ? undefined : cells)),
    /manifest\.csv has no train samples/,
  ],
  [
    "a group in two splits",
    (folder) =>
      editRows(folder, (cells, row) => (row === 30 ? { ...cells, group: "train-0" } : cells)),
    /manifest\.csv: group train-0 is in two splits, row 2 \(train\) and row 30 \(val\)/,
  ],
  [
    "an unknown split",
    (folder) => editRows(folder, (cells, row) => (row === 5 ? { ...cells, split: "tain" } : cells)),
    /manifest\.csv row 5: split must be train, val, test or empty, got "tain"/,
  ],
  [
    "a misspelt label",
    (folder) =>
      editRows(folder, (cells, row) => (row === 40 ? { ...cells, label: "tnak" } : cells)),
    /manifest\.csv row 40: label tnak never occurs in train; did you mean tank\?/,
  ],
  [
    "a path that leads out of the folder",
    (folder) =>
      editRows(folder, (cells, row) => (row === 3 ? { ...cells, image: "../a.png" } : cells)),
    /manifest\.csv row 3: \.\.\/a\.png must be relative and inside/,
  ],
];

describe("train refuses, in one sentence and before it writes anything", () => {
  test.each(faults)("%s", async (name, change, message) => {
    const folder = changed(name.replaceAll(" ", "-"), change);
    const before = stateOf(folder);
    const out = join(place, `out of ${name}`);
    const { code, stdout, stderr } = await cli(["train", folder, "--out", out, "--epochs", "1"]);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain("which is a bug");
    expect([code, stdout]).toEqual([2, ""]);
    expect(stateOf(out)).toEqual({});
    expect(stateOf(folder)).toEqual(before);
  });

  test("a misspelt modality", async () => {
    const out = join(place, "imgae");
    const { code, stderr } = await cli(["train", good, "--out", out, "--modalities", "imgae"]);
    expect(stderr).toContain("unknown modality: imgae; did you mean image?");
    expect(code).toBe(2);
    expect(stateOf(out)).toEqual({});
  });

  test("a dataset folder that is not there, and one that is a file", async () => {
    for (const folder of [join(place, "nowhere"), join(good, "manifest.csv")]) {
      const { code, stderr } = await cli(["train", folder, "--out", join(place, "x")]);
      expect(stderr).toContain(`${folder} is not a folder: a dataset is one`);
      expect(code).toBe(2);
    }
  });
});

describe("data", () => {
  test("tells all faults at once and gives 2, with --json as well", async () => {
    const folder = changed("two-faults", (path) => {
      rmSync(join(path, "image/val-tank-0001.png"));
      writeFileSync(firstSound(path), floatWav([Number.POSITIVE_INFINITY]));
    });
    const { problems } = await json(["data", folder], 2);
    const told = (problems as { kind: string; sample: string }[]).map(
      ({ kind, sample }) => `${kind}: ${sample}`,
    );
    expect(told).toContain("missing file: val-tank-0001");
    expect(told).toContain("unreadable file: train-helicopter-0000");
    const { stdout } = await cli(["data", folder]);
    expect(stdout).toMatch(/error: missing file: manifest\.csv row \d+: image\/val-tank-0001\.png/);
    expect(stdout).toContain("Put the errors right");
  });

  test("with --strict a copy across splits gives 3, a clean dataset 0", async () => {
    const folder = changed("copied", (path) => {
      copyFileSync(join(path, "image/train-tank-0001.png"), join(path, "image/val-tank-0001.png"));
    });
    const { serious } = await json(["data", folder, "--strict"], 3);
    expect(serious).toEqual(["same content in two splits"]);
    await json(["data", changed("clean", () => {}), "--strict"]);
  });

  test("an empty folder and a folder per class are told apart", async () => {
    mkdirSync(join(place, "empty"));
    mkdirSync(join(place, "classes/dog"), { recursive: true });
    writeFileSync(join(place, "classes/dog/a.wav"), "");
    const [empty, classes] = [
      await cli(["data", join(place, "empty")]),
      await cli(["data", join(place, "classes")]),
    ];
    expect(empty.stderr).toContain("has no manifest.csv");
    expect(classes.stderr).toContain("`tinym2net data import` makes one of dog/ and the like");
    expect([empty.code, classes.code]).toEqual([2, 2]);
  });
});

describe("evaluate on another dataset", () => {
  test("scores one with the same classes, and keeps the result apart from the run's own", async () => {
    const other = join(place, "other", "tiny");
    await writeTiny(other, 4);
    const own = await json(["evaluate", run, "--split", "test"]);
    const met = await json(["evaluate", run, "--data", other, "--split", "test"]);
    expect([own.n, met.n]).toEqual([12, 12]);
    const { evaluations } = JSON.parse(readFileSync(join(run, "evaluation.json"), "utf8"));
    expect(evaluations.map(({ data }: { data: string }) => data)).toEqual([own.data, met.data]);
  });

  test("needs nothing but the split that it scores, be it of one class", async () => {
    const folder = changed("only-test", (path) =>
      editRows(path, (cells) =>
        cells.split === "test" && cells.label === "tank" ? cells : undefined,
      ),
    );
    const result = await json(["evaluate", run, "--data", folder, "--split", "test"]);
    expect(result).toMatchObject({
      n: 3,
      confusion: [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], expect.any(Array)],
    });
  });

  test("refuses a label that is no class of the net, and names the row", async () => {
    const folder = changed("unknown-label", (path) =>
      editRows(path, (cells) => (cells.label === "tank" ? { ...cells, label: "truck" } : cells)),
    );
    const before = stateOf(run);
    const said = await cli(["evaluate", run, "--data", folder, "--split", "test"]);
    expect(said.stderr).toMatch(/manifest\.csv row \d+: label "truck" is not a class of this net/);
    expect(said.code).toBe(2);
    expect(stateOf(run)).toEqual(before);
  });

  test("refuses a split without samples", async () => {
    const folder = changed("no-test", (path) =>
      editRows(path, (cells) => (cells.split === "test" ? undefined : cells)),
    );
    const { code, stderr } = await cli(["evaluate", run, "--data", folder, "--split", "test"]);
    expect(stderr).toContain("split test must have samples with image, got none");
    expect(code).toBe(2);
  });
});

test("verbs that need the training data refuse other data, and ask where it is", async () => {
  const copyOfRun = copy(run, join(place, "elsewhere", "run"));
  const lost = await cli(["compress", copyOfRun]);
  expect(lost.stderr).toContain("name the training data with --data if it has moved");
  const wrong = await cli(["compress", run, "--data", join(place, "other", "tiny")]);
  expect(wrong.stderr).toContain("its content has changed");
  expect([lost.code, wrong.code]).toEqual([2, 2]);
  expect(stateOf(run)).toEqual(stateOf(copyOfRun));
});
