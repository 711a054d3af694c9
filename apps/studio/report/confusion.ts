/**
 * A confusion matrix a net: rows are true classes, shaded by their share of the row, counts written
 * in. The diagonal is outlined, so that right and wrong differ by more than a shade.
 */
import { formatCount, formatPercent } from "../../cli/terminal/format.ts";
import { type Html, html } from "./html.ts";
import type { ArmResult, Report } from "./report.ts";
import { fitText, renderChart, round, textWidth } from "./svg.ts";
import { renderFigure, type View } from "./view.ts";

const LABEL_WIDTH = 78;
const FONT = 11;
/** Names that are wider than their column are slanted, and cut at this length. */
const SLANT = (40 * Math.PI) / 180;
const SLANTED_WIDTH = 96;
/** The darkest shade still leaves the text its contrast (WCAG AA) in both colour schemes. */
const DEEPEST = 0.45;

export function renderConfusion({ arms, dataset }: Report): View | undefined {
  const { classes } = dataset;
  const shown = arms.filter(({ confusion }) => confusion.length > 0);
  if (shown.length === 0) return undefined;
  return {
    id: "confusion",
    title: "Confusion matrices",
    body: html`<p class="small">Rows are true classes, columns are predictions.
Shade: share of the row.</p>
<div class="cards">${shown.map((arm, k) => renderMatrix(arm, classes, k))}</div>`,
  };
}

function renderMatrix(arm: ArmResult, classes: readonly string[], index: number): Html {
  const names = arm.confusion.map((_, k) => classes[k] ?? `class ${k}`);
  const title = `Confusion matrix of ${arm.name}, ${arm.precision}`;
  const chart = renderChart({
    id: `confusion-${index}`,
    title,
    description: describeRecalls(arm.confusion, names),
    fit: "scaled",
    ...drawMatrix(arm.confusion, names),
  });
  const table = {
    caption: `${title} (counts)`,
    columns: [{ header: "Truth" }, ...names.map((header) => ({ header, isNumeric: true }))],
    rows: arm.confusion.map((row, k) => [names[k], ...row.map(formatCount)]),
  };
  const heading = `${arm.name} · ${arm.precision}`;
  return renderFigure({ heading, chart, table });
}

/** The matrix as a square grid; exported for its geometry's test. */
export function drawMatrix(
  confusion: readonly (readonly number[])[],
  names: readonly string[],
): { width: number; height: number; body: Html } {
  const cell = Math.max(26, Math.floor(236 / names.length));
  const longest = Math.max(...names.map((name) => Math.min(SLANTED_WIDTH, textWidth(name, FONT))));
  const isSlanted = names.some((name) => textWidth(name, FONT) > cell - 2);
  const top = isSlanted ? Math.ceil(14 + longest * Math.sin(SLANT)) : 20;
  const side = cell * names.length;
  // A slanted name leans over the right edge of its column.
  const overhang = isSlanted ? longest * Math.cos(SLANT) + 8 - cell / 2 : 0;
  const rows = confusion.map((row, truth) => {
    const y = top + truth * cell;
    const n = row.reduce((sum, count) => sum + count, 0);
    const cells = row.map((count, k) =>
      drawCell({ count, n, cell, x: LABEL_WIDTH + k * cell, y, isRight: k === truth }),
    );
    const name = fitText(names[truth], LABEL_WIDTH - 6, FONT);
    return html`<text class="tick" x="${LABEL_WIDTH - 6}" y="${y + cell / 2 + 4}"
 text-anchor="end">${name}</text>${cells}
`;
  });
  const columns = names.map((name, k) => {
    const x = LABEL_WIDTH + (k + 0.5) * cell;
    return isSlanted ? drawSlanted(name, x, top - 6) : drawUpright(name, x, top - 6);
  });
  return {
    width: Math.ceil(LABEL_WIDTH + side + Math.max(2, overhang)),
    height: top + side + 2,
    body: html`${columns}
${rows}`,
  };
}

function drawUpright(name: string, x: number, y: number): Html {
  return html`<text class="tick" x="${x}" y="${y}" text-anchor="middle">${name}</text>`;
}

function drawSlanted(name: string, x: number, y: number): Html {
  const turn = round((-SLANT * 180) / Math.PI);
  const text = fitText(name, SLANTED_WIDTH, FONT);
  return html`<text class="tick" transform="translate(${x} ${y}) rotate(${turn})">${text}</text>`;
}

interface CellOptions {
  readonly count: number;
  readonly n: number;
  readonly cell: number;
  readonly x: number;
  readonly y: number;
  readonly isRight: boolean;
}

function drawCell({ count, n, cell, x, y, isRight }: CellOptions): Html {
  const share = n === 0 ? 0 : count / n;
  const middle = x + cell / 2;
  const hasShare = cell >= 44 && n > 0;
  const baseline = y + cell / 2 + (hasShare ? -1 : 4);
  const label = (text: string, at: number) =>
    html`<text class="count" x="${middle}" y="${at}" text-anchor="middle">${text}</text>`;
  return html`<rect class="${isRight ? "cell right" : "cell"}" x="${x + 1}" y="${y + 1}"
 width="${cell - 2}" height="${cell - 2}" rx="2" fill-opacity="${round(share * DEEPEST)}"/>
${label(formatCount(count), baseline)}${
  hasShare && label(`${Math.round(100 * share)} %`, baseline + 14)
}`;
}

function describeRecalls(confusion: ArmResult["confusion"], names: readonly string[]): string {
  const recalls = confusion.map((row, k) => {
    const n = row.reduce((sum, count) => sum + count, 0);
    return n === 0 ? `${names[k]}: no samples` : `${names[k]}: ${formatPercent(row[k] / n)} right`;
  });
  return recalls.join("; ");
}
