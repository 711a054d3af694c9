/**
 * Balanced accuracy of every net as a bar from zero, with its 95 % interval and the level of
 * chance.
 *
 * Horizontal coordinates are percentages: the scale of the axis is the scale of the page.
 */
import { formatPercent } from "../../cli/terminal/format.ts";
import { type Html, html } from "./html.ts";
import type { ArmResult, Report } from "./report.ts";
import { renderChart, round } from "./svg.ts";
import { renderFigure, type View } from "./view.ts";

const NAME_HEIGHT = 30;
const ROW_HEIGHT = 42;
const BAR_HEIGHT = 12;
const AXIS_HEIGHT = 26;

export function renderBars(report: Report): View | undefined {
  const { arms, dataset } = report;
  if (arms.length === 0) return undefined;
  const chance = dataset.classes.length > 0 ? 1 / dataset.classes.length : undefined;
  const title = "Balanced accuracy of each net";
  const chart = renderChart({
    id: "bars",
    title,
    description: arms.map(describeArm).join("; "),
    width: 640,
    fit: "stretched",
    ...drawBars(arms, chance),
  });
  const table = {
    caption: title,
    columns: [
      { header: "Net" },
      { header: "Precision" },
      { header: "Balanced accuracy", isNumeric: true },
    ],
    rows: arms.map((arm) => [arm.name, arm.precision, scoreOf(arm)]),
  };
  return { id: "bars", title: "Balanced accuracy", body: renderFigure({ chart, table }) };
}

function drawBars(arms: readonly ArmResult[], chance?: number): { height: number; body: Html } {
  const names = [...new Set(arms.map(({ name }) => name))];
  const hasSplits = new Set(arms.map(({ split }) => split)).size > 1;
  const rows: Html[] = [];
  let y = chance === undefined ? 0 : 14;
  const top = y;
  for (const name of names) {
    rows.push(html`<text class="name" x="0" y="${y + 20}">${name}</text>`);
    y += NAME_HEIGHT;
    for (const arm of arms.filter((candidate) => candidate.name === name)) {
      const label = hasSplits ? `${arm.precision}, ${arm.split}` : arm.precision;
      rows.push(drawRow(arm, label, y));
      y += ROW_HEIGHT;
    }
  }
  return { height: y + AXIS_HEIGHT, body: html`${drawAxis(top, y, chance)}${rows}` };
}

function drawRow(arm: ArmResult, label: string, y: number): Html {
  const { low, high } = arm.balancedAccuracyInterval;
  const percent = (fraction: number) => `${round(100 * fraction)}%`;
  const middle = y + 19 + BAR_HEIGHT / 2;
  const kind = arm.modalities.length > 1 ? "fused" : "single";
  const whisker = (from: number, to: number, half: number) =>
    html`<line class="whisker" x1="${percent(from)}" x2="${percent(to)}" y1="${middle - half}"
 y2="${middle + half}"/>`;
  return html`<text class="label" x="0" y="${y + 11}">${label}</text>
<text class="value" x="100%" y="${y + 11}" text-anchor="end">${scoreOf(arm)}</text>
<rect class="bar ${kind}" x="0" y="${y + 19}" width="${percent(arm.balancedAccuracy)}"
 height="${BAR_HEIGHT}" rx="2"/>
<line class="halo" x1="${percent(low)}" x2="${percent(high)}" y1="${middle}" y2="${middle}"/>
${whisker(low, high, 0)}${whisker(low, low, 5)}${whisker(high, high, 5)}
`;
}

function drawAxis(top: number, bottom: number, chance?: number): Html {
  const marks = [0, 25, 50, 75, 100].map((percent) => {
    const anchor = percent === 0 ? "start" : percent === 100 ? "end" : "middle";
    return html`<line class="grid" x1="${percent}%" x2="${percent}%" y1="${top}" y2="${bottom}"/>
<text class="tick" x="${percent}%" y="${bottom + 18}" text-anchor="${anchor}">${percent} %</text>`;
  });
  if (chance === undefined) return html`${marks}`;
  const x = `${round(100 * chance)}%`;
  return html`${marks}<line class="chance" x1="${x}" x2="${x}" y1="${top}" y2="${bottom}"/>
<text class="tick" x="${x}" y="${top - 3}" text-anchor="middle">chance</text>`;
}

function scoreOf(arm: ArmResult): string {
  return formatPercent(arm.balancedAccuracy, arm.balancedAccuracyInterval);
}

function describeArm(arm: ArmResult): string {
  return `${arm.name}, ${arm.precision}: ${scoreOf(arm)}`;
}
