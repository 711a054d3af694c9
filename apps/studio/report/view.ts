/** The pieces that every view is built from: a section, a figure with its table, a table. */
import { type Html, html } from "./html.ts";

/** One section of the page; `id` is its address within the page. */
export interface View {
  readonly id: string;
  readonly title: string;
  readonly body: Html;
}

export interface Column {
  readonly header: string;
  /** Numbers are right-aligned, in digits of equal width. */
  readonly isNumeric?: boolean;
  /** Sentences may be broken into lines; everything else stays on one. */
  readonly isLong?: boolean;
}

type Cell = Html | string | number;

export interface TableOptions {
  readonly caption: string;
  readonly columns: readonly Column[];
  /** The first cell of a row names the row. */
  readonly rows: readonly (readonly Cell[])[];
  /** A last row that sums up the others. */
  readonly total?: readonly Cell[];
  /** Keeps the caption for screen readers only, where the page already says it. */
  readonly hideCaption?: boolean;
}

/**
 * A table that scrolls sideways by itself on a narrow screen, its first column staying in sight.
 */
export function renderTable(options: TableOptions): Html {
  const { caption, columns, rows, total, hideCaption } = options;
  const kind = (k: number) =>
    columns[k].isNumeric ? "number" : columns[k].isLong ? "sentence" : "word";
  const cell = (value: Cell, k: number) =>
    k === 0
      ? html`<th scope="row" class="${kind(k)}">${value}</th>`
      : html`<td class="${kind(k)}">${value}</td>`;
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption${hideCaption && html` class="unseen"`}><span>${caption}</span></caption>
<thead><tr>${columns.map(
    ({ header }, k) => html`<th scope="col" class="${kind(k)}">${header}</th>`,
  )}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map(cell)}</tr>\n`)}</tbody>
${total && html`<tfoot><tr>${total.map(cell)}</tr></tfoot>`}</table></div>`;
}

export interface FigureOptions {
  readonly heading?: string;
  readonly chart: Html;
  readonly table: TableOptions;
}

/** A chart and, behind a fold, the numbers that it draws. */
export function renderFigure({ heading, chart, table }: FigureOptions): Html {
  return html`<figure>
${heading === undefined ? "" : html`<figcaption>${heading}</figcaption>`}
${chart}
<details><summary>Numbers</summary>${renderTable({ ...table, hideCaption: true })}</details>
</figure>`;
}

/** "44 × 13 × 64". */
export function formatShape(shape: readonly number[]): string {
  return shape.join("\u2009×\u2009");
}
