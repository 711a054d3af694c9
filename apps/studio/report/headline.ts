/** The top of the page: what came out, in one sentence, and whether the numbers carry it. */
import {
  formatBytes,
  formatCount,
  formatInterval,
  formatPercent,
  formatPoints,
} from "../../cli/terminal/format.ts";
import { type Html, html } from "./html.ts";
import type { ArmResult, Gain, Report } from "./report.ts";
import { linearScale, renderChart, ticks } from "./svg.ts";

/** Fewer independent groups than this make a percentile interval too narrow. */
const FEW_GROUPS = 20;

/** The headline, its verdict and the facts of the net that goes onto the device. */
export function renderHeadline(report: Report): Html {
  const { arms, gain } = report;
  return html`<p class="headline">${renderSentence(arms, gain)}</p>
${gain && renderVerdict(gain)}
${renderFacts(report)}`;
}

/** "Fusion helps" only if the whole interval of the gain lies above zero. */
export function judge({ interval }: Gain): "helps" | "hurts" | "unknown" {
  if (interval.low > 0) return "helps";
  return interval.high < 0 ? "hurts" : "unknown";
}

function renderSentence(arms: readonly ArmResult[], gain: Gain | undefined): Html {
  if (gain === undefined) {
    const arm = bestArm(arms);
    if (arm === undefined) return html`No net was scored in this run.`;
    const interval = formatInterval(arm.balancedAccuracyInterval);
    return html`${arm.name}: ${scoreOf(arm)} <span class="interval">${interval}</span>`;
  }
  const arm = arms.find(({ name }) => name === gain.fused);
  const points = formatPoints(gain.difference).replace("-", "−");
  return html`Fusing ${gain.fused}: ${arm && html`${scoreOf(arm)}, `}<b>${points}</b>
${gain.difference < 0 ? "against" : "over"} the best single sensor
<span class="interval">${formatInterval(gain.interval).replaceAll("-", "−")}</span>`;
}

function scoreOf({ balancedAccuracy }: ArmResult): Html {
  return html`<b>${formatPercent(balancedAccuracy)}</b> balanced accuracy`;
}

/** Sign, sentence and reason of each verdict. */
const VERDICTS = {
  helps: ["✓", "Fusion helps.", "lies above zero: the fused net is better than"],
  hurts: ["✗", "Fusion makes it worse.", "lies below zero: the fused net is worse than"],
  unknown: [
    "○",
    "No evidence that fusion helps.",
    "includes zero: these samples cannot tell the fused net from",
  ],
} as const;

function renderVerdict(gain: Gain): Html {
  const verdict = judge(gain);
  const [sign, sentence, reason] = VERDICTS[verdict];
  const { groups } = gain;
  return html`<div class="verdict ${verdict}">
<p><strong><span aria-hidden="true">${sign}</span> ${sentence}</strong>
The 95 % interval of the gain (float nets) ${reason} ${gain.best} alone.${
    groups !== undefined &&
    groups < FEW_GROUPS &&
    html` Only ${groups} independent groups stand behind it: take it as too narrow.`
  }</p>
${renderGain(gain)}
</div>`;
}

/** The gain as a dot with its interval, against zero. */
function renderGain({ difference, interval, fused, best }: Gain): Html {
  const low = Math.min(-0.05, interval.low - 0.02);
  const high = Math.max(0.05, interval.high + 0.02);
  const x = linearScale([low, high], [5, 95]);
  const label = (value: number) => formatPoints(value).replace(".0 points", "").replace("-", "−");
  const marks = ticks(low, high, 6).map((value) => {
    const at = `${x(value)}%`;
    const kind = value === 0 ? "zero" : "grid";
    return html`<line class="${kind}" x1="${at}" x2="${at}" y1="4" y2="30"/>
<text class="tick" x="${at}" y="46" text-anchor="middle">${label(value)}</text>`;
  });
  const whisker = (from: number, to: number, half: number) =>
    html`<line class="whisker" x1="${x(from)}%" x2="${x(to)}%"
 y1="${17 - half}" y2="${17 + half}"/>`;
  return renderChart({
    id: "gain",
    title: `Gain of ${fused} over ${best}, in points of balanced accuracy`,
    description: `${formatPoints(difference, interval)}; zero means no gain.`,
    width: 400,
    height: 52,
    fit: "stretched",
    body: html`${marks}${whisker(interval.low, interval.high, 0)}
${whisker(interval.low, interval.low, 6)}${whisker(interval.high, interval.high, 6)}
<circle class="dot" cx="${x(difference)}%" cy="17" r="6"/>`,
  });
}

function renderFacts({ arms, gain, equality }: Report): Html {
  const device = smallestArm(arms, gain?.fused);
  const run = equality.filter(({ skipped }) => skipped === undefined);
  const facts: [string, string, string][] = [];
  if (device !== undefined) {
    const { precision, balancedAccuracy, balancedAccuracyInterval: interval } = device;
    facts.push([
      "On the device",
      formatPercent(balancedAccuracy),
      `${precision} ${formatInterval(interval)}`,
    ]);
    if (device.flashBytes !== undefined) {
      const cost = `${formatCount(device.parameters)} parameters, ${formatCount(device.macs)} MACs`;
      facts.push(["Flash", formatBytes(device.flashBytes), cost]);
    }
    if (device.ramBytes !== undefined) {
      facts.push(["RAM", formatBytes(device.ramBytes), "arena, raw inputs and scores"]);
    }
  }
  if (run.length > 0) {
    const equal = run.filter((target) => target.equal).length;
    const skipped = equality.length - run.length;
    facts.push([
      "Equal integers",
      `${equal === run.length ? "✓" : "✗"} ${equal} of ${run.length}`,
      `targets verified${skipped > 0 ? `, ${skipped} skipped` : ""}`,
    ]);
  }
  if (facts.length === 0) return html``;
  return html`<dl class="facts">${facts.map(
    ([name, value, note]) =>
      html`<div><dt>${name}</dt><dd>${value}</dd><dd class="note">${note}</dd></div>\n`,
  )}</dl>`;
}

function bestArm(arms: readonly ArmResult[]): ArmResult | undefined {
  return [...arms].sort((a, b) => b.balancedAccuracy - a.balancedAccuracy)[0];
}

/** The net that needs the least flash, of the fused ones if there are any. */
function smallestArm(arms: readonly ArmResult[], fused?: string): ArmResult | undefined {
  const sized = arms.filter(({ flashBytes }) => flashBytes !== undefined);
  const named = sized.filter(({ name }) => name === fused);
  const size = ({ flashBytes = Number.POSITIVE_INFINITY }: ArmResult) => flashBytes;
  return [...(named.length > 0 ? named : sized)].sort((a, b) => size(a) - size(b))[0];
}
