/**
 * manifest.csv: from rows of text to samples, every row checked by itself.
 *
 * Columns `id`, `label`, `split`, `group`; a column of file paths is a modality, with optional
 * `<modality>_start_s`, `<modality>_duration_s`, `<modality>_group`, for grey pictures
 * `<modality>_low` and `<modality>_high`, for series `<modality>_rate_hz`; all others are
 * information. What concerns rows together (splits, groups, classes) is in split.ts and audit.ts.
 */

import { nearest, unknown } from "../errors.ts";
import { ATTRIBUTES, readAttributes } from "./attributes.ts";
import type { Modality, ModalityKind, Sample, Source, Split } from "./dataset.ts";
import { SPLITS } from "./dataset.ts";
import type { Problems } from "./problems.ts";
import type { Row, Table } from "./table.ts";

export const MANIFEST = "manifest.csv";

const REQUIRED: readonly string[] = ["id", "label", "split", "group"];

/** What a column holds, by the extensions of its files; how a file is read, its bytes decide. */
const KIND_BY_EXTENSION = new Map<string, ModalityKind>([
  ...kindOf("audio", "wav flac mp3 ogg oga opus m4a mp4 aac webm aif aiff"),
  ...kindOf("image", "png jpg jpeg webp gif tif tiff bmp pgm ppm pnm"),
  ...kindOf("series", "csv npy"),
]);

function kindOf(kind: ModalityKind, extensions: string): [string, ModalityKind][] {
  return extensions.split(" ").map((extension) => [extension, kind]);
}

/** A sample whose split may still have to be made. */
export type UnsplitSample = Omit<Sample, "split"> & { readonly split: Split | "" };

export interface Manifest {
  /** In the order of the columns. */
  readonly modalities: readonly Modality[];
  readonly samples: readonly UnsplitSample[];
}

const NOTHING: Manifest = { modalities: [], samples: [] };

/**
 * Read every row of a manifest.
 *
 * modalities  the ones in use; all where not given
 * problems    gets what is wrong; a row that cannot be a sample is left out
 * throws      UserError if a modality asked for is not there
 */
export function readManifest(
  table: Table,
  { modalities: wanted, problems }: { modalities?: readonly string[]; problems: Problems },
): Manifest {
  const { columns } = table;
  if (!hasRequiredColumns(columns, problems)) return NOTHING;
  if (table.rows.length === 0) {
    problems.error("no samples", `${MANIFEST} has a header but no rows`);
    return NOTHING;
  }
  const all = findModalities(table);
  const names = all.map(({ name }) => name);
  for (const name of wanted ?? []) {
    if (!names.includes(name)) throw unknown("modality", name, names);
  }
  const modalities = all.filter(({ name }) => wanted === undefined || wanted.includes(name));
  if (modalities.length === 0) {
    const found = `columns: ${columns.join(", ")}`;
    const message = `${MANIFEST} has no column of paths of sounds, pictures or series; ${found}`;
    problems.error("missing column", message);
    return NOTHING;
  }
  const used = new Set([...REQUIRED, ...all.flatMap(columnsOf)]);
  const information = columns.filter((column) => !used.has(column));
  const index = new Map(columns.map((column, i) => [column, i]));
  const firstRow = new Map<string, number>();
  const samples: UnsplitSample[] = [];
  for (const row of table.rows) {
    const reader = { row, problems, cell: (column: string) => cellOf(row, index.get(column)) };
    if (!isRowSound(reader, { columns, firstRow })) continue;
    const sample = readSample(reader, { modalities, information });
    if (sample !== undefined) samples.push(sample);
  }
  return { modalities, samples };
}

function hasRequiredColumns(columns: readonly string[], problems: Problems): boolean {
  const missing = REQUIRED.filter((column) => !columns.includes(column));
  for (const column of missing) {
    const near = nearest(column, columns);
    const hint = near === undefined ? "" : `; did you mean ${near}?`;
    const found = columns.join(", ");
    problems.error(
      "missing column",
      `${MANIFEST} has no column "${column}"${hint} (it has ${found})`,
    );
  }
  return missing.length === 0;
}

/** The columns of a modality: its files, and what is said of them. */
export function columnsOf({ name }: Pick<Modality, "name">): string[] {
  return [name, ...ATTRIBUTES.map((attribute) => `${name}_${attribute}`)];
}

/** A column is a modality where most of its cells end like files that are read. */
function findModalities({ columns, rows }: Table): Modality[] {
  const found: Modality[] = [];
  for (const [i, name] of columns.entries()) {
    if (REQUIRED.includes(name)) continue;
    const count = { audio: 0, image: 0, series: 0 };
    let cells = 0;
    for (const row of rows) {
      const cell = cellOf(row, i);
      if (cell === "") continue;
      cells++;
      const kind = fileKind(cell);
      if (kind !== undefined) count[kind]++;
    }
    if (count.audio + count.image + count.series <= cells / 2) continue;
    const kinds = ["audio", "image", "series"] as const;
    const kind = kinds.reduce((best, each) => (count[each] > count[best] ? each : best));
    found.push({ name, kind });
  }
  return found;
}

function cellOf(row: Row, index: number | undefined): string {
  return index === undefined ? "" : (row.cells[index] ?? "");
}

/** What a file is by its extension; undefined where it is nothing that is read. */
export function fileKind(path: string): ModalityKind | undefined {
  const dot = path.lastIndexOf(".");
  return dot < 0 ? undefined : KIND_BY_EXTENSION.get(path.slice(dot + 1).toLowerCase());
}

interface RowReader {
  readonly row: Row;
  readonly problems: Problems;
  cell(column: string): string;
}

/** Whether a row has the right number of cells, an id of its own, a label and a known split. */
function isRowSound(
  { row, problems, cell }: RowReader,
  { columns, firstRow }: { columns: readonly string[]; firstRow: Map<string, number> },
): boolean {
  const at = `${MANIFEST} row ${row.line}`;
  if (row.cells.length !== columns.length) {
    const counts = `${row.cells.length} cells, the header has ${columns.length}`;
    problems.error("row length", `${at}: ${counts}`);
    return false;
  }
  const id = cell("id");
  const first = firstRow.get(id);
  const split = cell("split");
  const isKnownSplit = split === "" || SPLITS.some((known) => known === split);
  if (id === "") problems.error("missing id", `${at}: id is empty`);
  if (cell("label") === "") problems.error("missing label", `${at}: label is empty`, id);
  if (first !== undefined && id !== "") {
    problems.error("duplicate id", `${at}: id ${id} is taken by row ${first}`, id);
  }
  if (!isKnownSplit) {
    const message = `${at}: split must be train, val, test or empty, got ${JSON.stringify(split)}`;
    problems.error("unknown split", message, id);
  }
  if (first === undefined) firstRow.set(id, row.line);
  return id !== "" && cell("label") !== "" && first === undefined && isKnownSplit;
}

function readSample(
  reader: RowReader,
  { modalities, information }: { modalities: readonly Modality[]; information: readonly string[] },
): UnsplitSample | undefined {
  const { row, problems, cell } = reader;
  const id = cell("id");
  const given = modalities.filter(({ name }) => cell(name) !== "");
  const sources = given.map((modality) => [modality.name, readSource(reader, modality)] as const);
  const sound = sources.filter((entry): entry is [string, Source] => entry[1] !== undefined);
  if (given.length === 0) {
    const names = modalities.map(({ name }) => name).join(", ");
    const message = `${MANIFEST} row ${row.line}: ${id} has none of the modalities ${names}`;
    problems.error("no modality", message, id);
    return undefined;
  }
  if (cell("group") === "") {
    const at = `${MANIFEST} row ${row.line}`;
    const message = `${at}: group is empty; ${id} is taken as a group by itself`;
    problems.warning("missing group", message, id);
  }
  return {
    id,
    row: row.line,
    label: cell("label"),
    split: SPLITS.find((split) => split === cell("split")) ?? "",
    group: cell("group") || id,
    sources: Object.fromEntries(sound),
    columns: Object.fromEntries(information.map((column) => [column, cell(column)])),
  };
}

/** One modality of one row; undefined, with the problem told, where it cannot be used. */
function readSource(reader: RowReader, { name, kind }: Modality): Source | undefined {
  const { row, problems, cell } = reader;
  const path = cell(name)
    .replaceAll("\\", "/")
    .replace(/^(\.\/)+/, "");
  const at = `${MANIFEST} row ${row.line}: ${path}`;
  const refuse = (problem: string, message: string) => {
    problems.error(problem, `${at} ${message}`, cell("id"));
    return undefined;
  };
  if (fileKind(path) !== kind) {
    return refuse("wrong file kind", `must be ${EXPECTED_FILE[kind]} in ${name}`);
  }
  if (/^(\/|[a-z]:)/i.test(path) || /(^|\/)\.\.(\/|$)/.test(path)) {
    return refuse("path outside folder", "must be relative and inside the dataset's folder");
  }
  const attributes = readAttributes(kind, (what) => cell(`${name}_${what}`));
  if ("problem" in attributes) return refuse(attributes.problem, attributes.message);
  return { path, ...attributes };
}

const EXPECTED_FILE: Readonly<Record<ModalityKind, string>> = {
  audio: "a sound file (.wav, .flac, .mp3, ...)",
  image: "a picture",
  series: "a .csv or .npy file",
};
