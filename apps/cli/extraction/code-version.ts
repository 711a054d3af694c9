/**
 * A hash of all that decides a feature beside data and spec: the code that decodes and computes, as
 * it lies on disk, the pinned packages, and the engine whose cosines are in the tables.
 *
 * So no version has to be counted up by hand, and a cache is never right for another program.
 */

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { endianness } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Modules that a feature passes through. */
const MODULES = ["data", "features", "kernel"] as const;

/** Sources lie two folders below the package, built files three. */
const PACKAGES = ["../../../package.json", "../../../../package.json"];

export function codeVersion(): string {
  const hash = createHash("sha256");
  const own = PACKAGES.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  const { dependencies } = JSON.parse(readFileSync(own.find(existsSync) ?? own[0], "utf8"));
  hash.update(JSON.stringify([dependencies, process.versions.v8, endianness()]));
  for (const module of MODULES) {
    const folder = fileURLToPath(new URL(`../../../src/${module}`, import.meta.url));
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
    for (const name of names.filter(isCode).sort()) {
      hash.update(`${module}/${name}\0`).update(readFileSync(join(folder, name)));
    }
  }
  return hash.digest("hex");
}

function isCode(name: string): boolean {
  return /\.[jt]s$/.test(name) && !/\.(d|test)\.ts$/.test(name);
}
