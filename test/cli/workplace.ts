/**
 * What the tests of the command line share: a small dataset, the program in this process and as a
 * child, and the state of a folder as something to compare.
 */

import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { main } from "../../apps/cli/main.ts";
import { battlefield, writeDataset } from "../../src/data/index.ts";
import { root } from "../sources.ts";

/** A temporary folder of the test file; gone when its tests are done. */
export function workplace(): string {
  const folder = mkdtempSync(join(tmpdir(), "tinym2net-cli-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** 24 training, 8 validation and 12 test samples with sound and picture. */
export async function writeTiny(folder: string, seed = 3): Promise<void> {
  const perClass = { train: 6, val: 2, test: 3 };
  await writeDataset(folder, { samples: battlefield({ seed, perClass }) });
}

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Run a command line in this process.
 *
 * onProgress   called with each piece of stderr
 */
export async function cli(
  argv: readonly string[],
  { onProgress }: { onProgress?: (text: string) => void } = {},
): Promise<Said> {
  const said = { stdout: "", stderr: "" };
  const kept = { stdout: process.stdout.write, stderr: process.stderr.write };
  const capture = (stream: "stdout" | "stderr"): void => {
    process[stream].write = ((text: string | Uint8Array): boolean => {
      said[stream] += typeof text === "string" ? text : new TextDecoder().decode(text);
      if (stream === "stderr") onProgress?.(said.stderr);
      return true;
    }) as typeof process.stdout.write;
  };
  capture("stdout");
  capture("stderr");
  try {
    return { code: await main(argv), ...said };
  } finally {
    process.stdout.write = kept.stdout;
    process.stderr.write = kept.stderr;
  }
}

/** The one object that a command prints with --json; its exit code must be `code`. */
export async function json(
  argv: readonly string[],
  code = 0,
): Promise<Record<string, unknown> & { readonly stderr: string }> {
  const said = await cli([...argv, "--json"]);
  if (said.code !== code) throw new Error(`exit code ${said.code}, not ${code}\n${said.stderr}`);
  const lines = said.stdout.split("\n");
  if (lines.length !== 2 || lines[1] !== "") throw new Error(`not one line: ${said.stdout}`);
  return { ...JSON.parse(lines[0]), stderr: said.stderr };
}

export const program: string = join(root, "bin", "tinym2net.js");

export interface Child {
  readonly process: ChildProcessWithoutNullStreams;
  /** Resolves when stderr matches. */
  until(pattern: RegExp): Promise<void>;
  readonly ended: Promise<Said & { readonly signal: string | null }>;
}

/** The built program as a child process; `leading` goes before it, such as a wrapper. */
export function start(
  argv: readonly string[],
  { leading = [], env = process.env }: { leading?: string[]; env?: NodeJS.ProcessEnv } = {},
): Child {
  const [command, ...rest] = [...leading, process.execPath, program, ...argv];
  const child = spawn(command, rest, { env });
  const said = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said.stderr += text;
  });
  const ended = new Promise<Said & { signal: string | null }>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code: code ?? -1, signal, ...said }));
  });
  const until = (pattern: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (pattern.test(said.stderr)) resolve();
      };
      child.stderr.on("data", look);
      child.on("close", () => reject(new Error(`it ended before ${pattern}:\n${said.stderr}`)));
      look();
    });
  return { process: child, until, ended };
}

/** Every file below a folder with a hash of its contents; empty if there is no such folder. */
export function stateOf(folder: string): Record<string, string> {
  const status = lstatSync(folder, { throwIfNoEntry: false });
  if (status === undefined) return {};
  if (!status.isDirectory()) return { ".": hashOf(folder) };
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  const files = names.filter((name) => lstatSync(join(folder, name)).isFile());
  return Object.fromEntries(files.map((name) => [name, hashOf(join(folder, name))]));
}

function hashOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

/** Another program, run to its end; code -1 where there is none of that name. */
export function tool(
  command: string,
  argv: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Said {
  const { status, stdout, stderr } = spawnSync(command, argv, { encoding: "utf8", env });
  return { code: status ?? -1, stdout: stdout ?? "", stderr: stderr ?? "" };
}

/** A copy of a folder, to be damaged. */
export function copy(from: string, to: string): string {
  cpSync(from, to, { recursive: true });
  return to;
}
