import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../errors.ts";
import { avPairs } from "./av-pairs.ts";
import { edgeImpulse } from "./edge-impulse.ts";
import { jsonl } from "./jsonl.ts";
import { timeStampOf } from "./time-stamp.ts";
import type { SourceTree } from "./tree.ts";

/** A tree that exists by its names only, and one table. */
function treeOf(files: readonly string[], text = ""): SourceTree {
  return {
    ...{ folder: "source", name: "source", files: files.toSorted() },
    has: (path) => files.includes(path),
    bytes: () => Promise.resolve(new TextEncoder().encode(text)),
  };
}

test.each([
  ["mic_20240102T101500", Date.UTC(2024, 0, 2, 10, 15, 0) / 1000],
  ["2024-01-02_10-15-00.250", Date.UTC(2024, 0, 2, 10, 15, 0) / 1000 + 0.25],
  ["cam 1704190500", 1704190500],
  ["cam-1704190500.75-left", 1704190500.75],
  ["cam-1704190500250", 1704190500.25],
  ["clip_12.5", 12.5],
  ["frame-0340ms", 0.34],
  ["a_12s", 12],
  ["clip_12", undefined],
  ["plain", undefined],
])("the time stamp of %s is %s", (stem, seconds) => {
  expect(timeStampOf(stem)).toEqual(seconds);
});

describe("recordings at any times", () => {
  const times = fc.uniqueArray(fc.integer({ min: 0, max: 2000 }), { maxLength: 25 });

  test("are paired within the tolerance, a class and a split, each at most once", async () => {
    const label = fc.constantFrom("train/car", "train/bus", "test/car");
    const side = fc.tuple(label, times);
    const property = fc.asyncProperty(
      fc.array(side, { maxLength: 4 }),
      fc.array(side, { maxLength: 4 }),
      fc.integer({ min: 1, max: 40 }),
      async (sounds, pictures, tenths) => {
        const name = (folder: string, t: number, end: string) =>
          `${folder}/${(t / 10).toFixed(1)}.${end}`;
        const files = [
          ...sounds.flatMap(([folder, all]) => all.map((t) => name(folder, t, "wav"))),
          ...pictures.flatMap(([folder, all]) => all.map((t) => name(folder, t, "png"))),
        ];
        const tree = treeOf([...new Set(files)]);
        const toleranceS = tenths / 10;
        const { samples, refused } = await avPairs.find(tree, { modalities: [], toleranceS });
        const taken = samples.flatMap(({ sources }) =>
          Object.values(sources).map(({ path }) => path),
        );
        expect(new Set(taken).size).toBe(taken.length);
        expect([...taken, ...refused.map(({ path }) => path)].sort()).toEqual(tree.files);
        for (const { sources, split, label: own } of samples) {
          const [audio, image] = [sources.audio.path, sources.image.path];
          const [a, b] = [audio, image].map((path) => timeStampOf(path.slice(0, -4)) ?? Number.NaN);
          expect(Math.abs(a - b)).toBeLessThanOrEqual(toleranceS + 1e-9);
          for (const path of [audio, image]) expect(path).toContain(`${split}/${own}/`);
        }
      },
    );
    await fc.assert(property, { seed: 1, numRuns: 60 });
  });
});

test("any JSON as a table gives samples, refusals or a sentence, never a crash", async () => {
  const key = fc.constantFrom(
    ...["files", "path", "label", "labels", "type", "startIndex", "endIndex", "category"],
    ...["id", "audio", "audio_start_s", "metadata", "group", "split", "__proto__"],
  );
  const leaf = fc.oneof(
    fc.constantFrom("a.wav", "../a.wav", "multi-label", "x", "training"),
    fc.integer(),
    fc.constant(null),
    fc.boolean(),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(key, tie("value"), { maxKeys: 5 }),
    ),
  }));
  const property = fc.asyncProperty(value, fc.nat(200), async (any, cut) => {
    const whole = JSON.stringify({ files: [any], ...Object(any) });
    for (const text of [whole, whole.slice(0, cut)]) {
      for (const [importer, table] of [
        [edgeImpulse, "info.labels"],
        [jsonl, "set.jsonl"],
      ] as const) {
        const tree = treeOf(["a.wav", table], text);
        const found = await importer.find(tree, { modalities: [] }).catch((error: unknown) => {
          expect(error).toBeInstanceOf(UserError);
          return { samples: [] };
        });
        for (const { sources } of found.samples) {
          for (const { path } of Object.values(sources)) expect(path).toBe("a.wav");
        }
      }
    }
  });
  await fc.assert(property, { seed: 1, numRuns: 300 });
});
