/**
 * JSON lines: one object a sample, with the columns of manifest.csv as keys.
 *
 * `{"id": "s1", "label": "drone", "audio": "a/1.wav", "audio_start_s": 0.5, "group": "day 1"}`. A
 * modality is a key whose value ends like a sound, a picture or a series, or an object with `path`
 * and optional `start_s`, `duration_s`, `group`, `low`, `high`, `rate_hz`. Paths are relative to the
 * file. Further keys of text, numbers and truth values become columns.
 */

import { UserError } from "../../errors.ts";
import { readAttributes } from "../attributes.ts";
import type { FoundSample } from "../collect.ts";
import type { Source } from "../dataset.ts";
import { columnsOf, fileKind } from "../manifest.ts";
import { type Found, folderOf, type Importer, type Refusal } from "./importer.ts";
import { splitOf } from "./place.ts";
import { asObject, asText, type SourceTree, textOf } from "./tree.ts";

type Fields = Readonly<Record<string, unknown>>;

const OWN_KEYS: readonly string[] = ["id", "label", "split", "group"];

export const jsonl: Importer = {
  name: "jsonl",
  layout: "one .jsonl file: an object a line with id, label, split, group and a path a modality",
  matches: (tree) => tables(tree).length === 1,
  async find(tree) {
    const [table, ...others] = tables(tree);
    if (table === undefined || others.length > 0) {
      throw new UserError(
        `${tree.folder} must hold one .jsonl file, got ${others.length === 0 ? "none" : "several"}`,
      );
    }
    return readLines(tree, table);
  },
};

const tables = ({ files }: SourceTree) => files.filter((path) => /\.(jsonl|ndjson)$/i.test(path));

async function readLines(tree: SourceTree, table: string): Promise<Found> {
  const samples: FoundSample[] = [];
  const refused: Refusal[] = [];
  const lines = (await textOf(tree, table)).split(/\r?\n/);
  for (const [i, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const at = `line ${i + 1}`;
    const sample = readLine(tree, { line, prefix: folderOf(table), id: at.replace(" ", "-") });
    if (typeof sample === "string") refused.push({ path: `${table} ${at}`, reason: sample });
    else samples.push(sample);
  }
  return { samples, refused, read: [table] };
}

/** A sample, or what is wrong with the line. */
function readLine(
  tree: SourceTree,
  { line, prefix, id: unnamed }: { line: string; prefix: string; id: string },
): FoundSample | string {
  let fields: Fields | undefined;
  try {
    fields = asObject(JSON.parse(line));
  } catch {
    return "is no JSON";
  }
  if (fields === undefined) return "is no JSON object";
  const label = asText(fields.label)?.trim() ?? "";
  if (label === "") return "has no label";
  const splitText = asText(fields.split) ?? "";
  const split = splitText === "" ? "" : splitOf(splitText);
  if (split === undefined) return `split must be train, val or test, got ${splitText}`;
  const sources = readSources(tree, fields, prefix);
  if (typeof sources === "string") return sources;
  if (Object.keys(sources).length === 0) return "names no sound, picture or series";
  const id = asText(fields.id)?.trim() || unnamed;
  const taken = [...OWN_KEYS, ...Object.keys(sources).flatMap((name) => columnsOf({ name }))];
  const columns = Object.entries(fields).flatMap(([key, value]): [string, string][] => {
    const text = taken.includes(key) ? undefined : asText(value);
    return text === undefined ? [] : [[key, text]];
  });
  const group = asText(fields.group)?.trim() || id;
  return { id, label, split, group, sources, columns: Object.fromEntries(columns) };
}

function readSources(
  tree: SourceTree,
  fields: Fields,
  prefix: string,
): Record<string, Source> | string {
  const sources: Record<string, Source> = {};
  for (const [name, value] of Object.entries(fields)) {
    const own = asObject(value);
    const text = own === undefined ? asText(value) : asText(own.path);
    const kind = text === undefined ? undefined : fileKind(text);
    if (OWN_KEYS.includes(name) || text === undefined || kind === undefined) continue;
    const path = `${prefix}${text.replaceAll("\\", "/").replace(/^(\.\/)+/, "")}`;
    if (!tree.has(path))
      return `${name} ${text} is not there; paths are relative to the .jsonl file`;
    const attributes = readAttributes(kind, (key) =>
      cellOf(own === undefined ? fields[`${name}_${key}`] : own[key]),
    );
    if ("problem" in attributes) return `${name} ${attributes.message}`;
    sources[name] = { path, ...attributes };
  }
  return sources;
}

/** A value as the manifest's cell would say it; what is neither text nor number is shown as JSON. */
function cellOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  return asText(value) ?? JSON.stringify(value);
}
