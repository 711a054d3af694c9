/** Copies that were coded, moved and levelled anew are found; what is merely of one kind is not. */

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { random } from "../tensor/index.ts";
import type { Picture, Problem } from "./dataset.ts";
import { inspectDataset } from "./inspect.ts";
import { encodePng } from "./picture.ts";
import { SERIOUS_KINDS } from "./problems.ts";
import { readDataset } from "./read.ts";
import { openResampler } from "./resample.ts";
import { encodeWav } from "./wav.ts";

const RATE_HZ = 8000;

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tinym2net-copies-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Noise that swells and fades, as anything recorded does. */
function sound(seed: string, seconds = 1.5): Float32Array {
  const generator = random(seed);
  const pace = 3 + 4 * generator.next();
  let low = 0;
  return Float32Array.from({ length: seconds * RATE_HZ }, (_, n) => {
    low = 0.7 * low + 0.3 * generator.normal();
    return 0.25 * low * (1.2 + Math.sin((2 * Math.PI * pace * n) / RATE_HZ));
  });
}

/** Some soft blots on a plain ground. */
function picture(seed: string): Picture {
  const generator = random(seed);
  const blots = Array.from({ length: 14 }, () => ({
    y: 64 * generator.next(),
    x: 64 * generator.next(),
    size: 3 + 8 * generator.next(),
    light: 160 * (generator.next() - 0.5),
  }));
  const pixels = Uint8Array.from({ length: 64 * 64 }, (_, i) => {
    const [y, x] = [Math.floor(i / 64), i % 64];
    const light = blots.reduce(
      (sum, blot) =>
        sum + blot.light * Math.exp(-((y - blot.y) ** 2 + (x - blot.x) ** 2) / blot.size ** 2),
      128,
    );
    return Math.min(Math.max(Math.round(light + 3 * generator.normal()), 0), 255);
  });
  return { pixels, height: 64, width: 64, channels: 1 };
}

/** Something small of nine blots, before a sky with faint clouds, with the noise of a sensor. */
function sky(seed: string, { dark = -60, cloud = 12 } = {}): Picture {
  const generator = random(seed);
  const blot = (base: number, reach: number, size: number, light: number) => ({
    y: base + reach * (generator.next() - 0.5),
    x: base + reach * (generator.next() - 0.5),
    size: size * (1 + generator.next()),
    light: light * generator.next(),
  });
  const thing = Array.from({ length: 9 }, () => blot(32, 18, 1.5, dark));
  const clouds = Array.from({ length: 16 }, () => blot(32, 64, 5, cloud));
  const pixels = Uint8Array.from({ length: 64 * 64 }, (_, i) => {
    const [y, x] = [Math.floor(i / 64), i % 64];
    const light = [...thing, ...clouds].reduce(
      (sum, { size, light, ...at }) =>
        sum + light * Math.exp(-((y - at.y) ** 2 + (x - at.x) ** 2) / size ** 2),
      170,
    );
    return Math.min(Math.max(Math.round(light + generator.normal()), 0), 255);
  });
  return { pixels, height: 64, width: 64, channels: 1 };
}

async function skies(count: number): Promise<Files> {
  const entries = Array.from({ length: count }, async (_, i) => {
    return [`d${i}.png`, await encodePng(sky(`sky ${i}`))] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** One dot before a grey sky, about in the middle. */
async function dots(count: number, { lights = 0 } = {}): Promise<Files> {
  const entries = Array.from({ length: count }, async (_, i) => {
    const generator = random(`sky ${i}`);
    const [y0, x0, size] = [0, 0, 6].map((base) => base + 4 * generator.next());
    const light = 150 - lights * generator.next();
    const pixels = Uint8Array.from({ length: 64 * 64 }, (_, k) => {
      const square = (Math.floor(k / 64) - 30 - y0) ** 2 + ((k % 64) - 30 - x0) ** 2;
      return Math.round(light - 90 * Math.exp(-square / size ** 2) + generator.normal());
    });
    return [`d${i}.png`, await encodePng({ pixels, height: 64, width: 64, channels: 1 })] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

type Files = Readonly<Record<string, Uint8Array>>;

/** One sample a file, each a group of its own, dealt to train, val and test in turn. */
async function audit(name: string, files: Files): Promise<readonly Problem[]> {
  const folder = join(root, name);
  await mkdir(folder);
  const column = Object.keys(files)[0].endsWith(".wav") ? "audio" : "image";
  const rows = await Promise.all(
    Object.entries(files).map(async ([file, bytes], i) => {
      await writeFile(join(folder, file), bytes);
      return `${file},${"xy"[i % 2]},${["train", "train", "val", "test"][i % 4]},g${i},${file}`;
    }),
  );
  await writeFile(
    join(folder, "manifest.csv"),
    `id,label,split,group,${column}\n${rows.join("\n")}`,
  );
  return (await inspectDataset(await readDataset(folder))).problems;
}

const clean = (count: number, seconds?: number): Files =>
  Object.fromEntries(
    Array.from({ length: count }, (_, i) => [
      `s${i}.wav`,
      encodeWav(sound(`${i}`, seconds), RATE_HZ),
    ]),
  );

async function cleanPictures(count: number): Promise<Files> {
  const entries = Array.from({ length: count }, async (_, i) => {
    return [`p${i}.png`, await encodePng(picture(`${i}`))] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** mu-law's 256 levels (ITU-T G.711's curve) and back. */
const muLaw = (x: number) => {
  const coded = Math.round(127 * (Math.log1p(255 * Math.abs(x)) / Math.log(256))) / 127;
  return Math.sign(x) * ((256 ** coded - 1) / 255);
};

const original = sound("0");
const late = Math.round(0.037 * RATE_HZ);
const soundCopies: Readonly<Record<string, Uint8Array>> = {
  "6 dB quieter, 37 ms later, 8 bits": encodeWav(
    original.subarray(late).map((x) => Math.round(64 * x) / 128),
    RATE_HZ,
  ),
  "at 44.1 kHz": encodeWav(openResampler()(original, { from: RATE_HZ, to: 44_100 }), 44_100),
  "through mu-law": encodeWav(original.subarray(99).map(muLaw), RATE_HZ),
  "its second half": encodeWav(original.subarray(original.length / 2), RATE_HZ),
};

describe("sounds", () => {
  test.each(Object.keys(soundCopies))("%s: found in another split", async (how) => {
    const files = { ...clean(23), "copy.wav": soundCopies[how] };
    const problems = await audit(`sound ${how}`, files);
    const found = problems.filter(({ kind }) => kind.startsWith("near copy"));
    expect(found.map(({ kind, sample, samples }) => [kind, sample, samples])).toEqual([
      ["near copy in two splits", "copy.wav", ["s0.wav", "copy.wav"]],
    ]);
    expect(found[0].message).toContain("row 2 (train) and row 25 (test): s0.wav and copy.wav");
  });

  test("of a third of a second: sizes of changes tell what too few bits cannot", async () => {
    const [seconds, moved] = [0.35, Math.round(0.02 * RATE_HZ)];
    const short = sound("0", seconds).subarray(moved).map(muLaw);
    const files = { ...clean(79, seconds), "copy.wav": encodeWav(short, RATE_HZ) };
    const found = (await audit("short", files)).filter(({ kind }) => kind.startsWith("near copy"));
    expect(found.map(({ samples }) => samples)).toEqual([["s0.wav", "copy.wav"]]);
  });

  test("that have a quarter of a second in common are no copies: one onset is like another", async () => {
    const onset = sound("onset", 0.25);
    const [ending, beginning] = [sound("ending", 0.5), sound("beginning", 0.5)];
    ending.set(onset, ending.length - onset.length);
    beginning.set(onset);
    const files = {
      ...clean(40, 0.5),
      "a.wav": encodeWav(ending, RATE_HZ),
      "b.wav": encodeWav(beginning, RATE_HZ),
    };
    const problems = await audit("onset", files);
    expect(problems.filter(({ kind }) => kind.startsWith("near copy"))).toEqual([]);
  });

  test("that are independent noise give no serious finding", async () => {
    const problems = await audit("noise", clean(80));
    expect(problems.filter(({ kind }) => SERIOUS_KINDS.includes(kind))).toEqual([]);
    expect(problems.filter(({ kind }) => kind.startsWith("near copy"))).toEqual([]);
  });
});

const raw = () => {
  const { pixels, height, width } = picture("0");
  return sharp(pixels, { raw: { height, width, channels: 1 } }).toColourspace("b-w");
};
const moved = { left: 2, top: 2, width: 62, height: 62 };
const pictureCopies: Readonly<Record<string, () => Promise<Uint8Array>>> = {
  "as JPEG of quality 60, 2 pixels moved": () =>
    raw()
      .extract(moved)
      .extend({ right: 2, bottom: 2, extendWith: "copy" })
      .jpeg({ quality: 60 })
      .toBuffer(),
  "at another size": () => raw().resize(100, 90, { fit: "fill" }).jpeg({ quality: 80 }).toBuffer(),
  "cropped by 2 pixels": () =>
    raw().extract({ left: 2, top: 2, width: 60, height: 60 }).png().toBuffer(),
  darker: () => raw().linear(0.6, 10).png().toBuffer(),
};

describe("pictures", () => {
  test.each(Object.keys(pictureCopies))("%s: found in another split", async (how) => {
    const copy = await pictureCopies[how]();
    const problems = await audit(`picture ${how}`, {
      ...(await cleanPictures(39)),
      "copy.png": copy,
    });
    const found = problems.filter(({ kind }) => kind.startsWith("near copy"));
    expect(found.map(({ kind, samples }) => [kind, samples])).toEqual([
      ["near copy in two splits", ["p0.png", "copy.png"]],
    ]);
  });

  test("of small things before a sky: the copy is told from all others like it", async () => {
    const files = await skies(60);
    const { pixels } = sky("sky 7");
    const grey = { raw: { height: 64, width: 64, channels: 1 } } as const;
    const copy = sharp(pixels, grey).toColourspace("b-w").linear(0.85, 12);
    const moved = copy.extract({ left: 1, top: 2, width: 63, height: 62 });
    const bytes = await moved.resize(64, 64, { fit: "fill" }).jpeg({ quality: 85 }).toBuffer();
    const problems = await audit("dots", { ...files, "copy.jpg": bytes });
    const found = problems.filter(({ kind }) => kind.startsWith("near copy"));
    expect(found.map(({ samples }) => samples)).toEqual([["d7.png", "copy.jpg"]]);
  });

  test("of one brightness and nothing but noise are no copies", async () => {
    const blank = (seed: string) => encodePng(sky(seed, { dark: 0, cloud: 0 }));
    const blanks = { "one.png": await blank("one"), "other.png": await blank("other") };
    const problems = await audit("blank", { ...(await skies(80)), ...blanks });
    expect(problems.filter(({ kind }) => kind.startsWith("near copy"))).toEqual([]);
  });

  test("that are independent give no finding", async () => {
    expect(await audit("pictures", await cleanPictures(100))).toEqual([]);
  });

  test("of small things before a sky are alike, which is no finding", async () => {
    const problems = await audit("sky", await skies(80));
    expect(problems.filter(({ kind }) => kind.startsWith("near copy"))).toEqual([]);
  });

  test("of one dot before a grey sky are alike, which is no finding", async () => {
    const problems = await audit("one dot", await dots(80));
    expect(problems.filter(({ kind }) => kind.startsWith("near copy"))).toEqual([]);
  });

  test("of one dot: what was merely coded anew is told by its place and light", async () => {
    const files = await dots(80, { lights: 100 });
    const copy = await sharp(files["d7.png"]).jpeg({ quality: 60 }).toBuffer();
    const problems = await audit("dot", { ...files, "copy.jpg": copy });
    const found = problems.filter(({ kind }) => kind.startsWith("near copy"));
    expect(found.map(({ samples }) => samples)).toEqual([["d7.png", "copy.jpg"]]);
  });
});

test("an offset of a twentieth of full scale is told, its clean twin is not", async () => {
  const shifted = encodeWav(
    sound("offset").map((x) => 0.5 * x + 0.05),
    RATE_HZ,
  );
  const problems = await audit("offset", { ...clean(7), "shifted.wav": shifted });
  const found = problems.filter(({ kind }) => kind === "DC offset");
  expect(found.map(({ sample }) => sample)).toEqual(["shifted.wav"]);
});

test("segments that overlap across splits are an error, neighbours are not", async () => {
  const folder = join(root, "segments");
  await mkdir(folder);
  await writeFile(join(folder, "long.wav"), encodeWav(sound("long", 4), RATE_HZ));
  const rows = ["a,x,train,a,0,1", "b,y,train,b,1,1", "c,x,val,c,1.5,1", "d,y,test,d,2.5,1"].map(
    (row) => row.replace(/^(\w,\w,\w+,\w)/, "$1,long.wav"),
  );
  const header = "id,label,split,group,audio,audio_start_s,audio_duration_s";
  await writeFile(join(folder, "manifest.csv"), [header, ...rows].join("\n"));
  const { problems } = await readDataset(folder);
  const found = problems.filter(({ severity }) => severity === "error");
  expect(found.map(({ kind, samples }) => [kind, samples])).toEqual([
    ["overlapping segments in two splits", ["b", "c"]],
  ]);
});
