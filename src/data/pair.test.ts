import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { plant } from "../../test/layouts.ts";
import { collectDataset } from "./collect.ts";
import type { Sample, Split } from "./dataset.ts";
import { planImport, writeImport } from "./import/plan.ts";
import { pairByClass } from "./pair.ts";
import { readDataset } from "./read.ts";

let row = 1;
const sample = (modality: string, label: string, split: Split, group: string): Sample => {
  row++;
  const sources = { [modality]: { path: `${modality}/${row}` } };
  return { id: `s${row}`, row, label, split, group, sources, columns: { site: group } };
};

const samples = fc
  .array(
    fc.tuple(
      fc.constantFrom("audio", "image", "thermal"),
      fc.constantFrom("x", "y"),
      fc.constantFrom<Split>("train", "val", "test"),
      fc.integer({ min: 0, max: 9 }),
    ),
    { minLength: 2, maxLength: 60 },
  )
  .map((all) => all.map(([m, label, split, group]) => sample(m, label, split, `${split}${group}`)))
  .filter((all) => new Set(all.flatMap(({ sources }) => Object.keys(sources))).size > 1);

test("pairs never cross a split or a class, and use a recording once unless told otherwise", () => {
  const property = fc.property(samples, fc.nat(), fc.boolean(), (all, seed, repeat) => {
    const { pairs, alone } = pairByClass(all, { seed, repeat });
    const byPath = new Map(
      all.flatMap((one) => Object.values(one.sources).map(({ path }) => [path, one] as const)),
    );
    const modalities = new Set(all.flatMap(({ sources }) => Object.keys(sources)));
    const uses = new Map<string, number>();
    for (const pair of pairs) {
      expect(Object.keys(pair.sources).sort()).toEqual([...modalities].sort());
      expect(pair.columns).toMatchObject({ pairing: "class-matched", pairing_seed: `${seed}` });
      for (const [name, { path, group }] of Object.entries(pair.sources)) {
        const original = byPath.get(path);
        expect([original?.split, original?.label]).toEqual([pair.split, pair.label]);
        expect([original?.group, original?.id]).toEqual([group, pair.columns[`${name}_id`]]);
        uses.set(path, (uses.get(path) ?? 0) + 1);
      }
    }
    expect(new Set(pairs.map(({ id }) => id)).size).toBe(pairs.length);
    if (!repeat) expect([...uses.values()].every((n) => n === 1)).toBe(true);
    const left = alone.flatMap(({ sources }) => Object.values(sources).map(({ path }) => path));
    expect([...uses.keys(), ...left].sort()).toEqual([...byPath.keys()].sort());
    expect(pairByClass(all, { seed, repeat })).toEqual({ pairs, alone });
  });
  fc.assert(property, { seed: 1, numRuns: 200 });
});

test("with repeat every recording of a class that has all sides is used", () => {
  const all = [1, 2, 3].map((n) => sample("image", "x", "train", `i${n}`));
  const { pairs, alone } = pairByClass([...all, sample("audio", "x", "train", "a")], {
    seed: 1,
    repeat: true,
  });
  expect([pairs.length, alone.length]).toEqual([3, 0]);
});

test("sides must differ and share nothing", () => {
  const audio = sample("audio", "x", "train", "a");
  const both = { ...audio, sources: { ...audio.sources, image: { path: "b" } } };
  expect(() => pairByClass([audio], { seed: 1 })).toThrow("got audio in all");
  expect(() => pairByClass([audio, both], { seed: 1 })).toThrow(
    "a modality must be on one side only, got audio in samples of audio and of audio + image",
  );
});

test("the audit knows a paired dataset, and no group is in two of its splits", async () => {
  const root = await mkdtemp(join(tmpdir(), "tinym2net-pair-"));
  try {
    const tree: Record<string, "made"> = {};
    for (const thing of ["DRONE", "HELICOPTER"]) {
      for (const n of ["001", "002", "003", "004", "005", "006"]) {
        tree[`Audio/${thing}_${n}.wav`] = "made";
        for (const frame of ["0001", "0002"]) tree[`Video_V/V_${thing}_${n}/${frame}.png`] = "made";
      }
    }
    const source = await plant(join(root, "source"), tree);
    await writeImport(await planImport(source), join(root, "apart"));
    const apart = await readDataset(join(root, "apart"), { seed: 4 });
    const { pairs } = pairByClass(apart.samples, { seed: 4, repeat: true });
    await collectDataset(join(root, "paired"), { from: apart.folder, samples: pairs });
    const { problems, samples: rows, modalities } = await readDataset(join(root, "paired"));
    expect(rows).toHaveLength(24);
    expect(modalities.map(({ name }) => name)).toEqual(["audio", "image"]);
    expect(problems.map(({ severity, kind }) => `${severity} ${kind}`)).toEqual([
      "warning class-matched pairs",
    ]);
    // even where by chance the groups have one name
    const [{ columns }] = rows;
    expect(columns).toMatchObject({ pairing: "class-matched", audio_subclass: "drone" });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
