/** Small trees of files in each layout that can be imported: real WAV and PNG files, real tables. */

import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { encodeWav } from "../src/data/index.ts";
import { random } from "../src/tensor/index.ts";

/** Text of a file, or what is made for a path that ends like sound or a picture. */
export type Tree = Readonly<Record<string, string | "made" | Uint8Array>>;

/** A tenth of a second of noise, or an 8 x 8 picture; another for each path. */
async function content(path: string): Promise<Uint8Array> {
  const generator = random(path);
  if (/\.wav$/i.test(path)) {
    const samples = Float32Array.from({ length: 800 }, () => generator.next() - 0.5);
    return encodeWav(samples, 8000);
  }
  const pixels = Uint8Array.from({ length: 192 }, () => generator.integer(256));
  return sharp(pixels, { raw: { height: 8, width: 8, channels: 3 } })
    .png()
    .toBuffer();
}

/** Write a tree; returns its folder. */
export async function plant(folder: string, tree: Tree): Promise<string> {
  for (const [path, text] of Object.entries(tree)) {
    const place = join(folder, path);
    await mkdir(dirname(place), { recursive: true });
    await writeFile(place, text === "made" ? await content(path) : text);
  }
  return folder;
}

const made = (...paths: string[]): Tree => Object.fromEntries(paths.map((path) => [path, "made"]));

/** One object a line. */
const lines = (...values: object[]): string => values.map((v) => JSON.stringify(v)).join("\n");

export interface Layout {
  readonly name: string;
  readonly tree: Tree;
  /** Options it needs beyond being recognised. */
  readonly options?: { readonly toleranceS?: number };
  /** Rows of the manifest that comes of it, as "id label split group modality=path ...". */
  readonly rows: readonly string[];
  /** Files that are not taken. */
  readonly refused: readonly string[];
}

/** Every layout with what must come of it. */
export const LAYOUTS: readonly Layout[] = [
  {
    name: "folders",
    tree: {
      ...made("train/cat/a.wav", "train/dog/day1/b.wav", "test/cat/c.wav", "test/dog/day2/d.wav"),
      ...{ "train/cat/broken.wav": "RIFF", "train/cat/x.mp4": "video", "README.md": "hello" },
      ...made("stray.wav"),
    },
    rows: [
      "test/cat/c cat test test/cat/c audio=test/cat/c.wav",
      "test/dog/day2/d dog test day2 audio=test/dog/day2/d.wav",
      "train/cat/a cat train train/cat/a audio=train/cat/a.wav",
      "train/dog/day1/b dog train day1 audio=train/dog/day1/b.wav",
    ],
    refused: ["README.md", "stray.wav", "train/cat/broken.wav", "train/cat/x.mp4"],
  },
  {
    name: "jsonl",
    tree: {
      ...made("media/a.wav", "media/a.png", "media/b.wav"),
      "samples.jsonl": lines(
        { id: "s1", label: "x", group: "g", audio: "media/a.wav", image: "./media/a.png", snr: 3 },
        {
          label: "y",
          audio: { path: "media/b.wav", start_s: 0.025, duration_s: 0.05, group: "h" },
        },
        { id: "s3", label: "y", audio: "media/none.wav" },
        { id: "s4", audio: "media/a.wav" },
        { id: "s5", label: "y", audio: "media/b.wav", audio_start_s: -1 },
        { id: "s6", label: "y", audio: "media/b.wav", audio_start_s: 5, audio_duration_s: 1 },
      ),
    },
    rows: [
      "s1 x  g audio=media/a.wav image=media/a.png",
      "line-2 y  line-2 audio=media/b.wav@0.025+0.05/h",
    ],
    refused: [
      "media/b.wav",
      "samples.jsonl line 3",
      "samples.jsonl line 4",
      "samples.jsonl line 5",
    ],
  },
  {
    name: "edge-impulse",
    tree: {
      ...made("training/one.wav", "training/up.abc.wav", "testing/two.wav", "testing/long.wav"),
      ...made("training/noise.wav"),
      "training/info.labels": JSON.stringify({
        version: 1,
        files: [
          {
            path: "one.wav",
            category: "training",
            label: { type: "label", label: "up" },
            metadata: { site: "roof" },
          },
          { path: "noise.wav", category: "training", label: { type: "unlabeled" } },
          { path: "gone.wav", category: "training", label: { type: "label", label: "up" } },
        ],
      }),
      "info.labels": JSON.stringify({
        version: 1,
        files: [
          { path: "testing/two.wav", category: "testing", label: { type: "label", label: "down" } },
          {
            path: "testing/long.wav",
            category: "testing",
            label: {
              type: "multi-label",
              labels: [
                { label: "up", startIndex: 0, endIndex: 40 },
                { label: "down", startIndex: 41, endIndex: 99 },
              ],
            },
          },
        ],
      }),
    },
    rows: [
      "testing/long 1 up test testing/long audio=testing/long.wav@0+0.04",
      "testing/long 2 down test testing/long audio=testing/long.wav@0.041+0.058",
      "testing/two down test testing/two audio=testing/two.wav",
      "training/one up train training/one audio=training/one.wav",
      "training/up.abc up train training/up.abc audio=training/up.abc.wav",
    ],
    refused: ["training/info.labels: gone.wav", "training/noise.wav"],
  },
  {
    name: "av-pairs",
    tree: made(
      ...["audio/car/s1/01.wav", "image/car/s1/01.png", "audio/bus/02.wav", "image/bus/02.png"],
      ...["audio/car/s1/03.wav", "image/bus/01.png"],
    ),
    rows: [
      "bus/02 bus  bus/02 audio=audio/bus/02.wav image=image/bus/02.png",
      "car/s1/01 car  s1 audio=audio/car/s1/01.wav image=image/car/s1/01.png",
    ],
    refused: ["audio/car/s1/03.wav", "image/bus/01.png"],
  },
  {
    name: "av-pairs",
    tree: made(
      ...["car/mic_20240102T101500.wav", "car/mic_20240102T101501.wav", "car/cam_1704190500.4.png"],
      ...["car/cam_1704190501100.png", "car/mic_20240102T111501.wav", "car/cam_1704194100.png"],
      ...["car/cam_1704190500.9.png", "car/mic.wav"],
    ),
    options: { toleranceS: 0.5 },
    rows: [
      "car/mic_20240102T101500 car  session 1 " +
        "audio=car/mic_20240102T101500.wav image=car/cam_1704190500.4.png",
      "car/mic_20240102T101501 car  session 1 " +
        "audio=car/mic_20240102T101501.wav image=car/cam_1704190500.9.png",
    ],
    refused: [
      "car/cam_1704190501100.png",
      "car/cam_1704194100.png",
      "car/mic.wav",
      "car/mic_20240102T111501.wav",
    ],
  },
  {
    name: "compare",
    tree: {
      ...made("CCS/dist/wav/train_000.wav", "CCS/dist/wav/devel_000.wav"),
      ...made("CCS/dist/wav/test_000.wav"),
      "CCS/dist/lab/train.csv": "filename,label\ntrain_000.wav,positive\ntrain_001.wav,negative\n",
      "CCS/dist/lab/devel.csv": "filename,label\ndevel_000.wav,negative\n",
      "CCS/dist/lab/test.csv": "filename,label\ntest_000.wav,?\n",
      ...made("CSS/dist/wav/train_000.wav"),
      "CSS/dist/lab/train.csv": "filename,label\ntrain_000.wav,negative\n",
    },
    rows: [
      "cough/devel_000 negative val cough/devel_000 cough=CCS/dist/wav/devel_000.wav",
      "cough/train_000 positive train cough/train_000 cough=CCS/dist/wav/train_000.wav",
      "speech/train_000 negative train speech/train_000 speech=CSS/dist/wav/train_000.wav",
    ],
    refused: ["CCS/dist/lab/train.csv row 3", "CCS/dist/wav/test_000.wav"],
  },
  {
    name: "coswara",
    tree: {
      ...made("Extracted_data/20200413/p1/cough-heavy.wav"),
      ...made("Extracted_data/20200413/p1/counting-fast.wav"),
      ...made("Extracted_data/20200415/p2/cough-heavy.wav"),
      ...made("Extracted_data/20200415/p3/vowel-a.wav"),
      "Extracted_data/20200415/p2/vowel-a.wav": "",
      "Extracted_data/20200413/p1/metadata.json": "{}",
      "20200415/20200415.csv": "id,a,covid_status,g\np2,41,healthy,male\n",
      "combined_data.csv": "id,a,covid_status,cough\np1,30,positive_mild,True\n",
    },
    rows: [
      "p1 positive_mild  p1 cough_heavy=Extracted_data/20200413/p1/cough-heavy.wav " +
        "counting_fast=Extracted_data/20200413/p1/counting-fast.wav",
      "p2 healthy  p2 cough_heavy=Extracted_data/20200415/p2/cough-heavy.wav",
    ],
    refused: [
      "Extracted_data/20200413/p1/metadata.json",
      "Extracted_data/20200415/p2/vowel-a.wav",
      "Extracted_data/20200415/p3/vowel-a.wav",
    ],
  },
  {
    name: "drones",
    tree: {
      ...made("Data/Audio/DRONE_009.wav", "Data/Audio/DRONE_010.wav"),
      ...made("Data/Audio/BACKGROUND_001.wav", "Data/Video_V/V_BIRD_002/0001.png"),
      ...made("Data/Video_IR/IR_DRONE_003_f080.png"),
      "Data/Video_IR/IR_DRONE_003.mp4": "video",
      "Data/Video_IR/IR_DRONE_003_LABELS.mat": "boxes",
    },
    rows: [
      "Data/Audio/BACKGROUND_001 background  BACKGROUND_001 audio=Data/Audio/BACKGROUND_001.wav",
      "Data/Audio/DRONE_009 drone  DRONE_009 audio=Data/Audio/DRONE_009.wav",
      "Data/Audio/DRONE_010 drone  DRONE_009 audio=Data/Audio/DRONE_010.wav",
      "Data/Video_IR/IR_DRONE_003_f080 drone  IR_DRONE_003 " +
        "thermal=Data/Video_IR/IR_DRONE_003_f080.png",
      "Data/Video_V/V_BIRD_002/0001 background  V_BIRD_002 image=Data/Video_V/V_BIRD_002/0001.png",
    ],
    refused: ["Data/Video_IR/IR_DRONE_003.mp4", "Data/Video_IR/IR_DRONE_003_LABELS.mat"],
  },
];
