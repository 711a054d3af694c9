/**
 * Programs of the machine: started with argument arrays, never through a shell, and always ended.
 */

import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { UserError } from "../errors.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Outcome {
  readonly code: number;
  readonly stdout: Uint8Array<ArrayBuffer>;
  readonly stderr: string;
}

export interface RunOptions {
  readonly folder?: string;
  /** Written to the program's standard input. */
  readonly input?: Uint8Array;
  /** It is killed after this time. */
  readonly timeoutMs?: number;
}

/** Run a program to its end; a code other than 0 is the caller's to judge. */
export function runTool(
  command: string,
  parameters: readonly string[],
  { folder, input, timeoutMs = 300_000 }: RunOptions = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, parameters, {
      ...(folder === undefined ? {} : { cwd: folder }),
      timeout: timeoutMs,
      killSignal: "SIGKILL",
      windowsHide: true,
    });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const note = signal === null ? "" : `\n${command} ended by ${signal}`;
      const stderr = Buffer.concat(err).toString("utf8") + note;
      resolve({ code: code ?? 1, stdout: Uint8Array.from(Buffer.concat(out)), stderr });
    });
    child.stdin.on("error", () => {}); // a program may end before it has read everything
    child.stdin.end(input ?? new Uint8Array());
  });
}

/** The same, where failing is a fault of ours: a generated file that does not compile. */
export async function mustRun(
  command: string,
  parameters: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> {
  const outcome = await runTool(command, parameters, options);
  if (outcome.code === 0) return outcome;
  const told = `${outcome.stderr}${new TextDecoder().decode(outcome.stdout)}`.slice(0, 4000);
  throw new Error(`${command} ${parameters.join(" ")}: exit code ${outcome.code}\n${told}`);
}

/** Whether a program of that name can be started: on PATH, or a path itself. */
export function hasTool(command: string, environment: Environment): boolean {
  const folders = (environment.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const places = /[\\/]/.test(command) ? [command] : folders.map((folder) => join(folder, command));
  return places.some(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** What the machine's folder of temporary files refuses is for its user to put right. */
async function inTemporary<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`temporary folder ${tmpdir()}: ${reason}; free space or set TMPDIR`);
  }
}

/** Do something in a new folder that holds the given files; the folder is gone afterwards. */
export async function inFolder<T>(
  files: Readonly<Record<string, string | Uint8Array>>,
  action: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await inTemporary(() => mkdtemp(join(tmpdir(), "tinym2net-")));
  try {
    await inTemporary(async () => {
      for (const [name, content] of Object.entries(files))
        await writeFile(join(folder, name), content);
    });
    return await action(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
