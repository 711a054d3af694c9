/**
 * Folders and files. With ffmpeg.ts the only file of this module that touches the machine.
 *
 * What it needs is imported on first use, so the rest of `data` loads in a browser. File errors
 * that a user can put right become UserErrors.
 */

import { UserError } from "../errors.ts";

const fileSystem = () => import("node:fs/promises");

type EntryKind = "file" | "folder" | "other";

/** The names in a folder; undefined if there is no such folder. */
export async function listFolder(path: string): Promise<Map<string, EntryKind> | undefined> {
  const { readdir } = await fileSystem();
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return new Map(
      entries.map((entry) => {
        const kind = entry.isFile() ? "file" : entry.isDirectory() ? "folder" : "other";
        return [entry.name, kind];
      }),
    );
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw fileError("reading", path, error);
  }
}

/** Whether a path leads to a file, symbolic links followed. */
export async function isFile(path: string): Promise<boolean> {
  const { stat } = await fileSystem();
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** A file's bytes. */
export async function readBytes(path: string): Promise<Uint8Array> {
  const { readFile } = await fileSystem();
  try {
    return await readFile(path);
  } catch (error) {
    throw fileError("reading", path, error);
  }
}

/** The last part of a folder's full path: a name for what is in it. */
export async function folderName(folder: string): Promise<string> {
  const { basename, resolve } = await import("node:path");
  return basename(resolve(folder));
}

/**
 * Fill a folder so that it is there complete or not at all: `fill` gets a temporary folder beside
 * it that takes its name at the end.
 *
 * replaceIf  an existing folder that holds a file of this name may be replaced
 */
export async function fillFolder(
  folder: string,
  { fill, replaceIf }: { fill: (temporary: string) => Promise<void>; replaceIf?: string },
): Promise<void> {
  const { mkdir, rename, rm } = await fileSystem();
  const { basename, dirname, join, resolve } = await import("node:path");
  const place = resolve(folder);
  const existing = await listFolder(place);
  const isReplaceable = replaceIf !== undefined && existing?.has(replaceIf) === true;
  if (existing !== undefined && existing.size > 0 && !isReplaceable) {
    throw new UserError(`${folder} exists and is not empty; nothing was written`);
  }
  const temporary = join(dirname(place), `.${basename(place)}.partial`);
  const old = join(dirname(place), `.${basename(place)}.replaced`);
  try {
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary, { recursive: true });
    await fill(temporary);
    await rm(old, { recursive: true, force: true });
    if (existing !== undefined) await rename(place, old);
    await rename(temporary, place).catch(async (error: unknown) => {
      if (existing !== undefined) await rename(old, place);
      throw error;
    });
    await rm(old, { recursive: true, force: true });
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw fileError("writing", folder, error);
  }
}

/** Write a file, making its folder. */
export async function writeBytes(path: string, bytes: Uint8Array | string): Promise<void> {
  const { mkdir, writeFile } = await fileSystem();
  const { dirname } = await import("node:path");
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  } catch (error) {
    throw fileError("writing", path, error);
  }
}

/**
 * Put a file into a dataset's folder, without touching the original: a copy, which shares its blocks
 * where the file system can, or a relative symbolic link.
 */
export async function placeFile(
  from: string,
  to: string,
  { link }: { link: boolean },
): Promise<void> {
  const { constants, copyFile, mkdir, realpath, symlink } = await fileSystem();
  const { dirname, relative } = await import("node:path");
  try {
    await mkdir(dirname(to), { recursive: true });
    if (link) await symlink(relative(await realpath(dirname(to)), await realpath(from)), to);
    else await copyFile(from, to, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
  } catch (error) {
    throw fileError("copying", from, error);
  }
}

/** Whether two folders are one, or one lies in the other; links are resolved. */
export async function areNested(one: string, other: string): Promise<boolean> {
  const { isAbsolute, relative } = await import("node:path");
  const [a, b] = [await realPlace(one), await realPlace(other)];
  return [relative(a, b), relative(b, a)].some(
    (way) => way !== ".." && !/^\.\.[/\\]/.test(way) && !isAbsolute(way),
  );
}

/** A full path without links, of what may not be there yet. */
async function realPlace(path: string): Promise<string> {
  const { realpath } = await fileSystem();
  const { basename, dirname, join, resolve } = await import("node:path");
  const full = resolve(path);
  try {
    return await realpath(full);
  } catch (error) {
    if (!hasCode(error, "ENOENT") || dirname(full) === full)
      throw fileError("reading", path, error);
    return join(await realPlace(dirname(full)), basename(full));
  }
}

const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  EACCES: "may not be opened (permission denied)",
  EPERM: "may not be changed (not permitted)",
  EISDIR: "is a folder, a file is needed",
  ENOTDIR: "lies under something that is not a folder",
  ENOSPC: "does not fit: the disk is full",
  EDQUOT: "does not fit: the disk quota is used up",
  EROFS: "is on a read-only disk",
  EMFILE: "could not be opened: too many files are open",
  ERR_FS_FILE_TOO_LARGE: "is larger than 2 GiB; cut it into parts",
};

function fileError(verb: string, path: string, error: unknown): Error {
  if (error instanceof UserError) return error;
  const code = errorCode(error);
  const known = code === undefined ? undefined : FILE_ERRORS[code];
  if (known !== undefined) return new UserError(`${verb} ${path}: it ${known}`);
  return error instanceof Error ? error : new Error(String(error));
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  const code = errorCode(error);
  return code !== undefined && codes.includes(code);
}

function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error && "code" in error)) return undefined;
  return String(error.code);
}
