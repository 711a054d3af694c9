/** data import and data pair: from somebody's folder to a dataset that trains. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { LAYOUTS, plant } from "../layouts.ts";
import { cli, json, stateOf, workplace } from "./workplace.ts";

const place = workplace();
const source = join(place, "drones");
const apart = join(place, "apart");

beforeAll(async () => {
  const tree: Record<string, "made"> = {};
  for (const thing of ["DRONE", "HELICOPTER"]) {
    for (let n = 1; n <= 5; n++) {
      tree[`Audio/${thing}_00${n}.wav`] = "made";
      tree[`Video_V/V_${thing}_00${n}/0001.png`] = "made";
      tree[`Video_V/V_${thing}_00${n}/0002.png`] = "made";
    }
  }
  await plant(source, tree);
});

test("a dry run shows samples, counts and refusals, and writes nothing", async () => {
  const { name, tree } = LAYOUTS[0];
  const folder = await plant(join(place, name), tree);
  const before = stateOf(place);
  const { samples, classes, refused, rows, from, out } = await json([
    ...["data", "import", folder, "--dry-run"],
  ]);
  expect({ samples, classes, from, out }).toEqual({
    from: "folders",
    out: null,
    samples: { train: 2, val: 0, test: 2, open: 0 },
    classes: {
      cat: { train: 1, val: 0, test: 1, open: 0 },
      dog: { train: 1, val: 0, test: 1, open: 0 },
    },
  });
  expect(rows).toHaveLength(4);
  expect(refused).toContainEqual({ path: "stray.wav", reason: "lies in no folder of a class" });
  const said = await cli(["data", "import", folder, "--dry-run"]);
  expect(said.stdout).toContain("refused: lies in no folder of a class: stray.wav");
  expect(said.stdout).toContain("Nothing was written");
  expect(stateOf(place)).toEqual(before);
});

test("sensors recorded apart are imported, paired by class, and the pairs train", async () => {
  const before = stateOf(source);
  const imported = await json(["data", "import", source, "--out", apart, "--seed", "2"]);
  expect(imported).toMatchObject({ from: "drones", modalities: { audio: 10, image: 20 } });
  const paired = join(place, "paired");
  const pair = ["data", "pair", apart, "--out", paired, "--seed", "2"];
  const { samples, alone } = await json(pair);
  expect(alone).toHaveLength(10);
  const again = await cli(pair);
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("is not empty")]);
  expect((await json([...pair, "--repeat", "--force", "--link"])).alone).toEqual([]);
  const audit = await json(["data", paired]);
  expect(audit.samples).not.toEqual(samples);
  const kinds = (audit.problems as { kind: string }[]).map(({ kind }) => kind);
  expect(kinds).toContain("class-matched pairs");
  expect(kinds).not.toContain("group in two splits");
  expect(stateOf(source)).toEqual(before);
  const flags = ["--epochs", "1", "--size", "16"];
  await json(["train", paired, "--out", join(place, "run"), ...flags]);
});

test("wrong calls give 2 and say what is right", async () => {
  mkdirSync(join(place, "empty"));
  const mistakes: [string[], string][] = [
    [["data", "import", source], "data import: --out must be given, or --dry-run"],
    [["data", "import", source, "--from", "dornes", "--dry-run"], "did you mean drones?"],
    [["data", "import", source, "--dry-run", "--classes", "a=b=c"], "LABEL or LABEL=CLASS"],
    [["data", "import", source, "--dry-run", "--tolerance", "0"], "must be a number above 0"],
    [["data", "import", source, "--out", source, "--force"], "must lie apart"],
    [["data", "import", join(place, "empty"), "--dry-run"], "none of the known layouts"],
    [["data", "pair", source, "--dry-run"], "has no manifest.csv"],
    [["data", "--quiet", "import", source], "--quiet must come last"],
    [["data", "import"], "missing required argument 'source'"],
  ];
  for (const [argv, message] of mistakes) {
    const before = stateOf(source);
    const { code, stdout, stderr } = await cli([...argv, "--json"]);
    expect(stderr).toContain(message);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stateOf(source)).toEqual(before);
  }
});
