import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as tinym2net from "../src/index.ts";
import { root } from "./sources.ts";

test("every module of src is a namespace of the package, and nothing else is but errors", () => {
  const entries = readdirSync(join(root, "src"), { withFileTypes: true });
  const modules = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const errors = Object.keys(tinym2net).filter((name) => name.endsWith("Error"));
  expect(Object.keys(tinym2net).sort()).toEqual([...modules, ...errors].sort());
  expect(errors.sort()).toEqual(["CheckError", "MissingToolError", "UserError"]);
});
