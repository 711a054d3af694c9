/**
 * An import before anything is written: the layout, the samples as they will be, and every file that
 * is not taken, with a reason.
 */

import { UserError, unknown } from "../../errors.ts";
import { type CollectOptions, collectDataset, type FoundSample, filesOf } from "../collect.ts";
import { isFile } from "../files.ts";
import { fileKind, MANIFEST } from "../manifest.ts";
import { avPairs } from "./av-pairs.ts";
import { type Choices, chosen } from "./choose.ts";
import { compare } from "./compare.ts";
import { coswara } from "./coswara.ts";
import { drones } from "./drones.ts";
import { edgeImpulse } from "./edge-impulse.ts";
import { folders } from "./folders.ts";
import type { Importer, ImportHints, Refusal } from "./importer.ts";
import { jsonl } from "./jsonl.ts";
import { readable } from "./readable.ts";
import { listTree, type SourceTree } from "./tree.ts";

/** In the order in which they are tried: the more particular first. */
export const IMPORTERS: readonly Importer[] = [
  ...[drones, coswara, compare, edgeImpulse, jsonl, avPairs, folders],
];

export interface ImportOptions extends Partial<ImportHints>, Choices {
  /** Name of the layout; recognised where not given. */
  readonly from?: string;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface ImportPlan {
  readonly from: string;
  /** That paths are relative to. */
  readonly folder: string;
  readonly samples: readonly FoundSample[];
  readonly refused: readonly Refusal[];
  /** What the user should know, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * See what a folder holds; every recording is decoded once, nothing is written.
 *
 * source   a folder, or a .jsonl file
 * throws   UserError if the layout is unknown, or nothing is left to import
 */
export async function planImport(source: string, options: ImportOptions = {}): Promise<ImportPlan> {
  const { from, modalities = [], toleranceS, onProgress } = options;
  const isTable = await isFile(source);
  const tree = isTable ? await tableTree(source) : await listTree(source);
  const hints = { modalities, ...(toleranceS === undefined ? {} : { toleranceS }) };
  const importer = isTable ? jsonl : importerFor(tree, hints, from);
  if (isTable && from !== undefined && from !== jsonl.name) {
    throw new UserError(`import: --from must be jsonl for a file, got ${from}`);
  }
  const found = await importer.find(tree, hints);
  const wanted = chosen(found.samples, options);
  const checked = await readable(wanted.samples, {
    folder: tree.folder,
    ...(onProgress ? { onProgress } : {}),
  });
  const refused = [...found.refused, ...wanted.refused, ...checked.refused];
  const told = new Set([...found.read, ...filesOf(checked.samples), ...refused.map((r) => r.path)]);
  const left = isTable ? [] : tree.files.filter((path) => !told.has(path));
  if (checked.samples.length === 0)
    throw nothing(source, importer, [...refused, ...left.map(leftOver)]);
  return {
    from: importer.name,
    folder: tree.folder,
    samples: checked.samples,
    refused: [...refused, ...left.map(leftOver)],
    notes: notesOn(checked.samples),
  };
}

/** Write a planned import; see `collectDataset`. */
export function writeImport(
  { folder: from, samples }: ImportPlan,
  out: string,
  options: Omit<CollectOptions, "from" | "samples"> = {},
): Promise<void> {
  return collectDataset(out, { ...options, from, samples });
}

async function tableTree(source: string): Promise<SourceTree> {
  const slash = Math.max(source.lastIndexOf("/"), source.lastIndexOf("\\"));
  const own = source.slice(slash + 1);
  const tree = await listTree(slash < 0 ? "." : source.slice(0, slash) || "/");
  return { ...tree, files: tree.files.filter((path) => path === own) };
}

function importerFor(tree: SourceTree, hints: ImportHints, from: string | undefined): Importer {
  const names = IMPORTERS.map(({ name }) => name);
  if (from !== undefined) {
    const named = IMPORTERS.find(({ name }) => name === from);
    if (named === undefined) throw unknown("layout", from, names);
    return named;
  }
  if (tree.has(MANIFEST)) {
    throw new UserError(`${tree.folder} has a ${MANIFEST}: it is a dataset already`);
  }
  const fitting = IMPORTERS.find((importer) => importer.matches(tree, hints));
  if (fitting !== undefined) return fitting;
  const layouts = IMPORTERS.map(({ name, layout }) => `  ${name}: ${layout}`);
  throw new UserError(`${tree.folder} has none of the known layouts:\n${layouts.join("\n")}`);
}

function leftOver(path: string): Refusal {
  if (fileKind(path) === undefined) return { path, reason: "is no sound, picture or series" };
  return { path, reason: "does not fit the layout" };
}

function nothing(
  source: string,
  { name, layout }: Importer,
  refused: readonly Refusal[],
): UserError {
  const first = refused.slice(0, 5).map(({ path, reason }) => `\n  ${path} ${reason}`);
  return new UserError(`${source} has nothing to import as ${name} (${layout})${first.join("")}`);
}

function notesOn(samples: readonly FoundSample[]): string[] {
  const notes: string[] = [];
  const groups = new Map<string, string>();
  for (const { group, split } of samples) {
    const other = groups.get(group) ?? split;
    groups.set(group, other);
    if (other === split) continue;
    notes.push(`group ${group} is in ${other} and in ${split}: training on it would leak`);
    break;
  }
  if (groups.size === samples.length && samples.length > 1) {
    notes.push(
      "every sample is a group of its own: where recordings belong together, say so (--group)",
    );
  }
  return notes;
}
