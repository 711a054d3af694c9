import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { random } from "../tensor/index.ts";
import type { Split } from "./dataset.ts";
import { splitByFold, splitByGroup } from "./split.ts";

const sample = (label: string, group: string, imageGroup?: string) => ({
  label,
  group,
  sources: imageGroup === undefined ? {} : { image: { path: "x.png", group: imageGroup } },
});

describe("any samples in any groups", () => {
  const label = fc.constantFrom("a", "b", "c");
  const group = fc.integer({ min: 0, max: 12 }).map((n) => `g${n}`);
  const image = fc.option(group, { nil: undefined });
  const samples = fc.array(
    fc.tuple(label, group, image).map((parts) => sample(...parts)),
    {
      minLength: 1,
      maxLength: 80,
    },
  );

  test("no group is divided, every class is trained, and the seed decides alone", () => {
    const property = fc.property(samples, fc.nat(), (all, seed) => {
      const splits = splitByGroup(all, { seed });
      const place = new Map<string, Split>();
      for (const [i, { group: name, sources }] of all.entries()) {
        for (const key of [name, `image/${sources.image?.group ?? `none ${i}`}`]) {
          expect(place.get(key) ?? splits[i]).toBe(splits[i]);
          place.set(key, splits[i]);
        }
      }
      const trained = new Set(all.filter((_, i) => splits[i] === "train").map((one) => one.label));
      expect(trained).toEqual(new Set(all.map((one) => one.label)));
      expect(splitByGroup(all, { seed })).toEqual(splits);
    });
    fc.assert(property, { seed: 1, numRuns: 300 });
  });
});

describe("two hundred groups of two classes", () => {
  const all = Array.from({ length: 400 }, (_, i) => sample(i % 2 ? "a" : "b", `g${i >> 1}`));
  const count = (splits: Split[], split: Split, label: string) =>
    all.filter((one, i) => splits[i] === split && one.label === label).length;

  test("are dealt 70 / 15 / 15 in each class", () => {
    const splits = splitByGroup(all, { seed: 1 });
    for (const label of ["a", "b"]) {
      const counts = (["train", "val", "test"] as const).map((one) => count(splits, one, label));
      expect(counts).toEqual([140, 30, 30]);
    }
  });

  test("are dealt otherwise by another seed", () => {
    expect(splitByGroup(all, { seed: 1 })).not.toEqual(splitByGroup(all, { seed: 2 }));
  });
});

test("three groups of a class give one to each split", () => {
  const all = ["x", "y", "z"].flatMap((group) => [sample("a", group), sample("b", group)]);
  expect(new Set(splitByGroup(all, { seed: 3 }))).toEqual(new Set(["train", "val", "test"]));
});

describe("folds of any samples in any groups", () => {
  const group = fc.integer({ min: 0, max: 12 }).map((n) => `g${n}`);
  const samples = fc.array(
    fc
      .tuple(fc.constantFrom("a", "b"), group, fc.option(group, { nil: undefined }))
      .map((parts) => sample(...parts)),
    { minLength: 1, maxLength: 60 },
  );
  const counts = fc.integer({ min: 3, max: 7 });

  test("divide no group and put every sample into test once and into val once", () => {
    const property = fc.property(samples, counts, fc.nat(), (all, count, seed) => {
      const folds = Array.from({ length: count }, (_, i) =>
        splitByFold(all, { seed, fold: { index: i + 1, count } }),
      );
      for (const i of all.keys()) {
        for (const split of ["test", "val"] as const) {
          expect(folds.filter((splits) => splits[i] === split)).toHaveLength(1);
        }
      }
      for (const splits of folds) {
        const place = new Map<string, Split>();
        for (const [i, { group: name, sources }] of all.entries()) {
          for (const key of [name, `image/${sources.image?.group ?? `none ${i}`}`]) {
            expect(place.get(key) ?? splits[i]).toBe(splits[i]);
            place.set(key, splits[i]);
          }
        }
      }
      expect(splitByFold(all, { seed, fold: { index: 1, count } })).toEqual(folds[0]);
    });
    fc.assert(property, { seed: 1, numRuns: 100 });
  });

  test("must be three or more, and one of them", () => {
    const all = [sample("a", "x")];
    expect(() => splitByFold(all, { seed: 1, fold: { index: 1, count: 2 } })).toThrow(
      "folds: count must be an integer of 3 or more, got 2",
    );
    expect(() => splitByFold(all, { seed: 1, fold: { index: 4, count: 3 } })).toThrow(
      "folds: index must be an integer in [1, 3], got 4",
    );
  });
});

test("groups of several classes and sizes are dealt within two points of 70 / 15 / 15", () => {
  const generator = random(7);
  const all = Array.from({ length: 60 }, (_, group) =>
    Array.from({ length: 1 + generator.integer(12) }, () => {
      const draw = generator.next();
      return sample(draw < 0.1 ? "rare" : draw < 0.6 ? "a" : "b", `g${group}`);
    }),
  ).flat();
  for (let seed = 1; seed <= 10; seed++) {
    const splits = splitByGroup(all, { seed });
    for (const label of ["a", "b", "rare"]) {
      const own = splits.filter((_, i) => all[i].label === label);
      for (const [split, share] of [["train", 0.7] as const, ["val", 0.15], ["test", 0.15]]) {
        const dealt = own.filter((name) => name === split).length / own.length;
        expect(Math.abs(dealt - Number(share))).toBeLessThan(0.02 + 1 / own.length);
      }
    }
  }
});

test("sensors recorded apart are each in every split; a missing cell changes no split", () => {
  const one = (modality: string, i: number) => ({
    label: "a",
    group: `${modality}${i}`,
    sources: { [modality]: { path: "x" } },
  });
  const apart = Array.from({ length: 12 }, (_, i) => [one("audio", i), one("image", i)]).flat();
  const splits = splitByGroup([...apart, ...apart.filter((_, i) => i % 2)], { seed: 2 });
  for (const modality of ["audio", "image"]) {
    const own = new Set(splits.filter((_, i) => i < 24 && modality in apart[i].sources));
    expect(own.size).toBe(3);
  }
  const both = apart.map((sample, i) =>
    i % 5 ? { ...sample, sources: { audio: { path: "x" }, image: { path: "y" } } } : sample,
  );
  const audioOnly = both.map((sample) => ({ ...sample, sources: { audio: { path: "x" } } }));
  expect(splitByGroup(both, { seed: 2 })).toEqual(splitByGroup(audioOnly, { seed: 2 }));
});
