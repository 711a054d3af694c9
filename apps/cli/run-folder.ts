/**
 * A run is a folder. Every file is written under another name and renamed, so that a kill at any
 * moment leaves whole files.
 *
 * A JSON file carries the hash of its own contents ("integrity") and of the binary file beside it,
 * so that a damaged or edited run is told apart from a good one. A verb replaces files that verbs
 * have written and nothing else.
 */

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../src/errors.ts";

export const RUN_FILES = [
  "run.json",
  "train.jsonl",
  "checkpoint.bin",
  "model.json",
  "model.weights",
  "compressed.json",
  "compressed.weights",
  "golden.json",
  "plan.json",
  "evaluation.json",
  "verify.json",
  "bench.json",
  "report.html",
] as const;

export type RunFile = (typeof RUN_FILES)[number];

const PARTIAL = ".partial";

/** Write a file whole or not at all. */
export async function writeWhole(path: string, data: string | Uint8Array): Promise<void> {
  const partial = `${path}${PARTIAL}`;
  try {
    await writeFile(partial, data);
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw explained(error, path);
  }
}

/** What the operating system says of a failed write, in words that say what to do. */
export function explained(error: unknown, path: string): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const reasons: Readonly<Record<string, string>> = {
    ENOSPC: "the disk is full; free some space and run the same command again",
    EDQUOT: "the disk quota is used up; free some space and run the same command again",
    EACCES: "no permission to write there; choose another folder with --out",
    EPERM: "no permission to write there; choose another folder with --out",
    EROFS: "the file system is read-only; choose another folder with --out",
    ENOTDIR: "a part of the path is a file, not a folder",
  };
  const reason = typeof code === "string" ? reasons[code] : undefined;
  return reason === undefined ? error : new UserError(`cannot write ${path}: ${reason}`);
}

export function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/**
 * Make the folder of a new run.
 *
 * throws   UserError if it holds anything, unless `force` and what it holds is a run
 */
export async function createRun(folder: string, { force }: { force: boolean }): Promise<void> {
  const found = await list(folder);
  const isRun = found.includes("run.json") || found.includes("checkpoint.bin");
  if (found.length > 0 && !force) {
    const hint = isRun ? "; use --resume to continue it or --force to start it anew" : "";
    throw new UserError(`${folder} is not empty${hint || "; choose another --out"}`);
  }
  if (found.length > 0 && !isRun) {
    throw new UserError(`${folder} is not empty and holds no run; choose another --out`);
  }
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw explained(error, folder);
  }
  for (const name of RUN_FILES) await rm(join(folder, name), { force: true });
}

async function list(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw explained(error, folder);
  }
}

export async function hasFile(folder: string, name: RunFile): Promise<boolean> {
  return (await list(folder)).includes(name);
}

/**
 * Bytes of a run's file.
 *
 * verb     the one that writes it, for the message
 * throws   UserError if it is missing or is not what `hash` says
 */
export async function readBytes(
  folder: string,
  name: RunFile,
  { verb, hash }: { verb: string; hash?: string },
): Promise<Uint8Array> {
  const path = join(folder, name);
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(await readFile(path));
  } catch {
    const isRun = (await list(folder)).length > 0;
    const where = isRun ? `${path} is missing` : `${folder} is not a run folder`;
    throw new UserError(`${where}; run \`tinym2net ${verb}\` first`);
  }
  if (hash !== undefined && sha256(bytes) !== hash) throw damaged(path, verb);
  return bytes;
}

function damaged(path: string, verb: string): UserError {
  return new UserError(
    `${path} is damaged or was changed after it was written; run \`tinym2net ${verb}\` again`,
  );
}

/** Write a JSON file with its integrity hash. */
export async function writeJson(folder: string, name: RunFile, value: object): Promise<void> {
  const integrity = sha256(JSON.stringify(value));
  await writeWhole(join(folder, name), `${JSON.stringify({ ...value, integrity }, null, 1)}\n`);
}

/**
 * A JSON file that a verb wrote.
 *
 * T        what that verb writes; the integrity hash vouches for it
 * throws   UserError if it is missing, no JSON, or not what was written
 */
export async function readJson<T extends object>(
  folder: string,
  name: RunFile,
  { verb }: { verb: string },
): Promise<T> {
  const text = new TextDecoder().decode(await readBytes(folder, name, { verb }));
  const path = join(folder, name);
  try {
    const { integrity, ...value } = JSON.parse(text) as T & { integrity?: string };
    if (integrity === sha256(JSON.stringify(value))) return value as unknown as T;
  } catch {
    // told below, like any other damage
  }
  throw damaged(path, verb);
}
