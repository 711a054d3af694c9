import { describe, expect, test } from "vitest";
import { violations } from "./architecture.ts";
import { sources } from "./sources.ts";

test("the repository obeys its architecture", () => {
  const files = sources(["src", "apps", "test", "examples"], [".ts"]);
  expect(files.length).toBeGreaterThan(3);
  expect(violations(files)).toEqual([]);
});

describe("a planted violation is found", () => {
  const planted: readonly [rule: string, files: Record<string, string>, found: string][] = [
    [
      "an import to the right",
      { "src/kernel/a.ts": 'import { x } from "../tensor/index.ts";', "src/tensor/index.ts": "" },
      "src/kernel/a.ts: kernel stands left of tensor and may not import it",
    ],
    [
      "a type import to the right",
      { "src/data/a.ts": 'import type { X } from "../model/index.ts";', "src/model/index.ts": "" },
      "src/data/a.ts: data stands left of model and may not import it",
    ],
    [
      "a re-export from the right",
      { "src/data/a.ts": 'export { x } from "../model/index.ts";', "src/model/index.ts": "" },
      "src/data/a.ts: data stands left of model and may not import it",
    ],
    [
      "a dynamic import to the right",
      { "src/data/a.ts": 'await import("../model/index.ts");', "src/model/index.ts": "" },
      "src/data/a.ts: data stands left of model and may not import it",
    ],
    [
      "an import past index.ts",
      { "src/tensor/a.ts": 'import { x } from "../kernel/b.ts";', "src/kernel/b.ts": "" },
      "src/tensor/a.ts: src/kernel/b.ts must be reached by its index.ts",
    ],
    [
      "an import past index.ts from an app",
      { "apps/cli/a.ts": 'import { x } from "../../src/kernel/b.ts";', "src/kernel/b.ts": "" },
      "apps/cli/a.ts: src/kernel/b.ts must be reached by its index.ts",
    ],
    [
      "an import past index.ts in a test",
      { "src/tensor/a.test.ts": 'import { x } from "../kernel/b.ts";', "src/kernel/b.ts": "" },
      "src/tensor/a.test.ts: src/kernel/b.ts must be reached by its index.ts",
    ],
    [
      "an app imported by the library",
      { "src/bench/a.ts": 'import { x } from "../../apps/cli/b.ts";', "apps/cli/b.ts": "" },
      "src/bench/a.ts: apps/cli/b.ts is only for apps",
    ],
    [
      "test code in the library",
      { "src/data/a.ts": 'import { x } from "../../test/b.ts";', "test/b.ts": "" },
      "src/data/a.ts: test/b.ts is only for tests",
    ],
    [
      "an import by the name of the built file",
      { "src/data/a.ts": 'import { x } from "./b.js";' },
      "src/data/a.ts: ./b.js must name the source, with .ts",
    ],
    [
      "a module outside of the ladder",
      { "src/extra/a.ts": "" },
      "src/extra/a.ts: extra is no module of the ladder",
    ],
    [
      "a file beside the modules",
      { "src/extra.ts": "" },
      "src/extra.ts: extra.ts is no module of the ladder",
    ],
    [
      "errors that import",
      { "src/errors.ts": 'import { x } from "./kernel/index.ts";', "src/kernel/index.ts": "" },
      "src/errors.ts: src/errors.ts may import nothing",
    ],
    [
      "Node in the library",
      { "src/data/wav.ts": 'import { join } from "node:path";' },
      "src/data/wav.ts: node:path may not be imported here",
    ],
    [
      "Node under its old name",
      { "src/data/wav.ts": 'import { join } from "path";' },
      "src/data/wav.ts: path is no runtime dependency",
    ],
    [
      "sharp outside of data/picture.ts",
      { "src/features/a.ts": 'import sharp from "sharp";' },
      "src/features/a.ts: sharp may not be imported here",
    ],
    [
      "csv-parse outside of data",
      { "apps/cli/a.ts": 'import { parse } from "csv-parse/sync";' },
      "apps/cli/a.ts: csv-parse/sync may not be imported here",
    ],
    [
      "commander outside of the command line",
      { "src/search/a.ts": 'import { Command } from "commander";' },
      "src/search/a.ts: commander may not be imported here",
    ],
    [
      "a package nobody decided on",
      { "src/data/a.ts": 'import { x } from "@some/package/deep";' },
      "src/data/a.ts: @some/package/deep is no runtime dependency",
    ],
    [
      "a cycle",
      {
        "src/data/a.ts": 'import { b } from "./b.ts";',
        "src/data/b.ts": 'import { c } from "./c.ts";',
        "src/data/c.ts": 'import type { A } from "./a.ts";',
      },
      "src/data/a.ts: cycle src/data/a.ts > src/data/b.ts > src/data/c.ts > src/data/a.ts",
    ],
    [
      "a default export of a value",
      { "src/data/a.ts": "export default 3;" },
      "src/data/a.ts: has a default export",
    ],
    [
      "a default export of a function",
      { "src/data/a.ts": "export default function a() {}" },
      "src/data/a.ts: has a default export",
    ],
    [
      "a default export by name",
      { "src/data/a.ts": "const a = 3; export { a as default };" },
      "src/data/a.ts: has a default export",
    ],
    [
      "unseeded randomness",
      { "src/train/a.ts": "export const a: number = Math.random();" },
      "src/train/a.ts: Math.random must be an argument",
    ],
    [
      "the time of day",
      { "src/train/a.ts": "export const a: Date = new Date();" },
      "src/train/a.ts: new Date() must be an argument",
    ],
  ];

  test.each(planted)("%s", (_rule, files, found) => {
    expect(violations(asSources(files))).toEqual([found]);
  });
});

test("what the rules allow passes", () => {
  const files = {
    "src/errors.ts": "export class UserError extends Error {}",
    "src/index.ts": 'export * as kernel from "./kernel/index.ts";',
    "src/kernel/index.ts": 'export { a } from "./a.ts";',
    "src/kernel/a.ts": 'import { UserError } from "../errors.ts"; // import "node:fs"',
    "src/kernel/a.test.ts":
      'import fs from "node:fs"; import { a } from "./a.ts"; import "../../test/capabilities.ts";',
    "src/kernel/b.test.ts": 'import { random } from "../tensor/index.ts";',
    "src/data/files.ts": 'import fs from "node:fs";',
    "src/data/picture.ts": 'import sharp from "sharp";',
    "src/data/manifest.ts": 'import { parse } from "csv-parse/browser/esm/sync";',
    "src/bench/a.ts": 'import os from "node:os"; import { x } from "../kernel/index.ts";',
    "apps/cli/main.ts":
      'import { Command } from "commander"; import { r } from "../studio/report/report.ts";',
    "apps/studio/report/report.ts": "export const r: string = \"import x from 'left'\";",
    "test/capabilities.ts": 'export { capability } from "../scripts/capabilities.mjs";',
  };
  expect(violations(asSources(files))).toEqual([]);
});

function asSources(files: Readonly<Record<string, string>>): { path: string; text: string }[] {
  return Object.entries(files).map(([path, text]) => ({ path, text }));
}
