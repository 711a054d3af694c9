/** CSV text as columns and rows that know their line, and back. */

import { CsvError, parse } from "csv-parse/sync";
import { UserError } from "../errors.ts";

export interface Row {
  /** Line of the file on which the row begins; the first is 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}

/** Above this a table takes gigabytes to parse. */
const MAX_TABLE_BYTES = 64 * 2 ** 20;

/** Characters of a row, and columns: more is no table that somebody wrote. */
const MAX_ROW_CHARACTERS = 2 ** 16;
const MAX_COLUMNS = 1000;

/**
 * Parse a CSV file (RFC 4180, UTF-8, with or without byte order mark); cells are trimmed.
 *
 * Rows may be shorter or longer than the header: that is for the caller to report.
 *
 * throws   UserError if it is not UTF-8, not CSV, or has no header
 */
export function parseTable(bytes: Uint8Array, name: string): Table {
  const [header, ...rows] = parseRows(bytes, name);
  if (header === undefined) throw new UserError(`${name} is empty: it needs a header`);
  const columns = header.cells;
  const duplicate = columns.find((column, i) => columns.indexOf(column) !== i);
  if (duplicate !== undefined) {
    throw new UserError(`${name} row 1: column "${duplicate}" is there twice`);
  }
  const separator = columns.length === 1 ? /[;\t]/.exec(columns[0])?.[0] : undefined;
  if (separator !== undefined) {
    throw new UserError(`${name} is separated by ${JSON.stringify(separator)}; it must be commas`);
  }
  return { columns, rows };
}

/** What csv-parse yields under `info: true`. */
interface ParsedRecord {
  readonly record: string[];
  readonly info: { readonly lines: number };
}

/**
 * The rows of a CSV file, a header included.
 *
 * throws   UserError if it is not UTF-8, not CSV, or larger than 64 MiB, 1000 columns or 64 Ki
 *          characters a row
 */
export function parseRows(bytes: Uint8Array, name: string): Row[] {
  if (bytes.length > MAX_TABLE_BYTES) {
    throw new UserError(`${name} must be at most ${MAX_TABLE_BYTES} bytes, got ${bytes.length}`);
  }
  const rows = parseRecords(decodeUtf8(bytes, name), name);
  const wide = rows.find(({ cells }) => cells.length > MAX_COLUMNS);
  if (wide === undefined) return rows;
  const count = `${wide.cells.length} cells, at most ${MAX_COLUMNS} are read`;
  throw new UserError(`${name} row ${wide.line}: ${count}`);
}

function parseRecords(text: string, name: string): Row[] {
  const options = {
    bom: true,
    trim: true,
    skip_empty_lines: true,
    relax_column_count: true,
    info: true,
    max_record_size: MAX_ROW_CHARACTERS,
  } as const;
  try {
    const parsed = parse(text, options) as unknown as ParsedRecord[]; // its types ignore `info`
    return parsed.map(({ record, info }) => {
      const breaks = record.reduce((sum, cell) => sum + cell.split("\n").length - 1, 0);
      return { line: info.lines - breaks, cells: record };
    });
  } catch (error) {
    if (error instanceof CsvError) throw new UserError(`${name}: ${error.message}`);
    throw error;
  }
}

function decodeUtf8(bytes: Uint8Array, name: string): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text.replaceAll("\r\n", "\n"); // inside quotes csv-parse counts CRLF as two lines
  } catch {
    throw new UserError(`${name} is not UTF-8 text; save it as CSV UTF-8`);
  }
}

/** CSV text of rows: every column that any row has, in the order of first appearance. */
export function formatTable(rows: readonly Record<string, string>[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = rows.map((row) => columns.map((column) => quote(row[column] ?? "")).join(","));
  return `${[columns.map(quote).join(","), ...lines].join("\n")}\n`;
}

function quote(cell: string): string {
  return /[",\n\r]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
