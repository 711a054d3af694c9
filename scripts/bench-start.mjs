/**
 * Seconds from the start of `train` to its first step: with an empty cache, then again.
 *
 *   node scripts/bench-start.mjs DATASET... [--json] [--runs 3]
 */

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean" }, runs: { type: "string", default: "3" } },
});
const program = fileURLToPath(new URL("../bin/tinym2net.js", import.meta.url));
const place = mkdtempSync(join(tmpdir(), "tinym2net-start-"));

/** Until the stage of training begins; then the process is ended. */
function firstStep(dataset, cache) {
  const out = join(place, "run");
  rmSync(out, { recursive: true, force: true });
  const start = performance.now();
  const child = spawn(process.execPath, [program, "train", dataset, "--out", out], {
    env: { ...process.env, TINYM2NET_CACHE: cache, CI: "1" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  let seconds;
  child.stderr.setEncoding("utf8").on("data", (text) => {
    said += text;
    if (seconds !== undefined || !/^train .*: started$/m.test(said)) return;
    seconds = (performance.now() - start) / 1000;
    child.kill("SIGKILL");
  });
  return new Promise((resolve, reject) => {
    child.on("close", () => (seconds === undefined ? reject(new Error(said)) : resolve(seconds)));
  });
}

async function measured(dataset) {
  const cache = join(place, basename(dataset));
  const first = await firstStep(dataset, cache);
  const again = [];
  for (let i = 0; i < Number(values.runs); i++) again.push(await firstStep(dataset, cache));
  again.sort((a, b) => a - b);
  const middle = again[Math.floor(again.length / 2)];
  return { dataset: basename(dataset), first, again: { median: middle, all: again } };
}

try {
  const results = [];
  for (const dataset of positionals) results.push(await measured(dataset));
  const machine = `${cpus().length} x ${cpus()[0]?.model ?? process.arch}, Node ${process.version}`;
  if (values.json) console.log(JSON.stringify({ machine, results }));
  else {
    console.log(`${machine}; seconds from the start of train to its first step`);
    for (const { dataset, first, again } of results) {
      const all = again.all.map((seconds) => seconds.toFixed(2)).join(", ");
      console.log(`${dataset}: empty cache ${first.toFixed(1)}, again ${all}`);
    }
  }
} finally {
  rmSync(place, { recursive: true, force: true });
}
