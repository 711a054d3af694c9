/**
 * Tables of plain text: columns aligned, numbers to the right, a rule below the header.
 *
 * Convention: a column is numeric when every cell that says something begins with a digit or a
 * sign. Cells never carry colours or control characters, so a table reads the same in a log file.
 */
import { formatCount } from "./format.ts";
import { displayWidth, printable } from "./text.ts";

type Cell = string | number | undefined;

/**
 * Renders a table.
 *
 * header   one title a column
 * rows     as many cells as titles; integers get thousands separators, undefined is shown as "-"
 * returns  lines joined by "\n", without trailing spaces and without a last "\n"
 */
export function renderTable(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const body = rows.map((row) => header.map((_, column) => cellText(row[column])));
  const columns = header.map((title, column) => {
    const cells = body.map((row) => row[column]);
    return {
      width: Math.max(displayWidth(printable(title)), ...cells.map(displayWidth)),
      isNumeric: cells.some(isNumber) && cells.every((cell) => isNumber(cell) || isBlank(cell)),
    };
  });
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, k) => pad(cell, columns[k]))
      .join("  ")
      .trimEnd();
  const rule = columns.map(({ width }) => "─".repeat(width)).join("  ");
  return [line(header.map(printable)), rule, ...body.map(line)].join("\n");
}

function cellText(cell: Cell): string {
  if (cell === undefined || cell === "") return "-";
  if (typeof cell === "string") return printable(cell);
  return Number.isInteger(cell) ? formatCount(cell) : String(cell);
}

function isNumber(text: string): boolean {
  return /^[+-]?\d/.test(text);
}

function isBlank(text: string): boolean {
  return text === "-";
}

function pad(text: string, { width, isNumeric }: { width: number; isNumeric: boolean }): string {
  const gap = " ".repeat(width - displayWidth(text));
  return isNumeric ? gap + text : text + gap;
}
