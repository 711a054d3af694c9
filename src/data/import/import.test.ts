import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LAYOUTS, plant } from "../../../test/layouts.ts";
import type { FoundSample } from "../collect.ts";
import { readDataset } from "../read.ts";
import { openReader } from "../reader.ts";
import { IMPORTERS, planImport, writeImport } from "./plan.ts";

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tinym2net-import-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Content and time of change of every file below a folder. */
async function stateOf(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder, { recursive: true })).sort();
  const state: Record<string, string> = {};
  for (const name of names) {
    const path = join(folder, name);
    const status = await stat(path);
    const hash = createHash("sha256");
    if (status.isFile()) hash.update(await readFile(path));
    state[name] = `${status.mtimeMs} ${status.mode} ${hash.digest("hex")}`;
  }
  return state;
}

/** A sample in one line. */
function line({ id, label, split, group, sources }: FoundSample): string {
  const cells = Object.entries(sources).map(([name, { path, startS, durationS, group: own }]) => {
    const segment = startS === undefined ? "" : `@${startS}+${durationS}`;
    return `${name}=${path}${segment}${own === undefined ? "" : `/${own}`}`;
  });
  return [id, label, split, group, ...cells].join(" ");
}

describe.each(LAYOUTS.map((layout, i) => [layout.name, i, layout] as const))(
  "an import of %s (%i)",
  (name, i, { tree, options = {}, rows, refused }) => {
    let source = "";
    beforeAll(async () => {
      source = await plant(join(root, `${name}-${i}`), tree);
    });

    test("is recognised and gives the samples and refusals that the layout says", async () => {
      const plan = await planImport(source, options);
      expect(plan.from).toBe(name);
      expect(plan.samples.map(line)).toEqual(rows);
      expect([...new Set(plan.refused.map(({ path }) => path))].sort()).toEqual(
        [...refused].sort(),
      );
      expect(plan.refused.every(({ reason }) => reason.length > 5)).toBe(true);
      expect(await planImport(source, { ...options, from: name })).toEqual(plan);
    });

    test("takes or refuses every file", async () => {
      const plan = await planImport(source, options);
      const taken = plan.samples.flatMap(({ sources }) => Object.values(sources));
      const told = [...taken, ...plan.refused].map(({ path }) => path.split(" row ")[0]);
      const tables = /\.(jsonl|csv|labels)$/;
      expect(
        Object.keys(tree).filter((path) => !told.includes(path) && !tables.test(path)),
      ).toEqual([]);
    });

    test.each([false, true])("becomes a dataset, originals untouched (links: %s)", async (link) => {
      const before = await stateOf(source);
      const out = join(root, `${name}-${i}-out-${link}`);
      const plan = await planImport(source, options);
      await writeImport(plan, out, { link });
      expect(await stateOf(source)).toEqual(before);
      const dataset = await readDataset(out);
      expect(dataset.samples.map(({ id }) => id)).toEqual(plan.samples.map(({ id }) => id));
      const kinds = new Set(dataset.problems.map(({ kind }) => kind));
      for (const kind of ["missing file", "wrong file kind", "missing column"]) {
        expect(kinds).not.toContain(kind);
      }
      const reader = openReader(dataset);
      for (const sample of dataset.samples) {
        for (const [modality, { path }] of Object.entries(sample.sources)) {
          const isSound = path.endsWith(".wav");
          await (isSound ? reader.audio(sample, modality) : reader.picture(sample, modality));
          expect(await readFile(join(out, path))).toEqual(await readFile(join(source, path)));
        }
      }
      const again = join(root, `${name}-${i}-again-${link}`);
      await writeImport(plan, again, { link });
      expect(await readFile(join(again, "manifest.csv"))).toEqual(
        await readFile(join(out, "manifest.csv")),
      );
    });
  },
);

test("every importer has a layout in this suite", () => {
  const known = IMPORTERS.map(({ name }) => name).sort();
  expect([...new Set(LAYOUTS.map(({ name }) => name))].sort()).toEqual(known);
});

describe("what the user chooses", () => {
  let source = "";
  beforeAll(async () => {
    source = await plant(join(root, "choice"), {
      "a/s1-1.wav": "made",
      "a/s1-2.wav": "made",
      "b/s2-1.wav": "made",
      "c/s3-1.wav": "made",
    });
  });

  test("classes are renamed, others refused by their label", async () => {
    const classes = new Map([
      ["a", "x"],
      ["b", "b"],
    ]);
    const { samples, refused } = await planImport(source, { classes });
    expect(samples.map(({ label }) => label)).toEqual(["x", "x", "b"]);
    expect(refused).toEqual([
      { path: "c/s3-1.wav", reason: "has the label c, which is not asked for" },
    ]);
  });

  test("a pattern on the path says what belongs together", async () => {
    const { samples, notes } = await planImport(source, { group: "(s\\d+)-" });
    expect(samples.map(({ group }) => group)).toEqual(["s1", "s1", "s2", "s3"]);
    expect(notes).toEqual([]);
    await expect(planImport(source, { group: "(s" })).rejects.toThrow(
      "--group must be a column or a regular expression",
    );
  });

  test("without one the user is told that every sample is a group of its own", async () => {
    const { notes } = await planImport(source);
    expect(notes[0]).toContain("every sample is a group of its own");
  });

  test("a column is the label or the group", async () => {
    const folder = await plant(join(root, "columns"), {
      "a.wav": "made",
      "b.wav": "made",
      "set.jsonl":
        '{"label":"?","sex":"f","day":"1","audio":"a.wav"}\n{"label":"?","sex":"m","audio":"b.wav"}',
    });
    const { samples } = await planImport(join(folder, "set.jsonl"), { label: "sex" });
    expect(samples.map(({ label }) => label)).toEqual(["f", "m"]);
    const { samples: grouped, refused } = await planImport(folder, { group: "day" });
    expect(grouped.map(({ group }) => group)).toEqual(["1"]);
    expect(refused).toEqual([{ path: "b.wav", reason: "has no group by day" }]);
  });
});

describe("what is said of a file", () => {
  test("its range and its rate reach the dataset, and series are decoded", async () => {
    const row = { label: "x", image: "a.pgm", image_low: 10, image_high: 20 };
    const folder = await plant(join(root, "attributes"), {
      ...{ "a.pgm": "P2 2 1 255 10 20", "m.csv": "x,y\n1,2\n3,4\n", "bad.csv": "x\none\n" },
      "set.jsonl": [
        { ...row, id: "1", motion: { path: "m.csv", rate_hz: 50 } },
        { ...row, id: "2", motion: "m.csv" },
        { ...row, id: "3", motion: "bad.csv", motion_rate_hz: 50 },
        { ...row, id: "4", image_low: 30 },
        { ...row, id: "5", image_start_s: {} },
      ]
        .map((value) => JSON.stringify(value))
        .join("\n"),
    });
    const plan = await planImport(folder);
    expect(plan.refused.map(({ path, reason }) => `${path}: ${reason}`)).toEqual([
      "set.jsonl line 4: image needs counts low < high of pictures, or neither, got 30, 20",
      "set.jsonl line 5: image needs a start >= 0 and a duration > 0 in seconds, got {}, -",
      expect.stringContaining("m.csv: does not tell its rate"),
      expect.stringContaining("bad.csv: row 2: must hold finite numbers"),
    ]);
    const out = join(root, "attributes-out");
    await writeImport(plan, out);
    const { samples, modalities } = await readDataset(out);
    expect(modalities.map(({ kind }) => kind)).toEqual(["image", "series"]);
    const range = { low: 10, high: 20 };
    expect(samples.map(({ sources }) => sources)).toEqual([
      { image: { path: "a.pgm", range }, motion: { path: "m.csv", rateHz: 50 } },
      { image: { path: "a.pgm", range } },
      { image: { path: "a.pgm", range } },
    ]);
  });
});

describe("nothing is written", () => {
  test("into the source, around it, or over anything else", async () => {
    const source = await plant(join(root, "apart", "source"), { "a/1.wav": "made" });
    const plan = await planImport(source);
    for (const out of [source, join(source, "out"), join(root, "apart")]) {
      await expect(writeImport(plan, out, { force: true })).rejects.toThrow("must lie apart");
    }
    const other = await plant(join(root, "other"), { "mine.txt": "text" });
    const before = await stateOf(join(root, "apart"));
    await expect(writeImport(plan, other, { force: true })).rejects.toThrow("is not empty");
    expect(await stateOf(join(root, "apart"))).toEqual(before);
    expect(await readdir(other)).toEqual(["mine.txt"]);
  });

  test("for a folder of no known layout, an unknown name, a dataset, or nothing readable", async () => {
    const empty = await plant(join(root, "empty"), { "notes.txt": "text" });
    await expect(planImport(empty)).rejects.toThrow("none of the known layouts");
    await expect(planImport(empty, { from: "folder" })).rejects.toThrow("did you mean folders?");
    await expect(planImport(join(root, "nowhere"))).rejects.toThrow("is not a folder");
    const broken = await plant(join(root, "broken"), { "a/1.wav": "RIFF", "b/2.wav": "" });
    await expect(planImport(broken)).rejects.toThrow("b/2.wav is an empty file");
    await writeFile(join(empty, "manifest.csv"), "id,label,split,group\n");
    await expect(planImport(empty)).rejects.toThrow("it is a dataset already");
  });

  test("for tables that are not what they should be", async () => {
    const tables: [Record<string, string>, string][] = [
      [{ "info.labels": "{" }, "info.labels is no JSON"],
      [{ "info.labels": "[1]" }, 'must hold an object with "files"'],
      [{ "info.labels": '{"files":[null,1,{"path":7},{}]}' }, "nothing to import"],
      [{ "a.jsonl": '7\n{\n{"label":{}}\n{"label":"x"}' }, "nothing to import"],
      [{ "wav/x.wav": "made", "lab/train.csv": "a,b\n1,2\n" }, "needs columns filename and label"],
      [{ "lab/train.csv": 'filename,label\n"../../x.wav,1\n' }, "Quote Not Closed"],
      [{ "lab/train.csv": "filename,label\n../../x.wav,1\n" }, "x.wav is not there"],
    ];
    for (const [k, [tree, message]] of tables.entries()) {
      const folder = await plant(join(root, `table-${k}`), tree);
      await expect(planImport(folder)).rejects.toThrow(message);
    }
  });
});
