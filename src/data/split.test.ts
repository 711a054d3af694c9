import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Split } from "./dataset.ts";
import { splitByGroup } from "./split.ts";

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
