/** Learning curves: loss (training and validation) and balanced accuracy (validation) by epoch. */
import { formatPercent } from "../../cli/terminal/format.ts";
import { type Html, html } from "./html.ts";
import type { EpochRecord, LearningCurve, Report } from "./report.ts";
import { linearScale, renderChart, type Scale, ticks } from "./svg.ts";
import { renderFigure, type View } from "./view.ts";

const WIDTH = 320;
const LEFT = 40;
const RIGHT = 10;
const PANEL_HEIGHT = 92;
const PANEL_TOP = 24;
/** Distance from the top of one panel to the top of the next. */
const PANEL_STEP = PANEL_TOP + PANEL_HEIGHT + 14;

export function renderCurves({ curves }: Report): View | undefined {
  const shown = curves.filter(({ epochs }) => epochs.length > 0);
  if (shown.length === 0) return undefined;
  const all = shown.flatMap(({ epochs }) => epochs);
  const losses = all.flatMap(({ trainLoss, valLoss }) => [trainLoss, valLoss]);
  const frame = {
    firstEpoch: Math.min(...all.map(({ epoch }) => epoch)),
    lastEpoch: Math.max(...all.map(({ epoch }) => epoch)),
    maxLoss: Math.max(0, ...losses.filter(Number.isFinite)) || 1,
  };
  return {
    id: "curves",
    title: "Learning curves",
    body: html`<p class="small">All nets on the same scales.
The ring marks the best epoch on validation.</p>
<div class="cards">${shown.map((curve, k) => renderCurve(curve, frame, k))}</div>`,
  };
}

interface Frame {
  readonly firstEpoch: number;
  readonly lastEpoch: number;
  readonly maxLoss: number;
}

function renderCurve({ name, epochs }: LearningCurve, frame: Frame, index: number): Html {
  const title = `Learning curves of ${name}`;
  const best = bestEpoch(epochs);
  const chart = renderChart({
    id: `curve-${index}`,
    title,
    description: `Best on validation: ${formatPercent(best.valBalancedAccuracy)} in epoch ${
      best.epoch
    } of ${epochs.length}.`,
    width: WIDTH,
    height: PANEL_STEP + PANEL_TOP + PANEL_HEIGHT + 34,
    fit: "scaled",
    body: html`${drawLosses(epochs, frame)}${drawScores(epochs, best, frame)}`,
  });
  const columns = ["Epoch", "Training loss", "Validation loss", "Balanced accuracy"];
  const table = {
    caption: title,
    columns: columns.map((header) => ({ header, isNumeric: true })),
    rows: epochs.map((record) => [
      record.epoch,
      record.trainLoss.toFixed(4),
      record.valLoss.toFixed(4),
      formatPercent(record.valBalancedAccuracy),
    ]),
  };
  return renderFigure({ heading: name, chart, table });
}

function drawLosses(epochs: readonly EpochRecord[], frame: Frame): Html {
  const x = epochScale(frame);
  const y = linearScale([0, frame.maxLoss], [PANEL_TOP + PANEL_HEIGHT, PANEL_TOP]);
  const marks = ticks(0, frame.maxLoss, 3).map((value) => drawGrid(y(value), String(value)));
  const training = epochs.map(({ epoch, trainLoss }) => [x(epoch), y(trainLoss)] as const);
  const validation = epochs.map(({ epoch, valLoss }) => [x(epoch), y(valLoss)] as const);
  return html`<text class="name" x="0" y="12">Loss</text>
${drawKey(152, "training", "quiet")}${drawKey(226, "validation", "strong")}
${marks}${drawLine(training, "quiet")}${drawLine(validation, "strong")}`;
}

function drawScores(epochs: readonly EpochRecord[], best: EpochRecord, frame: Frame): Html {
  const top = PANEL_STEP + PANEL_TOP;
  const x = epochScale(frame);
  const y = linearScale([0, 1], [top + PANEL_HEIGHT, top]);
  const marks = [0, 0.5, 1].map((value) => drawGrid(y(value), `${100 * value} %`));
  const points = epochs.map(
    ({ epoch, valBalancedAccuracy: score }) => [x(epoch), y(score)] as const,
  );
  const bottom = top + PANEL_HEIGHT;
  const epochTicks = ticks(frame.firstEpoch, frame.lastEpoch, 5).filter(Number.isInteger);
  return html`<text class="name" x="0" y="${PANEL_STEP + 12}">Balanced accuracy, validation</text>
${marks}${drawLine(points, "strong")}
<circle class="ring" cx="${x(best.epoch)}" cy="${y(best.valBalancedAccuracy)}" r="5"/>
${epochTicks.map((epoch) => drawTick(x(epoch), bottom + 15, epoch))}
${drawTick((LEFT + WIDTH - RIGHT) / 2, bottom + 30, "epoch")}`;
}

function epochScale({ firstEpoch, lastEpoch }: Frame): Scale {
  const right = WIDTH - RIGHT;
  if (firstEpoch === lastEpoch) return () => (LEFT + right) / 2;
  return linearScale([firstEpoch, lastEpoch], [LEFT + 6, right]);
}

function drawGrid(y: number, label: string): Html {
  return html`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>
<text class="tick" x="${LEFT - 6}" y="${y + 4}" text-anchor="end">${label}</text>`;
}

function drawTick(x: number, y: number, label: string | number): Html {
  return html`<text class="tick" x="${x}" y="${y}" text-anchor="middle">${label}</text>`;
}

function drawKey(x: number, label: string, kind: string): Html {
  return html`<line class="curve ${kind}" x1="${x}" x2="${x + 18}" y1="8" y2="8"/>
<text class="tick" x="${x + 23}" y="12">${label}</text>`;
}

/** A line through the finite points; a diverged epoch leaves a gap. */
function drawLine(points: readonly (readonly [number, number])[], kind: string): Html {
  let path = "";
  let isOpen = false;
  for (const [x, y] of points) {
    const isDrawn = Number.isFinite(y);
    if (isDrawn) path += `${isOpen ? "L" : "M"}${x} ${y}`;
    isOpen = isDrawn;
  }
  const dots =
    points.length === 1
      ? html`<circle class="ring" cx="${points[0][0]}" cy="${points[0][1]}" r="2"/>`
      : "";
  return path === "" ? html`` : html`<path class="curve ${kind}" d="${path}"/>${dots}`;
}

function bestEpoch(epochs: readonly EpochRecord[]): EpochRecord {
  return epochs.reduce((best, record) =>
    record.valBalancedAccuracy > best.valBalancedAccuracy ? record : best,
  );
}
