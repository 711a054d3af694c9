import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";
import { cacheFolder, prune } from "./cache-folder.ts";

const place = mkdtempSync(join(tmpdir(), "tinym2net-cache-"));
afterAll(() => rmSync(place, { recursive: true, force: true }));

test.each([
  [{}, "linux", "/home/u/.cache/tinym2net"],
  [{ XDG_CACHE_HOME: "/x" }, "linux", "/x/tinym2net"],
  [{}, "darwin", "/home/u/Library/Caches/tinym2net"],
  [{ LOCALAPPDATA: "/l" }, "win32", "/l/tinym2net/cache"],
  [{ TINYM2NET_CACHE: "/own", XDG_CACHE_HOME: "/x" }, "linux", "/own"],
  [{ TINYM2NET_CACHE: "here" }, "linux", resolve("here")],
  [{ TINYM2NET_CACHE: "" }, "linux", "/home/u/.cache/tinym2net"],
  [{ TINYM2NET_CACHE: "off" }, "linux", undefined],
])("of %j on %s the cache is in %s", (environment, platform, folder) => {
  expect(cacheFolder(environment, { platform, home: "/home/u" })).toBe(folder);
});

test("above the limit what was not used for longest goes, and what killed processes left", () => {
  const folder = join(place, "pruned");
  mkdirSync(join(folder, "features"), { recursive: true });
  const nowMs = Date.UTC(2026, 0, 2);
  const file = (name: string, ageHours: number): string => {
    const path = join(folder, "features", name);
    writeFileSync(path, new Uint8Array(1000));
    const used = new Date(nowMs - ageHours * 3_600_000);
    utimesSync(path, used, used);
    return path;
  };
  const [old, middle, young] = [file("a.pack", 30), file("b.pack", 20), file("c.pack", 10)];
  const [left, current] = [file("d.pack.1.partial", 2), file("e.pack.2.partial", 0.5)];
  const there = (): boolean[] =>
    [old, middle, young, left, current].map((path) => existsSync(path));
  prune(folder, { nowMs, maxBytes: 4500 });
  expect(there()).toEqual([true, true, true, false, true]);
  prune(folder, { nowMs, maxBytes: 2500 });
  expect(there()).toEqual([false, false, true, false, true]);
});

test("a cache that is not there needs no pruning", () => {
  expect(() => prune(join(place, "none"), { nowMs: 0 })).not.toThrow();
});
