/** A folder to import from: all its files by relative path, and the text of some. */

import { mismatch, UserError } from "../../errors.ts";
import { folderName, isFile, listFolder, readBytes } from "../files.ts";

/** Deeper than this is no dataset but a loop of links or somebody's home. */
const MAX_DEPTH = 16;

/** The largest of the public layouts has some 30,000 files. */
const MAX_FILES = 1_000_000;

export interface SourceTree {
  readonly folder: string;
  /** The last part of the folder's path. */
  readonly name: string;
  /** Relative, with "/", sorted by character code; hidden files and folders are left out. */
  readonly files: readonly string[];
  has(path: string): boolean;
  /** Bytes of a table or label file. */
  bytes(path: string): Promise<Uint8Array>;
}

/**
 * List a folder and all below it; links to files count as files, links to folders are not followed.
 *
 * folder   may be the path of a .jsonl file: then it is its folder with that file alone to be read
 * throws   UserError if there is no such folder, or it is too large to be meant
 */
export async function listTree(folder: string): Promise<SourceTree> {
  const files: string[] = [];
  const visit = async (prefix: string, depth: number): Promise<void> => {
    const entries = await listFolder(prefix === "" ? folder : `${folder}/${prefix}`);
    if (entries === undefined) throw new UserError(`${folder} is not a folder: nothing to import`);
    if (depth > MAX_DEPTH) throw tooLarge(folder, `${MAX_DEPTH} folders deep`, prefix);
    for (const [name, kind] of entries) {
      if (name.startsWith(".")) continue;
      const path = `${prefix}${name}`;
      if (kind === "folder") await visit(`${path}/`, depth + 1);
      else if (kind === "file" || (await isFile(`${folder}/${path}`))) files.push(path);
      if (files.length > MAX_FILES) throw tooLarge(folder, `${MAX_FILES} files`, path);
    }
  };
  await visit("", 0);
  files.sort((a, b) => (a < b ? -1 : 1));
  const known = new Set(files);
  return {
    folder,
    name: await folderName(folder),
    files,
    has: (path) => known.has(path),
    bytes: (path) => {
      if (!known.has(path)) throw mismatch("tree", "path", { expected: "one listed", got: path });
      return readBytes(`${folder}/${path}`);
    },
  };
}

function tooLarge(folder: string, limit: string, at: string): UserError {
  return new UserError(`${folder} must be at most ${limit} to be imported, got more at ${at}`);
}

/** UTF-8 text of a file, without byte order mark. */
export async function textOf(tree: SourceTree, path: string): Promise<string> {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await tree.bytes(path));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${path} is not UTF-8 text`);
  }
}

/** A value as an object whose fields are checked one by one; undefined where it is none. */
export function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Readonly<Record<string, unknown>>) : undefined; // parse boundary
}

/** Text, or a number or truth value as text; undefined for anything else. */
export function asText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? `${value}` : undefined;
}
