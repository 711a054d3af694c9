/**
 * An export of Edge Impulse: folders `training` and `testing`, `info.labels` in them or above.
 *
 * info.labels is JSON: `version`, `files[]` with `path`, `name`, `category` (training, testing,
 * split), `label` ({type: "label", label} or {type: "multi-label", labels: [{label, startIndex,
 * endIndex}]}, in milliseconds) and `metadata`. A file that is in no info.labels has its label
 * before the first dot of its name. Source: docs.edgeimpulse.com, "Edge Impulse labels" and
 * "Uploader".
 */

import { UserError } from "../../errors.ts";
import type { FoundSample } from "../collect.ts";
import { fileKind } from "../manifest.ts";
import {
  fileName,
  folderOf,
  type Importer,
  isMedia,
  type Refusal,
  withoutExtension,
} from "./importer.ts";
import { placeOf, splitOf } from "./place.ts";
import { asObject, asText, type SourceTree, textOf } from "./tree.ts";

const LABELS = "info.labels";
/** The uploader's own rule for labels in names. */
const LABEL_IN_NAME = /^([a-zA-Z0-9\s_-]+)\../;

export const edgeImpulse: Importer = {
  name: "edge-impulse",
  layout: "training/ and testing/ with info.labels, or files named label.anything.wav",
  matches: ({ files }) => files.some(isLabels) || files.some(isNamedByLabel),
  async find(tree) {
    const samples: FoundSample[] = [];
    const refused: Refusal[] = [];
    const listed = new Set<string>();
    const tables = tree.files.filter(isLabels);
    // those deeper down first: they are nearer to their files
    for (const table of tables.toSorted((a, b) => b.split("/").length - a.split("/").length)) {
      for (const entry of await readEntries(tree, table)) {
        const path = pathOf(tree, table, asText(entry.path) ?? "");
        if (path === undefined) {
          refused.push({ path: `${table}: ${asText(entry.path)}`, reason: "is not there" });
          continue;
        }
        if (listed.has(path)) continue;
        listed.add(path);
        const found = readEntry(path, entry);
        if (typeof found === "string") refused.push({ path, reason: found });
        else samples.push(...found);
      }
    }
    for (const path of tree.files) {
      if (listed.has(path) || !isMedia(path)) continue;
      const label = LABEL_IN_NAME.exec(fileName(path))?.[1].trim();
      if (label === undefined || label === "") {
        refused.push({ path, reason: `is in no ${LABELS} and not named label.anything` });
      } else samples.push(...sampleOf(path, label, placeOf(path).split));
    }
    return { samples: samples.toSorted(byId), refused, read: tables };
  },
};

const byId = (a: FoundSample, b: FoundSample) => (a.id < b.id ? -1 : 1);
const isLabels = (path: string) => fileName(path) === LABELS;
const isNamedByLabel = (path: string) =>
  /^(training|testing)\/[^/]+$/.test(path) && isMedia(path) && LABEL_IN_NAME.test(fileName(path));

type Entry = Readonly<Record<string, unknown>>;

async function readEntries(tree: SourceTree, table: string): Promise<Entry[]> {
  let value: Entry | undefined;
  try {
    value = asObject(JSON.parse(await textOf(tree, table)));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${tree.folder}/${table} is no JSON`);
  }
  if (!Array.isArray(value?.files)) {
    throw new UserError(`${tree.folder}/${table} must hold an object with "files", a list`);
  }
  return value.files.flatMap((file: unknown): Entry[] => {
    const entry = asObject(file);
    return entry === undefined ? [] : [entry];
  });
}

/** Relative to the table, or to the top. */
function pathOf(tree: SourceTree, table: string, path: string): string | undefined {
  const clean = path.replaceAll("\\", "/").replace(/^(\.\/)+/, "");
  return [`${folderOf(table)}${clean}`, clean].find((candidate) => tree.has(candidate));
}

/** Samples of a file, several where it is labelled in pieces, or why there are none. */
function readEntry(path: string, { category, label, metadata }: Entry): FoundSample[] | string {
  const split = splitOf(asText(category) ?? "") ?? placeOf(path).split;
  const given = asObject(label);
  const columns = Object.entries(asObject(metadata) ?? {}).flatMap(([key, value]) => {
    const text = asText(value);
    return text === undefined ? [] : [[key, text] as const];
  });
  const more = Object.fromEntries(columns);
  if (given?.type === "multi-label" && Array.isArray(given.labels)) {
    return given.labels.flatMap((piece: unknown, i) => {
      const { label: name, startIndex, endIndex } = asObject(piece) ?? {};
      const [start, end] = [Number(startIndex), Number(endIndex)];
      const text = asText(name);
      if (text === undefined || !(end > start && start >= 0)) return [];
      const times = { startS: start / 1000, durationS: (end - start) / 1000 };
      return sampleOf(path, text, split, { columns: more, piece: { index: i + 1, ...times } });
    });
  }
  const text = asText(label) ?? asText(given?.label);
  if (text === undefined || text === "" || given?.type === "unlabeled") return "has no label";
  return sampleOf(path, text, split, { columns: more });
}

interface Details {
  readonly columns: Readonly<Record<string, string>>;
  readonly piece?: { readonly index: number; readonly startS: number; readonly durationS: number };
}

function sampleOf(
  path: string,
  label: string,
  split: FoundSample["split"],
  { columns, piece }: Details = { columns: {} },
): FoundSample[] {
  const kind = fileKind(path);
  if (kind === undefined) return [];
  const group = withoutExtension(path);
  const { index, ...segment } = piece ?? { index: 0 };
  const id = index === 0 ? group : `${group} ${index}`;
  return [{ id, label, split, group, sources: { [kind]: { path, ...segment } }, columns }];
}
