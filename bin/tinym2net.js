#!/usr/bin/env node
/** The command: finds the built program, runs it, passes its exit code on. */

import { existsSync } from "node:fs";
import { setFlagsFromString } from "node:v8";

/**
 * Bytecode that a function executes before Node 20 optimizes it, 15 times the default. Most of what
 * stands before a first step runs some thousand times and never again, such as writing a net as
 * WebAssembly: there the optimizer takes more time than it saves. What stays hot comes to it some
 * milliseconds later. It changes no result. Later versions have a quick optimizer for such code.
 */
if (process.version.startsWith("v20.")) setFlagsFromString("--interrupt-budget=1000000");

const program = new URL("../dist/apps/cli/main.js", import.meta.url);

if (existsSync(program)) {
  const { main } = await import(program.href);
  process.exitCode = await main(process.argv.slice(2));
} else {
  process.stderr.write("tinym2net: not built yet; run `npm start` or `npm run build` once\n");
  process.exitCode = 1;
}
