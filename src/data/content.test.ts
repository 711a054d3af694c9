/** Decoding, inspecting, hashing and writing, on folders with real content. */

import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../errors.ts";
import { random } from "../tensor/index.ts";
import type { Audio, Picture, Sample } from "./dataset.ts";
import { contentHash } from "./hash.ts";
import { inspectDataset } from "./inspect.ts";
import { decodePicture, encodePng } from "./picture.ts";
import { readDataset } from "./read.ts";
import { openReader } from "./reader.ts";
import { encodeWav } from "./wav.ts";
import { type NewSample, writeDataset } from "./write.ts";

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tinym2net-content-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

function sound(seed: string, length = 800): Audio {
  const generator = random(seed);
  const samples = Float32Array.from({ length }, () => generator.integer(2 ** 15) / 2 ** 15 - 0.5);
  return { samples, sampleRateHz: 8000 };
}

function picture(seed: string, channels: 1 | 3 = 3): Picture {
  const generator = random(seed);
  const pixels = Uint8Array.from({ length: 4 * 6 * channels }, () => generator.integer(256));
  return { pixels, height: 4, width: 6, channels };
}

/** Six samples of two classes, one for each split. */
function samples(): NewSample[] {
  return (["train", "val", "test"] as const).flatMap((split) =>
    ["x", "y"].map((label) => {
      const id = `${split}-${label}`;
      return { id, label, split, group: id, sources: { audio: sound(id), image: picture(id) } };
    }),
  );
}

async function written(name: string, change?: (folder: string) => Promise<void>) {
  const folder = join(root, name);
  await writeDataset(folder, { samples: samples() });
  await change?.(folder);
  return readDataset(folder);
}

describe("writing and reading back", () => {
  test("gives the same sounds and pictures, and no problem", async () => {
    const dataset = await written("same");
    expect(dataset.problems).toEqual([]);
    const reader = openReader(dataset);
    for (const [i, { sources }] of samples().entries()) {
      expect(await reader.audio(dataset.samples[i], "audio")).toEqual(sources.audio);
      expect(await reader.picture(dataset.samples[i], "image")).toEqual(sources.image);
    }
  });

  test("a dataset is replaced with force alone, any other folder never", async () => {
    await written("twice");
    const folder = join(root, "twice");
    await expect(writeDataset(folder, { samples: samples() })).rejects.toThrow(UserError);
    await writeDataset(folder, { samples: samples().slice(0, 2), force: true });
    expect((await readDataset(folder)).samples).toHaveLength(2);
    await rm(join(folder, "manifest.csv"));
    const again = writeDataset(folder, { samples: samples(), force: true });
    await expect(again).rejects.toThrow("exists and is not empty; nothing was written");
  });

  test("a failure on the way leaves nothing behind", async () => {
    const folder = join(root, "half");
    const bad = [...samples(), { ...samples()[0], id: "../evil" }];
    await expect(writeDataset(folder, { samples: bad })).rejects.toThrow(
      "id must be letters, digits",
    );
    expect((await readdir(root)).filter((name) => name.includes("half"))).toEqual([]);
  });

  test("cells with commas, quotes and line breaks survive", async () => {
    const note = 'a, "b"\nc';
    const noted = samples().map((sample) => ({ ...sample, columns: { note } }));
    await writeDataset(join(root, "noted"), { samples: noted });
    const { samples: read } = await readDataset(join(root, "noted"));
    expect(read.map(({ columns }) => columns.note)).toEqual(noted.map(() => note));
  });
});

describe("segments of one recording", () => {
  const segmented = (startS: number, durationS: number, path = "long.wav"): Sample => ({
    ...{ id: "s", row: 2, label: "x", split: "train", group: "g", columns: {} },
    sources: { audio: { path, startS, durationS } },
  });
  const long = sound("long");
  beforeAll(() => writeFile(join(root, "long.wav"), encodeWav(long.samples, 8000)));
  const reader = (...all: Sample[]) =>
    openReader({ folder: root, samples: all }, { cacheBytes: 4e3 });

  test("are cut at the nearest sample, from one decoding or several", async () => {
    const [a, b] = [segmented(0.01, 0.02), segmented(0.05, 0.05)];
    for (const each of [reader(a, b), reader(a)]) {
      const [first, last] = [await each.audio(a, "audio"), await each.audio(b, "audio")];
      expect(first.samples).toEqual(long.samples.subarray(80, 240));
      expect(last.samples).toEqual(long.samples.subarray(400, 800));
    }
  });

  test("past the end are refused with row, file and both lengths", async () => {
    const late = segmented(0.05, 0.1);
    await expect(reader(late).audio(late, "audio")).rejects.toThrow(
      "manifest.csv row 2: long.wav lasts 0.100 s, the segment wants 0.05 to 0.15",
    );
    const gone = segmented(0, 1, "gone.wav");
    await expect(reader(gone).audio(gone, "audio")).rejects.toThrow(
      /^manifest.csv row 2: .*gone.wav/,
    );
    expect(() => reader(late).picture(late, "image")).toThrow(RangeError);
  });
});

test("every kind of file reaches the reader, with range, rate and segment of its row", async () => {
  const folder = join(root, "kinds");
  await mkdir(folder);
  await cp(new URL("golden/tone.flac", import.meta.url), join(folder, "a.flac"));
  await writeFile(join(folder, "t.pgm"), "P2 2 1 65535 7000 7256");
  await writeFile(join(folder, "m.csv"), "1,2\n3,4\n5,6\n7,8\n");
  const columns = "audio,thermal,thermal_low,thermal_high,motion,motion_rate_hz,motion_start_s";
  const row = (id: string, label: string, split: string) =>
    `${id},${label},${split},${id},a.flac,t.pgm,7000,7512,m.csv,10,0.2\n`;
  const rows = ["train", "val", "test"].flatMap((s) => [
    row(`${s}1`, "x", s),
    row(`${s}2`, "y", s),
  ]);
  await writeFile(
    join(folder, "manifest.csv"),
    `id,label,split,group,${columns}\n${rows.join("")}`,
  );
  const dataset = await readDataset(folder);
  expect(dataset.problems).toEqual([]);
  expect(dataset.modalities.map(({ kind }) => kind)).toEqual(["audio", "image", "series"]);
  const reader = openReader(dataset);
  const [sample] = dataset.samples;
  expect((await reader.audio(sample, "audio")).samples).toHaveLength(4410);
  expect([...(await reader.picture(sample, "thermal")).pixels]).toEqual([0, 128]);
  expect(await reader.series(sample, "motion")).toEqual({
    ...{ rateHz: 10, channels: 2, data: Float32Array.of(5, 6, 7, 8), length: 2 },
  });
  const { modalities } = await inspectDataset(dataset);
  expect(modalities.motion).toEqual({
    ...{ kind: "series", present: 6, missing: 0, unreadable: 0, forms: { "10 x 2": 6 } },
    ...{ shortestS: 0.2, longestS: 0.2, totalS: expect.closeTo(1.2), constant: 0 },
  });
});

describe("pictures", () => {
  test("keep one channel where grey, lose alpha, and 16 bits become 8", async () => {
    const grey = picture("grey", 1);
    expect(await decodePicture(await encodePng(grey), "x.png")).toEqual(grey);
    const raw = { width: 6, height: 4, channels: 4 as const };
    const alpha = await sharp(new Uint8Array(96).fill(200), { raw }).png().toBuffer();
    expect((await decodePicture(alpha, "x.png")).channels).toBe(3);
    const deep = await sharp(new Uint16Array(24).fill(0x8040), { raw: { ...raw, channels: 1 } })
      .toColourspace("grey16")
      .png()
      .toBuffer();
    const expected = { ...grey, pixels: new Uint8Array(24).fill(0x80) };
    expect(await decodePicture(deep, "x.png")).toEqual(expected);
    const jpeg = await sharp(await encodePng(grey))
      .toColourspace("b-w")
      .jpeg()
      .toBuffer();
    expect((await decodePicture(jpeg, "x.jpg")).channels).toBe(1);
  });

  test("as BMP are read from the bottom up, blue first", async () => {
    const bmp = new Uint8Array(54 + 16);
    const view = new DataView(bmp.buffer);
    bmp.set([0x42, 0x4d]);
    for (const [at, value] of [
      [10, 54],
      [14, 40],
      [18, 2],
      [22, 2],
      [26, 1],
      [28, 24],
    ]) {
      view.setUint16(at, value, true);
    }
    bmp.set([1, 2, 3, 4, 5, 6, 0, 0, 7, 8, 9, 10, 11, 12], 54);
    const read = await decodePicture(bmp, "x.bmp");
    expect([...read.pixels]).toEqual([9, 8, 7, 12, 11, 10, 3, 2, 1, 6, 5, 4]);
    await expect(decodePicture(bmp.slice(0, 60), "x.bmp")).rejects.toThrow("x.bmp is truncated");
  });

  test("that are empty, cut or something else are refused by name", async () => {
    const png = await encodePng(picture("cut"));
    for (const bytes of [new Uint8Array(0), png.slice(0, 60), new Uint8Array(100).fill(65)]) {
      await expect(decodePicture(bytes, "x.png")).rejects.toThrow(UserError);
    }
  });
});

describe("inspection", () => {
  test("counts rates, sizes and seconds, and reports each file as it is done", async () => {
    const progress: number[] = [];
    const dataset = await written("counts");
    const found = await inspectDataset(dataset, { onProgress: (done) => progress.push(done) });
    expect(found.problems).toEqual([]);
    expect(progress).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
    const counts = { present: 6, missing: 0, unreadable: 0 };
    expect(found.modalities.image).toEqual({
      ...{ kind: "image", ...counts, sizes: { "4 x 6 x 3": 6 }, blank: 0 },
    });
    expect(found.modalities.audio).toMatchObject({ ...counts, sampleRatesHz: { 8000: 6 } });
  });

  test("finds cut files, silence, clipping, mixed rates, blank pictures and copies", async () => {
    const dataset = await written("faults", async (folder) => {
      const audio = (id: string) => join(folder, "audio", `${id}.wav`);
      const image = (id: string) => join(folder, "image", `${id}.png`);
      await writeFile(audio("train-x"), (await readFile(audio("train-x"))).subarray(0, 100));
      await writeFile(audio("train-y"), encodeWav(new Float32Array(100), 8000));
      await writeFile(audio("val-x"), encodeWav(new Float32Array(100).fill(1), 16000));
      await cp(audio("val-y"), audio("test-y"));
      await writeFile(image("train-x"), "no picture");
      const blank = { ...picture("blank"), pixels: new Uint8Array(72).fill(9) };
      await writeFile(image("val-x"), await encodePng(blank));
      await cp(image("test-x"), image("test-y"));
    });
    const { problems } = await inspectDataset(dataset);
    expect(problems.map(({ severity, kind, sample }) => [severity, kind, sample])).toEqual([
      ["error", "unreadable file", "train-x"],
      ["error", "unreadable file", "train-x"],
      ["error", "same content in two splits", "test-y"],
      ["warning", "silence", "train-y"],
      ["warning", "clipping", "val-x"],
      ["warning", "mixed sample rates", undefined],
      ["warning", "blank picture", "val-x"],
      ["warning", "same content under two labels", "test-y"],
    ]);
    expect(problems[0].message).toMatch(/^manifest.csv row 2: audio\/train-x.wav is truncated/);
  });
});

test("the content hash changes with any byte of any file, and only then", async () => {
  const hash = await contentHash(await written("hash-a"));
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  expect(await contentHash(await written("hash-b"))).toBe(hash);
  const changed = await written("hash-c", async (folder) => {
    const path = join(folder, "audio", "val-x.wav");
    const bytes = await readFile(path);
    bytes[bytes.length - 1] ^= 1;
    await writeFile(path, bytes);
  });
  expect(await contentHash(changed)).not.toBe(hash);
});
