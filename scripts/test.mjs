/**
 * `npm test`: types, lint and format, unused code, then every test; then what this machine could
 * not run and why; the last line is the count. Static checks count as one test each.
 *
 * Arguments go to vitest and make the run partial: `npm test -- -t wav` runs no static checks.
 * REQUIRE_ALL=1 turns a skipped test and a missing capability into exit code 1 (full runs only).
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { capability, capabilityNames } from "./capabilities.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

const staticChecks = [
  { name: "types", tool: "typescript/bin/tsc", args: ["-p", "tsconfig.json"] },
  {
    name: "lint and format",
    tool: "@biomejs/biome/bin/biome",
    args: ["check", "--error-on-warnings"],
  },
  { name: "unused code", tool: "knip/bin/knip.js", args: ["--no-progress"] },
];

const vitestArgs = process.argv.slice(2);
const isPartial = vitestArgs.length > 0;
const failedChecks = isPartial ? [] : staticChecks.filter((check) => !passes(check));
const tests = runTests(vitestArgs);
const passed = count(tests, "passed") + (isPartial ? 0 : staticChecks.length - failedChecks.length);
const failed = count(tests, "failed") + failedChecks.length;
const skipped = count(tests, "skipped");
const lacking = process.env.REQUIRE_ALL === "1" && !isPartial ? required(tests) : [];

print("");
for (const line of capabilityTable(tests)) print(line);
for (const name of failedChecks.map((check) => check.name)) print(`failed: ${name}`);
for (const test of tests.filter((test) => test.status === "failed")) print(`failed: ${test.name}`);
for (const line of lacking) print(`REQUIRE_ALL: ${line}`);
print("");
print(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 || lacking.length > 0 ? 1 : 0;

function passes({ name, tool, args }) {
  const start = Date.now();
  const isClean = runTool(tool, args, "pipe") === 0;
  print(
    `${isClean ? "ok    " : "FAILED"}  ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)`,
  );
  return isClean;
}

/** Exit code of a tool in node_modules; its output is shown, with "pipe" only if it fails. */
function runTool(tool, args, output) {
  const command = [join(root, "node_modules", tool), ...args];
  const stdio = ["ignore", output, output];
  const result = spawnSync(process.execPath, command, { cwd: root, stdio, encoding: "utf8" });
  if (result.error) print(result.error.message);
  if (output === "pipe" && result.status !== 0) print(`${result.stdout}${result.stderr}`);
  return result.status ?? 1;
}

/** Runs vitest: every test as { name, status, needs }, a failure outside of tests as one more. */
function runTests(args) {
  const folder = mkdtempSync(join(tmpdir(), "tinym2net-test-"));
  const report = join(folder, "report.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  try {
    const status = runTool("vitest/vitest.mjs", ["run", ...reporters, ...args], "inherit");
    const results = read(report).flatMap(testsOfFile);
    const isExplained = status === 0 || results.some((test) => test.status === "failed");
    const unexplained = { name: "vitest, outside of a test", status: "failed", needs: [] };
    return isExplained ? results : [...results, unexplained];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function read(report) {
  try {
    return JSON.parse(readFileSync(report, "utf8")).testResults;
  } catch {
    return [];
  }
}

function testsOfFile({ name, status, assertionResults }) {
  const file = relative(root, name);
  const results = assertionResults.map((test) => ({
    name: `${file}: ${test.fullName}`,
    status: ["passed", "failed"].includes(test.status) ? test.status : "skipped",
    needs: test.tags,
  }));
  const isExplained = status !== "failed" || results.some((test) => test.status === "failed");
  return isExplained ? results : [...results, { name: file, status: "failed", needs: [] }];
}

function count(tests, status) {
  return tests.filter((test) => test.status === status).length;
}

/** A row for each capability: whether tests used it, how many, and what was found or is missing. */
function capabilityTable(tests) {
  const rows = capabilityNames.map((name) => {
    const { available, reason } = capability(name);
    const ran = tests.filter((test) => test.needs.includes(name) && test.status !== "skipped");
    if (ran.length > 0) return [name, "ran", String(ran.length), reason];
    return [name, "skipped", "0", available ? "no test of this run asks for it" : reason];
  });
  const header = ["capability", "", "tests", "found or missing"];
  const format = ([name, state, ran, reason]) =>
    `${name.padEnd(11)}  ${state.padEnd(7)}  ${ran.padStart(5)}  ${reason}`;
  return [header, ...rows].map(format);
}

/** What REQUIRE_ALL misses: capabilities, and tests that were skipped. */
function required(tests) {
  const capabilities = capabilityNames
    .filter((name) => !capability(name).available)
    .map((name) => `${name} is missing: ${capability(name).reason}`);
  const skips = tests
    .filter((test) => test.status === "skipped")
    .map((test) => `skipped: ${test.name}`);
  return [...capabilities, ...skips];
}

function print(line) {
  process.stdout.write(`${line}\n`);
}
