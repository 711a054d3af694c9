import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openFileHashes } from "./file-hashes.ts";

const place = mkdtempSync(join(tmpdir(), "tinym2net-hashes-"));
afterAll(() => rmSync(place, { recursive: true, force: true }));

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const LATER_MS = 60_000;
const cache = join(place, "cache");
const later = (): number => Date.now() + LATER_MS;
const memo = (): string => join(cache, "files", readdirSync(join(cache, "files"))[0]);

/** The memo with another hash in it and a right last line: what is believed shows. */
function forge(hash: string): void {
  const lines = readFileSync(memo(), "utf8").split("\n").slice(0, -2);
  const text = lines.map((line) => `${hash}${line.slice(64)}\n`).join("");
  writeFileSync(memo(), `${text}${sha256(text)}\n`);
}

test("a file that has not changed is not read again, one that has is", () => {
  const file = join(place, "a b.wav");
  writeFileSync(file, "one");
  const first = openFileHashes(place, cache, later);
  expect(first.of("a b.wav")).toBe(sha256("one"));
  first.save();
  forge("f".repeat(64));
  expect(openFileHashes(place, cache, later).of("a b.wav")).toBe("f".repeat(64));
  writeFileSync(file, "two"); // the same size, and the time is put back
  utimesSync(file, new Date(0), new Date(0));
  expect(openFileHashes(place, cache, later).of("a b.wav")).toBe(sha256("two"));
});

test("one opening goes by one state of a file, and knows when it has changed", () => {
  const file = join(place, "b");
  writeFileSync(file, "one");
  const hashes = openFileHashes(place, cache, later);
  expect(hashes.of("b")).toBe(sha256("one"));
  expect(hashes.isUnchanged("b")).toBe(true);
  writeFileSync(file, "longer");
  expect(hashes.isUnchanged("b")).toBe(false);
  expect(hashes.of("b")).toBe(sha256("one"));
  rmSync(file);
  expect(hashes.isUnchanged("b")).toBe(false);
});

test("a file changed a moment ago is not remembered", () => {
  const own = join(place, "fresh");
  writeFileSync(join(place, "c"), "new");
  const hashes = openFileHashes(place, own, Date.now);
  expect(hashes.of("c")).toBe(sha256("new"));
  hashes.save();
  expect(() => readdirSync(own)).toThrow("ENOENT");
});

test("a damaged memory is no memory", () => {
  writeFileSync(join(place, "d"), "content");
  const hashes = openFileHashes(place, cache, later);
  hashes.of("d");
  hashes.save();
  forge("e".repeat(64));
  const text = readFileSync(memo(), "utf8");
  writeFileSync(memo(), text.replace("e", "d"));
  expect(openFileHashes(place, cache, later).of("d")).toBe(sha256("content"));
  writeFileSync(memo(), text.slice(0, 100));
  expect(openFileHashes(place, cache, later).of("d")).toBe(sha256("content"));
  writeFileSync(memo(), "");
  expect(openFileHashes(place, cache, later).of("d")).toBe(sha256("content"));
});
