/**
 * What an importer is: a layout of folders that it recognises, and the samples it finds there.
 *
 * An importer reads tables and names, never sound or pictures, and writes nothing. Whatever it
 * leaves unmentioned is told to be refused by who called it, so no file disappears in silence.
 */

import type { FoundSample } from "../collect.ts";
import { fileKind } from "../manifest.ts";
import type { SourceTree } from "./tree.ts";

/** A file, or a line of one, that is not imported, and why. */
export interface Refusal {
  readonly path: string;
  readonly reason: string;
}

export interface Found {
  readonly samples: readonly FoundSample[];
  readonly refused: readonly Refusal[];
  /** Tables and label files that were used. */
  readonly read: readonly string[];
}

export interface ImportHints {
  /** Folder names that are modalities, beyond the ones known. */
  readonly modalities: readonly string[];
  /** Pair by time stamps this near, in seconds; by file stem where not given. */
  readonly toleranceS?: number;
}

export interface Importer {
  readonly name: string;
  /** The layout in one line. */
  readonly layout: string;
  /** Whether a tree looks like it; cheap, by names only. */
  matches(tree: SourceTree, hints: ImportHints): boolean;
  find(tree: SourceTree, hints: ImportHints): Promise<Found>;
}

/** Whether a file is a sound, a picture or a series, by its name. */
export function isMedia(path: string): boolean {
  return fileKind(path) !== undefined;
}

/** A path without the extension of its file. */
export function withoutExtension(path: string): string {
  return path.replace(/\.[^./]+$/, "");
}

/** The last part of a path. */
export function fileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** What lies before the last part of a path, with its "/"; empty at the top. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}
