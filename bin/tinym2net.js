#!/usr/bin/env node
/** The command: finds the built program, runs it, passes its exit code on. */

import { existsSync } from "node:fs";

const program = new URL("../dist/apps/cli/main.js", import.meta.url);

if (existsSync(program)) {
  const { main } = await import(program.href);
  process.exitCode = await main(process.argv.slice(2));
} else {
  process.stderr.write("tinym2net: not built yet; run `npm start` or `npm run build` once\n");
  process.exitCode = 1;
}
