/** Sensor series through the whole path: a CSV with time stamps beside an NPY, from files to C. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { random } from "../../src/tensor/index.ts";
import { needs } from "../capabilities.ts";
import { cli, json, workplace } from "./workplace.ts";

const place = workplace();
const [data, run] = [join(place, "set"), join(place, "run")];
const CLASSES = ["idle", "shake"];

/** Three channels in g, about 50 Hz by stamps that jitter and drift. */
function motionCsv(seed: string, amplitude: number): string {
  const generator = random(seed);
  const rows = Array.from({ length: 100 }, (_, i) => {
    const timeS = i / 49.97 + generator.normal() * 1e-4;
    const values = [0, 0, 1].map((rest) => rest + amplitude * generator.normal());
    return [timeS, ...values].map((value) => value.toFixed(6)).join(",");
  });
  return ["time_s,x,y,z", ...rows, ""].join("\n");
}

/** One channel of whole numbers, without a rate of its own. */
function gasNpy(seed: string, level: number): Uint8Array {
  const generator = random(seed);
  const values = Int16Array.from({ length: 20 }, () => level + generator.integer(50));
  const header = "{'descr': '<i2', 'fortran_order': False, 'shape': (20,), }".padEnd(117);
  const opening = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0);
  const text = new TextEncoder().encode(`${header}\n`);
  return Uint8Array.from([...opening, ...text, ...new Uint8Array(values.buffer)]);
}

beforeAll(() => {
  mkdirSync(data);
  const rows = ["id,label,split,group,motion,gas,gas_rate_hz"];
  for (const [split, count] of Object.entries({ train: 8, val: 4, test: 4 })) {
    for (let i = 0; i < 2 * count; i++) {
      const [id, c] = [`${split}${i}`, i % 2];
      writeFileSync(join(data, `${id}.csv`), motionCsv(id, c === 0 ? 0.01 : 0.8));
      writeFileSync(join(data, `${id}.npy`), gasNpy(id, 400 + 300 * c));
      rows.push(`${id},${CLASSES[c]},${split},${id},${id}.csv,${id}.npy,10`);
    }
  }
  writeFileSync(join(data, "manifest.csv"), `${rows.join("\n")}\n`);
});

const slow = { ...needs("cc"), timeout: 60_000 };

test("series train, compress and are equal in WebAssembly and C", slow, async () => {
  const { modalities } = await json(["data", data]);
  expect(modalities).toMatchObject([
    { name: "motion", kind: "series" },
    { name: "gas", kind: "series" },
  ]);
  const options = ["--epochs", "1", "--augment", "standard"];
  const first = await json(["train", data, "--out", run, ...options]);
  expect(first).toMatchObject({ epochs: 1, split: "val" });
  await json(["compress", run]);
  const int = ["--split", "test", "--precision", "int"];
  expect(await json(["evaluate", run, "--data", data, ...int])).toMatchObject({ n: 8 });
  const verify = ["verify", run, "--target", "portable,wasm", "--samples", "2"];
  const equal = { equal: true, samples: 2, firstDifference: null };
  expect((await json(verify)).targets).toEqual({
    portable: { target: "portable", ...equal },
    wasm: { target: "wasm", ...equal },
  });
  for (const target of ["portable", "wasm"]) {
    const { files } = await json(["deploy", run, "--target", target, "--out", join(place, target)]);
    expect((files as string[]).length).toBeGreaterThan(0);
  }
});

test("a series of other channels than most is refused by row", async () => {
  const other = join(place, "other");
  mkdirSync(other);
  const rows = ["id,label,split,group,motion,motion_rate_hz"];
  for (const [i, split] of ["train", "train", "train", "val"].entries()) {
    const width = i === 2 ? 2 : 1;
    const text = Array.from({ length: 30 }, (_, t) => [t % 7, t % (5 + i)].slice(0, width).join());
    writeFileSync(join(other, `${i}.csv`), `${text.join("\n")}\n`);
    rows.push(`${i},${CLASSES[i % 2]},${split},g${i},${i}.csv,10`);
  }
  writeFileSync(join(other, "manifest.csv"), `${rows.join("\n")}\n`);
  const argv = ["train", other, "--out", join(place, "none"), "--epochs", "1"];
  const { code, stderr } = await cli(argv);
  expect(stderr).toContain("manifest.csv row 4: 2.csv must have 1 channels like most, got 2");
  expect(code).toBe(2);
});
