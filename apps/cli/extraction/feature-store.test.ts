import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, test } from "vitest";
import { root } from "../../../test/sources.ts";
import { openPack, packEntries } from "./feature-pack.ts";
import { type FeatureStore, openFeatureStore } from "./feature-store.ts";

const place = mkdtempSync(join(tmpdir(), "tinym2net-store-"));
afterAll(() => rmSync(place, { recursive: true, force: true }));

const LENGTH = 5;
const keyOf = (i: number): string => createHash("sha256").update(`${i}`).digest("hex");
const valuesOf = (i: number): Int32Array =>
  Int32Array.from({ length: LENGTH }, (_, n) => (i % 2 === 0 ? i + n : -(2 ** 31) + i * n));

/** What a store knows of the first `count` keys; wrong values fail the test. */
function known(store: FeatureStore, count: number): number[] {
  const found: number[] = [];
  const keys = Array.from({ length: count }, (_, i) => keyOf(i));
  const missing = store.read(keys, (i, values) => {
    expect(values).toEqual(valuesOf(i));
    found.push(i);
  });
  expect([...found, ...missing].sort((a, b) => a - b)).toEqual([...keys.keys()]);
  return found.sort((a, b) => a - b);
}

function filled(name: string, indices: readonly number[]): { store: FeatureStore; folder: string } {
  const folder = join(place, name);
  const store = openFeatureStore(folder, LENGTH);
  for (const i of indices) store.add(keyOf(i), valuesOf(i));
  store.flush();
  return { store, folder };
}

const packs = (folder: string): string[] => readdirSync(folder).map((name) => join(folder, name));

test("what was added is found again, by another store too", () => {
  const { store, folder } = filled("again", [0, 1, 3]);
  expect(known(store, 5)).toEqual([0, 1, 3]);
  expect(known(openFeatureStore(folder, LENGTH), 5)).toEqual([0, 1, 3]);
});

test("the same content twice is asked for once and given twice", () => {
  const { store } = filled("twice", [7]);
  const given: number[] = [];
  expect(store.read([keyOf(7), keyOf(8), keyOf(7)], (i) => given.push(i))).toEqual([1]);
  expect(given).toEqual([0, 2]);
});

test("pixels take a byte each", () => {
  const pixels = packEntries([[keyOf(0), Int32Array.of(0, 255, 7)]]);
  const more = packEntries([[keyOf(0), Int32Array.of(0, 256, 7)]]);
  expect(more.length - pixels.length).toBe(9);
});

test("no damaged byte gives a wrong value", () => {
  const good = packEntries([0, 2, 4].map((i) => [keyOf(i), valuesOf(i)]));
  const path = join(place, "flipped");
  const readAll = (): (number[] | undefined)[] => {
    const pack = openPack(path);
    const read: (number[] | undefined)[] = [];
    pack?.read([0, 1, 2], (_, values) => read.push(values === undefined ? undefined : [...values]));
    pack?.close();
    return read;
  };
  writeFileSync(path, good);
  const whole = [0, 2, 4].map((i) => [...valuesOf(i)]);
  expect(readAll()).toEqual(whole);
  for (let at = 0; at < good.length; at++) {
    const bad = Uint8Array.from(good);
    bad[at] ^= 1 << (at % 8);
    writeFileSync(path, bad);
    const read = readAll();
    expect(read.filter((values, i) => values?.join() === whole[i].join()).length).toBeLessThan(3);
    for (const [i, values] of read.entries()) {
      if (values !== undefined) expect(values).toEqual(whole[i]);
    }
  }
});

test("a pack cut anywhere is none, and is removed", () => {
  const { store, folder } = filled("cut", [0, 1, 2]);
  const [path] = packs(folder);
  for (const bytes of [0, 7, 27, 60, 130, readFileSync(path).length - 1]) {
    writeFileSync(path, packEntries([0, 1, 2].map((i) => [keyOf(i), valuesOf(i)])));
    truncateSync(path, bytes);
    expect(known(store, 3)).toEqual([]);
    expect(packs(folder)).toEqual([]);
  }
});

test("of a damaged pack the whole entries are used, then it is made anew", () => {
  const { store, folder } = filled("damaged", [0, 1, 2]);
  const [path] = packs(folder);
  const bytes = readFileSync(path);
  bytes[bytes.length - 1] ^= 1;
  writeFileSync(path, bytes);
  expect(known(store, 3)).toEqual([0, 1]);
  expect(known(store, 3)).toEqual([]);
  for (const i of [0, 1, 2]) store.add(keyOf(i), valuesOf(i));
  store.flush();
  expect(known(store, 3)).toEqual([0, 1, 2]);
});

test("values of another length are none", () => {
  const { folder } = filled("length", [0]);
  expect(openFeatureStore(folder, LENGTH + 1).read([keyOf(0)], () => {})).toEqual([0]);
});

test("many small packs become one", () => {
  const folder = join(place, "merged");
  for (let i = 0; i < 20; i++) {
    const store = openFeatureStore(folder, LENGTH);
    store.add(keyOf(i), valuesOf(i));
    store.flush();
  }
  expect(packs(folder).length).toBeLessThan(9);
  expect(known(openFeatureStore(folder, LENGTH), 20).length).toBe(20);
});

test("a folder that cannot be made is an error of the system, and reading finds nothing", () => {
  const file = join(place, "file");
  writeFileSync(file, "");
  const store = openFeatureStore(join(file, "below"), LENGTH);
  expect(store.read([keyOf(0)], () => {})).toEqual([0]);
  store.add(keyOf(0), valuesOf(0));
  expect(() => store.flush()).toThrow("ENOTDIR");
});

/** Adds a pack an entry from `first` on, says so, and never ends. */
const WRITER = `
import { createHash } from "node:crypto";
const [url, folder, first] = process.argv.slice(1);
const { openFeatureStore } = await import(url);
const store = openFeatureStore(folder, ${LENGTH});
const valuesOf = ${valuesOf.toString().replaceAll("LENGTH", `${LENGTH}`)};
for (let i = Number(first); ; i++) {
  store.add(createHash("sha256").update(String(i)).digest("hex"), valuesOf(i));
  store.flush();
  process.stdout.write(".");
}`;

/** Run the writer until it has said `dots`, then kill it. */
function killedWriter(folder: string, first: number, dots: number): Promise<void> {
  const url = pathToFileURL(join(root, "dist/apps/cli/extraction/feature-store.js")).href;
  const argv = ["--input-type=module", "-e", WRITER, url, folder, `${first}`];
  const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
  let said = 0;
  child.stdout.on("data", (text: Buffer) => {
    said += text.length;
    if (said >= dots) child.kill("SIGKILL");
  });
  return new Promise((resolve) => child.on("close", () => resolve()));
}

test("writers at the same time, killed at any moment, leave whole entries", async () => {
  const folder = join(place, "killed");
  mkdirSync(folder);
  for (const dots of [12, 40]) {
    await Promise.all([killedWriter(folder, 0, dots), killedWriter(folder, 6, dots)]);
    const found = known(openFeatureStore(folder, LENGTH), 600);
    // what was said to be kept is; each had said at least `dots`
    expect(found.slice(0, dots + 6)).toEqual([...Array(dots + 6).keys()]);
    const { store } = filled("killed", [700]);
    expect(known(store, dots)).toHaveLength(dots);
  }
});
