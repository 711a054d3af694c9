import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../errors.ts";
import { assertUsable } from "./dataset.ts";
import { readDataset } from "./read.ts";

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tinym2net-read-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

let made = 0;

/** A folder with a manifest and empty files. */
async function folderOf(manifest: string | Uint8Array, files = ["a.wav", "b.wav", "c.png"]) {
  const folder = join(root, `set-${made++}`);
  for (const file of files) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), "");
  }
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "manifest.csv"), manifest);
  return folder;
}

const sound = "id,label,split,group,audio";
/** A faultless manifest of two classes in three splits. */
const good = [
  sound,
  "1,x,train,g1,a.wav",
  "2,y,train,g2,b.wav",
  "3,x,val,g3,a.wav",
  "4,y,val,g4,b.wav",
  "5,x,test,g5,a.wav",
  "6,y,test,g6,b.wav",
];
const text = (...lines: string[]) => `${lines.join("\n")}\n`;
const goodAnd = (...lines: string[]) => text(...good, ...lines);

async function problemsOf(manifest: string) {
  const { problems } = await readDataset(await folderOf(manifest));
  return problems.map(({ severity, kind, message }) => `${severity} ${kind}: ${message}`);
}

test("a good manifest gives samples, segments, further columns, and tells of empty cells", async () => {
  const folder = await folderOf(
    text(
      `${sound},audio_start_s,audio_duration_s,image,site`,
      '1,x,train,g1,a.wav,1.5,0.25,./c.png,"north, hill"',
      ...good.slice(2).map((line) => `${line},,,,`),
    ),
  );
  const dataset = await readDataset(folder);
  expect(dataset.problems).toEqual([
    {
      severity: "warning",
      kind: "missing modality",
      samples: ["2", "3", "4", "5", "6"],
      message:
        "manifest.csv: image is missing (5 of 6 samples, first in row 3); " +
        "nets that use it leave them out",
    },
  ]);
  expect(dataset.classes).toEqual(["x", "y"]);
  expect(dataset.modalities).toEqual([
    { name: "audio", kind: "audio" },
    { name: "image", kind: "image" },
  ]);
  expect(dataset.samples[0]).toEqual({
    id: "1",
    row: 2,
    label: "x",
    split: "train",
    group: "g1",
    sources: { audio: { path: "a.wav", startS: 1.5, durationS: 0.25 }, image: { path: "c.png" } },
    columns: { site: "north, hill" },
  });
  expect(dataset.samples[1].sources).toEqual({ audio: { path: "b.wav" } });
  expect(() => assertUsable(dataset)).not.toThrow();
});

describe("problems name file and row", () => {
  const row8 = "manifest.csv row 8";
  const found = "id, label, split, group, audio";
  const misspelt = found.replace("label", "labels");
  const cases: [name: string, manifest: string, problem: string, message: string][] = [
    [
      "a missing file",
      goodAnd("7,x,train,g7,gone.wav"),
      "error missing file",
      `${row8}: gone.wav does not exist`,
    ],
    [
      "a duplicate id",
      goodAnd("6,x,train,g7,a.wav"),
      "error duplicate id",
      `${row8}: id 6 is taken by row 7`,
    ],
    ["an empty id", goodAnd(",x,train,g7,a.wav"), "error missing id", `${row8}: id is empty`],
    [
      "an empty label",
      goodAnd("7,,train,g7,a.wav"),
      "error missing label",
      `${row8}: label is empty`,
    ],
    [
      "an unknown split",
      goodAnd("7,x,training,g7,a.wav"),
      "error unknown split",
      `${row8}: split must be train, val, test or empty, got "training"`,
    ],
    [
      "an empty split among others",
      goodAnd("7,x,,g7,a.wav"),
      "error missing split",
      `${row8}: split is empty though other rows have one`,
    ],
    [
      "an empty group",
      goodAnd("7,x,train,,a.wav"),
      "warning missing group",
      `${row8}: group is empty; 7 is taken as a group by itself`,
    ],
    [
      "a group in two splits",
      goodAnd("7,x,test,g1,a.wav"),
      "error group in two splits",
      "manifest.csv: group g1 is in two splits, row 2 (train) and row 8 (test)",
    ],
    [
      "a class that is only tested",
      goodAnd("7,xy,test,g7,a.wav"),
      "error class without training",
      `${row8}: label xy never occurs in train; did you mean x?`,
    ],
    [
      "a path that leaves the folder",
      goodAnd("7,x,train,g7,../a.wav"),
      "error path outside folder",
      `${row8}: ../a.wav must be relative and inside the dataset's folder`,
    ],
    [
      "an absolute path",
      goodAnd("7,x,train,g7,C:\\a.wav"),
      "error path outside folder",
      `${row8}: C:/a.wav must be relative and inside the dataset's folder`,
    ],
    [
      "a picture among sounds",
      goodAnd("7,x,train,g7,c.png"),
      "error wrong file kind",
      `${row8}: c.png must be a sound file (.wav, .flac, .mp3, ...) in audio`,
    ],
    [
      "a row of wrong length",
      goodAnd("7,x,train,g7"),
      "error row length",
      `${row8}: 4 cells, the header has 5`,
    ],
    [
      "a sample with nothing to see or hear",
      goodAnd("7,x,train,g7,"),
      "error no modality",
      `${row8}: 7 has none of the modalities audio`,
    ],
    [
      "no train samples",
      text(sound, "1,x,val,g1,a.wav", "2,y,test,g2,b.wav"),
      "error empty split",
      "manifest.csv has no train samples",
    ],
    [
      "no test samples",
      text(...good.slice(0, 5)),
      "warning empty split",
      "manifest.csv has no test samples: no final score can be given",
    ],
    [
      "one class",
      text(...good.filter((line) => !line.includes(",y,"))),
      "error one class",
      "manifest.csv has one class, x; a classifier needs two or more",
    ],
    [
      "four to one",
      goodAnd(...[7, 8, 9].map((id) => `${id},x,train,g${id},a.wav`)),
      "warning class imbalance",
      "manifest.csv: train has 4 of x, but 1 of y; judge by balanced accuracy",
    ],
    [
      "a class that is not validated",
      text(...good.filter((line) => !line.includes("y,val"))),
      "warning class without samples",
      "manifest.csv: val has no samples of y",
    ],
    ["a header alone", text(sound), "error no samples", "manifest.csv has a header but no rows"],
    [
      "a misspelt column",
      text("id,labels,split,group,audio", "1,x,train,g,a.wav"),
      "error missing column",
      `manifest.csv has no column "label"; did you mean labels? (it has ${misspelt})`,
    ],
    [
      "no modality at all",
      text("id,label,split,group,audio", "1,x,train,g,hello"),
      "error missing column",
      `manifest.csv has no column of paths of sounds, pictures or series; columns: ${found}`,
    ],
  ];
  test.each(cases)("%s is told", async (_name, manifest, problem, message) => {
    expect(await problemsOf(manifest)).toEqual([`${problem}: ${message}`]);
  });

  test.each(["x", "-1", "nan"])("a segment that starts at %s is refused", async (start) => {
    const lines = [`${good[0]},audio_start_s`, ...good.slice(1).map((line) => `${line},0`)];
    const problems = await problemsOf(text(...lines, `7,x,train,g7,a.wav,${start}`));
    expect(problems).toEqual([
      `error bad segment: ${row8}: a.wav needs a start >= 0 and a duration > 0 in seconds, ` +
        `got ${start}, -`,
    ]);
  });

  test.each([
    ["a range turned round", "image_low,image_high", "9,2", "needs counts low < high of pictures"],
    [
      "half a range",
      "image_low,image_high",
      "9,",
      "needs counts low < high of pictures, or neither",
    ],
    [
      "a rate of a picture",
      "image_rate_hz",
      "10",
      "needs a rate > 0 in Hz, of series alone, got 10",
    ],
  ])("%s is refused", async (_name, columns, cells, message) => {
    const empty = columns.replace(/[^,]/g, "");
    const lines = good.slice(1).map((line) => `${line},c.png,${empty}`);
    const row = `7,x,train,g7,a.wav,c.png,${cells}`;
    const problems = await problemsOf(text(`${sound},image,${columns}`, ...lines, row));
    expect(problems[0]).toContain(`${row8}: c.png ${message}`);
  });

  test("a modality's own group in two splits is told where that modality is in use", async () => {
    const lines = good.slice(1).map((line, i) => `${line},c.png,${i === 5 ? "p0" : `p${i}`}`);
    const folder = await folderOf(text(`${sound},image,image_group`, ...lines));
    const { problems } = await readDataset(folder);
    expect(problems.map(({ kind }) => kind)).toEqual([
      "group in two splits",
      "class-matched pairs",
    ]);
    expect(problems[0].message).toContain(
      "image_group p0 is in two splits, row 2 (train) and row 7",
    );
    expect((await readDataset(folder, { modalities: ["audio"] })).problems).toEqual([]);
  });

  test("twenty problems of a kind are listed, and the rest is counted", async () => {
    const lines = Array.from({ length: 50 }, (_, i) => `n${i},x,train,n${i},gone-${i}.wav`);
    const gone = (await problemsOf(goodAnd(...lines))).filter((line) =>
      line.includes("missing file"),
    );
    expect(gone).toHaveLength(21);
    expect(gone[20]).toContain("and 30 more of the kind: missing file");
  });
});

describe("splits that the manifest leaves open", () => {
  const rows = Array.from({ length: 40 }, (_, i) => `${i},${i % 2 ? "x" : "y"},,g${i >> 2},a.wav`);

  test("are made by group and seed, and a warning says so", async () => {
    const folder = await folderOf(text(sound, ...rows));
    const first = await readDataset(folder, { seed: 5 });
    expect(first.problems.map(({ kind }) => kind)).toEqual(["split made"]);
    expect(new Set(first.samples.map(({ split }) => split)).size).toBe(3);
    expect(await readDataset(folder, { seed: 5 })).toEqual(first);
  });

  test("are made for val alone where only val is missing, and test is not touched", async () => {
    const open = rows.map((row, i) => row.replace(",,", i < 32 ? ",train," : ",test,"));
    const { samples, problems } = await readDataset(await folderOf(text(sound, ...open)));
    expect(problems.map(({ message }) => message)[0]).toMatch(
      /no val samples: 4 of 32 train samples/,
    );
    expect(samples.filter(({ split }) => split === "test")).toHaveLength(8);
  });
});

describe("what cannot be read at all is thrown", () => {
  test.each([
    ["an unclosed quote", text(sound, '1,"x,train,g,a.wav'), "manifest.csv: Quote Not Closed"],
    ["an empty file", "", "manifest.csv is empty: it needs a header"],
    ["bytes that are no text", Uint8Array.of(0xff, 0xfe, 0x69, 0), "manifest.csv is not UTF-8"],
    ["semicolons", "id;label;split;group\n", 'is separated by ";"; it must be commas'],
    ["a column twice", "id,id,label\n", 'manifest.csv row 1: column "id" is there twice'],
  ])("%s", async (_name, manifest, message) => {
    const reading = readDataset(await folderOf(manifest));
    await expect(reading).rejects.toThrow(UserError);
    await expect(reading).rejects.toThrow(message);
  });

  test("a folder that is not there, or without a manifest, or with class folders", async () => {
    const empty = join(root, "empty");
    await mkdir(join(empty, "dog"), { recursive: true });
    await expect(readDataset(join(root, "nowhere"))).rejects.toThrow("is not a folder");
    await expect(readDataset(empty)).rejects.toThrow("has no manifest.csv (columns id, label");
    await writeFile(join(empty, "dog", "a.wav"), "");
    await expect(readDataset(empty)).rejects.toThrow("`tinym2net data import` makes one of dog/");
  });

  test("a modality that is not there, with the nearest one", async () => {
    const reading = readDataset(await folderOf(goodAnd()), { modalities: ["adio"] });
    await expect(reading).rejects.toThrow("unknown modality: adio; did you mean audio?");
  });
});

test("a byte order mark, CRLF, blank lines and quoted breaks do not shift rows", async () => {
  const lines = [
    `\uFEFF${sound},note`,
    "",
    '1,x,train,g1,a.wav,"two',
    'lines"',
    "2,y,train,g2,b.wav,",
  ];
  const manifest = lines.join("\r\n");
  const { samples } = await readDataset(await folderOf(manifest));
  expect(samples.map(({ row }) => row)).toEqual([3, 5]);
});

test("numbers as classes are in numeric order, and __proto__ is a plain name", async () => {
  const rows = ["10", "9", "2"].map((label, i) => `${i},${label},train,g${i},a.wav,v`);
  const folder = await folderOf(text(`${sound},__proto__`, ...rows));
  const { classes, samples } = await readDataset(folder);
  expect(classes).toEqual(["2", "9", "10"]);
  expect(Object.keys(samples[0].columns)).toEqual(["__proto__"]);
});

test("a symbolic link counts as the file it leads to", async () => {
  const folder = await folderOf(goodAnd("7,x,train,g7,link.wav"));
  await symlink(join(folder, "a.wav"), join(folder, "link.wav"));
  expect((await readDataset(folder)).problems).toEqual([]);
});

test("errors stop a dataset from being used, all of them in one message", async () => {
  const dataset = await readDataset(
    await folderOf(goodAnd("7,x,train,g7,u.wav", "8,,train,g8,a.wav")),
  );
  expect(() => assertUsable(dataset)).toThrow(UserError);
  expect(() => assertUsable(dataset)).toThrow(
    /row 9: label is empty\n.*row 8: u.wav does not exist/,
  );
});
