/** The table of results: every net and precision with its intervals and sizes. */
import {
  formatBytes,
  formatCount,
  formatInterval,
  formatPercent,
} from "../../cli/terminal/format.ts";
import { type Html, html } from "./html.ts";
import type { ArmResult, Interval, Report } from "./report.ts";
import { renderTable, type View } from "./view.ts";

export function renderResults({ arms }: Report): View | undefined {
  if (arms.length === 0) return undefined;
  const hasAuc = arms.some(({ auc }) => auc !== undefined);
  const hasSize = arms.some((arm) => arm.flashBytes !== undefined || arm.ramBytes !== undefined);
  const numeric = (header: string) => ({ header, isNumeric: true });
  const columns = [
    { header: "Net" },
    { header: "Precision" },
    { header: "Split" },
    numeric("Samples"),
    numeric("Accuracy"),
    numeric("Balanced accuracy"),
    ...(hasAuc ? [numeric("AUC")] : []),
    numeric("Parameters"),
    ...(hasSize ? [numeric("Flash"), numeric("RAM")] : []),
  ];
  const row = (arm: ArmResult) => [
    arm.name,
    arm.precision,
    arm.split,
    formatCount(arm.n),
    renderScore(arm.accuracy, arm.accuracyInterval),
    renderScore(arm.balancedAccuracy, arm.balancedAccuracyInterval),
    ...(hasAuc ? [arm.auc === undefined ? "–" : arm.auc.toFixed(3)] : []),
    formatCount(arm.parameters),
    ...(hasSize ? [size(arm.flashBytes), size(arm.ramBytes)] : []),
  ];
  const caption = "Scores in percent with 95 % intervals";
  return {
    id: "results",
    title: "Results",
    body: html`${renderTable({ caption, columns, rows: arms.map(row) })}
<p class="small">Balanced accuracy is the mean recall over classes. Intervals resample whole
groups (speakers, recordings), because samples of one group are not independent; where every sample
is a group of its own, accuracy has Wilson's interval.</p>`,
  };
}

function renderScore(score: number, interval: Interval): Html {
  return html`${formatPercent(score)} <span class="interval">${formatInterval(interval)}</span>`;
}

function size(bytes: number | undefined): string {
  return bytes === undefined ? "–" : formatBytes(bytes);
}
