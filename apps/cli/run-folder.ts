/**
 * A run is a folder. Files are written under another name and renamed, those that belong together
 * at once, so that a kill or a full disk at any moment leaves whole files.
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

type Data = string | Uint8Array;

/** What a file is called until it is whole. */
export const PARTIAL = ".partial";

/** Write a file whole or not at all. */
export async function writeWhole(path: string, data: Data): Promise<void> {
  await writeTogether([[path, data]]);
}

/**
 * Write files that belong together: all or none.
 *
 * files    path and contents, renamed into place in this order once all are written
 */
export async function writeTogether(files: readonly (readonly [string, Data])[]): Promise<void> {
  let at = "";
  try {
    for (const [path, data] of files) {
      at = path;
      await writeFile(`${path}${PARTIAL}`, data);
    }
    for (const [path] of files) {
      at = path;
      await rename(`${path}${PARTIAL}`, path);
    }
  } catch (error) {
    for (const [path] of files) await rm(`${path}${PARTIAL}`, { force: true });
    throw explained(error, at);
  }
}

/** What the operating system says of a failed write, in words that say what to do. */
export function explained(error: unknown, path: string): unknown {
  const reasons: Readonly<Record<string, string>> = {
    ENOSPC: "the disk is full; free some space and run the same command again",
    EDQUOT: "the disk quota is used up; free some space and run the same command again",
    EFBIG: "the file is larger than is allowed there",
    EACCES: "no permission to write there; choose another folder with --out",
    EPERM: "no permission to write there; choose another folder with --out",
    EROFS: "the file system is read-only; choose another folder with --out",
    ENOTDIR: "a part of the path is a file, not a folder",
    EEXIST: "a part of the path is a file, not a folder",
    EISDIR: "a folder of that name is there",
    ENAMETOOLONG: "the name is too long",
  };
  const reason = reasons[codeOf(error) ?? ""];
  return reason === undefined ? error : new UserError(`cannot write ${path}: ${reason}`);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}

export function sha256(data: Data): string {
  return createHash("sha256").update(data).digest("hex");
}

/** What a run file of these contents carries as its "integrity". */
export function integrityOf(value: object): string {
  return sha256(JSON.stringify(value));
}

/**
 * Whether a new run may be written to a folder; nothing is changed.
 *
 * throws   UserError if it holds anything, unless `force` and what it holds is a run
 */
export async function assertFree(folder: string, { force }: { force: boolean }): Promise<void> {
  const found = await entriesOf(folder);
  const isRun = RUN_FILES.some((name) => found.includes(name));
  const others = found.filter((name) => !isPartial(name));
  if (others.length > 0 && !isRun) {
    throw new UserError(`${folder} is not empty and holds no run; choose another --out`);
  }
  if (others.length > 0 && !force) {
    throw new UserError(
      `${folder} is not empty; use --resume to continue it or --force to start it anew`,
    );
  }
}

/** Files that a kill left behind. */
function isPartial(name: string): boolean {
  return RUN_FILES.some((file) => name === `${file}${PARTIAL}`);
}

/** Make the folder of a new run, without what an earlier one left there. */
export async function createRun(folder: string, { force }: { force: boolean }): Promise<void> {
  await assertFree(folder, { force });
  try {
    await mkdir(folder, { recursive: true });
    // run.json last: until then it is a run, and may be replaced again
    for (const name of RUN_FILES.toReversed()) {
      await rm(join(folder, `${name}${PARTIAL}`), { force: true });
      await rm(join(folder, name), { force: true });
    }
  } catch (error) {
    throw explained(error, folder);
  }
}

/** Names in a folder to be written to; none if it is not there. */
export async function entriesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw explained(error, folder);
  }
}

export async function hasFile(folder: string, name: RunFile): Promise<boolean> {
  const names: string[] = await readdir(folder).catch(() => []);
  return names.includes(name);
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
  } catch (error) {
    throw await unread(folder, path, { verb, code: codeOf(error) });
  }
  if (hash !== undefined && sha256(bytes) !== hash) throw damaged(path, verb);
  return bytes;
}

async function unread(
  folder: string,
  path: string,
  { verb, code }: { verb: string; code: string | undefined },
): Promise<UserError> {
  if (code !== "ENOENT" && code !== "ENOTDIR") {
    return new UserError(`${path} cannot be read (${code ?? "for no known reason"})`);
  }
  if (!(await hasFile(folder, "run.json"))) {
    return new UserError(`${folder} is not a run folder; run \`tinym2net train\` first`);
  }
  // a run that has begun and has no model yet was stopped
  const isStopped = verb === "train";
  const hint = isStopped ? "train --resume` to finish it" : `${verb}\` first`;
  return new UserError(`${path} is missing; run \`tinym2net ${hint}`);
}

/** The error for a file that is not what was written; the caller throws it. */
export function damaged(path: string, verb: string): UserError {
  const again = verb === "train" ? "train --force" : verb;
  return new UserError(
    `${path} is damaged or was changed after it was written; run \`tinym2net ${again}\` again`,
  );
}

/** The text of a run's JSON file, with its integrity hash. */
export function jsonText(value: object): string {
  return `${JSON.stringify({ ...value, integrity: integrityOf(value) }, null, 1)}\n`;
}

/** Write a JSON file with its integrity hash. */
export async function writeJson(folder: string, name: RunFile, value: object): Promise<void> {
  await writeWhole(join(folder, name), jsonText(value));
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
    if (integrity === integrityOf(value)) return value as unknown as T;
  } catch {
    // told below, like any other damage
  }
  throw damaged(path, verb);
}
