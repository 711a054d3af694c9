/** The repository's own files, as text, for the tests that look at them. */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { SourceText } from "./architecture.ts";

export const root: string = fileURLToPath(new URL("..", import.meta.url));

/** All files below the given folders and of the given endings, in a fixed order. */
export function sources(folders: readonly string[], endings: readonly string[]): SourceText[] {
  return folders
    .flatMap(paths)
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

function paths(place: string): string[] {
  const status = statSync(join(root, place), { throwIfNoEntry: false });
  if (status === undefined) return [];
  if (!status.isDirectory()) return [place];
  const names = readdirSync(join(root, place)).sort();
  return names
    .filter((name) => name !== "node_modules")
    .flatMap((name) => paths(`${place}/${name}`));
}
