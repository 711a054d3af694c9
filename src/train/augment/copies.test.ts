/** Copies of real files: through the reader and the front-end, and never of more than is asked. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  battlefield,
  type Dataset,
  openReader,
  type Reader,
  readDataset,
  writeDataset,
} from "../../data/index.ts";
import {
  extractFeatures,
  extractor,
  type Frontend,
  fitFrontend,
  inputReader,
} from "../../features/index.ts";
import { random } from "../../tensor/index.ts";
import { augmentedCopies } from "./copies.ts";
import { pinkNoise } from "./noise.ts";
import { alterSound } from "./sound.ts";
import { AUGMENT_PRESETS } from "./spec.ts";

const folder = mkdtempSync(join(tmpdir(), "tinym2net-augment-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let dataset: Dataset;
let reader: Reader;
let frontend: Frontend;
const train = (): Dataset["samples"] => dataset.samples.filter(({ split }) => split === "train");

beforeAll(async () => {
  await writeDataset(join(folder, "set"), {
    samples: battlefield({ seed: 2, perClass: { train: 2, val: 1, test: 1 } }),
  });
  dataset = await readDataset(join(folder, "set"), { seed: 1 });
  reader = openReader(dataset);
  frontend = await fitFrontend(reader, train(), { modalities: dataset.modalities, size: 16 });
});

test("a copy is the front-end's features of the altered recording", async () => {
  const spec = { copies: 2, audio: { gainDb: 6, shiftS: 0.1, noise: NOISE } };
  const copies = await augmentedCopies(reader, train(), spec, { frontend, seed: 7 });
  expect(Object.keys(copies)).toEqual(["audio"]);
  expect(copies.audio).toHaveLength(2);
  const [, , third] = train();
  const { audio } = frontend;
  if (audio.kind === "image" || audio.kind === "series") throw new Error("audio must be sound");
  const input = await inputReader(reader, "audio", audio)(third);
  const { sampleRateHz } = audio;
  const generator = random(`7/copy/${third.id}/audio/1`);
  const settings = { sampleRateHz, generator, noise: pinkNoise };
  const altered = alterSound(Int16Array.from(input), spec.audio, settings);
  const expected = extractor(audio)(altered);
  expect(copies.audio[1].slice(2 * expected.length, 3 * expected.length)).toEqual(expected);
});

const NOISE = { from: "pink", snrDb: [5, 10], share: 1 } as const;

test("copies follow the id of a sample, and differ from the original and from each other", async () => {
  const options = { frontend, seed: 7 };
  const there = await augmentedCopies(reader, train(), AUGMENT_PRESETS.standard, options);
  const back = await augmentedCopies(
    reader,
    train().toReversed(),
    AUGMENT_PRESETS.standard,
    options,
  );
  const original = await extractFeatures(reader, train(), { frontend });
  for (const name of ["audio", "image"]) {
    const size = original[name].data.length / train().length;
    for (const [k, set] of there[name].entries()) {
      const rows = train().map((_, i) => back[name][k].slice(i * size, (i + 1) * size));
      expect(Int8Array.from(rows.toReversed().flatMap((row) => [...row]))).toEqual(set);
      expect(set).not.toEqual(original[name].data);
    }
    expect(there[name][0]).not.toEqual(there[name][1]);
  }
});

test("noise from a folder and from other training samples is heard", async () => {
  const hiss = {
    samples: Float32Array.from({ length: 5000 }, (_, i) => (i % 7) / 7 - 0.4),
    sampleRateHz: 8000,
  };
  const copiesWith = (from: string) =>
    augmentedCopies(
      reader,
      train(),
      { copies: 1, audio: { noise: { from, snrDb: [0, 0], share: 1 } } },
      { frontend, seed: 7, noiseOf: async (name) => (name === "street" ? [hiss] : []) },
    );
  const [street, others] = [await copiesWith("street"), await copiesWith("train")];
  const { audio } = await extractFeatures(reader, train(), { frontend });
  expect(street.audio[0]).not.toEqual(audio.data);
  expect(others.audio[0]).not.toEqual(audio.data);
  expect(street.audio[0]).not.toEqual(others.audio[0]);
  expect(await copiesWith("train")).toEqual(others);
});

test("nothing is made where nothing acts in front of the front-end", async () => {
  const spec = {
    audio: { timeMasks: { count: 1, share: 0.2 } },
    image: { flip: 0.5, blurPixels: 0 },
  };
  expect(await augmentedCopies(reader, train(), spec, { frontend, seed: 1 })).toEqual({});
});
