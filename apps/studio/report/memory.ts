/**
 * The memory plan: calls from left to right, addresses from bottom to top, a rectangle for the life
 * of each buffer. What does not overlap in this picture may share bytes; the top edge is the arena.
 */
import { formatBytes, formatCount } from "../../cli/terminal/format.ts";
import { type Html, html } from "./html.ts";
import type { MemoryBlock, MemoryPlan, Report } from "./report.ts";
import {
  fitText,
  linearScale,
  renderChart,
  renderShare,
  round,
  type Scale,
  textWidth,
  ticks,
} from "./svg.ts";
import { renderFigure, renderTable, type View } from "./view.ts";

const LEFT = 58;
const TOP = 12;
const HEIGHT = 300;
/** Room for the names of the calls, slanted. */
const BOTTOM = 74;
/** Room for the part of the last name that is not below its own call. */
const RIGHT = 14;

export function renderMemory({ memory, flash }: Report): View | undefined {
  const hasBlocks = memory !== undefined && memory.blocks.length > 0 && memory.calls.length > 0;
  const hasFlash = flash !== undefined && flash.length > 0;
  if (!hasBlocks && !hasFlash) return undefined;
  return {
    id: "memory",
    title: "Memory",
    body: html`${hasBlocks && renderPlan(memory)}${hasFlash && renderFlash(flash)}`,
  };
}

function renderPlan(plan: MemoryPlan): Html {
  const title = "Memory plan of the arena";
  const bytes = `${formatCount(plan.arenaBytes)} B`;
  const chart = renderChart({
    id: "memory-plan",
    title,
    description: `${plan.blocks.length} buffers share ${bytes} during ${plan.calls.length} calls.`,
    fit: "scrolled",
    ...drawPlan(plan),
  });
  const numeric = (header: string) => ({ header, isNumeric: true });
  const table = {
    caption: title,
    columns: [
      { header: "Buffer" },
      numeric("Number"),
      numeric("Offset"),
      numeric("Bytes"),
      { header: "Written by" },
      { header: "Last read by" },
    ],
    rows: plan.blocks.map((block, k) => [
      block.name,
      k + 1,
      formatCount(block.offset),
      formatCount(block.bytes),
      plan.calls[block.first] ?? `call ${block.first}`,
      plan.calls[block.last] ?? `call ${block.last}`,
    ]),
  };
  return renderFigure({ heading: `RAM: an arena of ${bytes}`, chart, table });
}

/** The plan's drawing; exported for its geometry's test. */
export function drawPlan(plan: MemoryPlan): { width: number; height: number; body: Html } {
  const step = Math.min(64, Math.max(32, Math.floor(500 / plan.calls.length)));
  const right = LEFT + step * plan.calls.length;
  const y = linearScale([0, plan.arenaBytes], [TOP + HEIGHT, TOP]);
  const x = (call: number) => LEFT + step * call;
  const grid = ticks(0, plan.arenaBytes, 5)
    // A round value right below the arena's own label would be printed over it.
    .filter((bytes) => y(bytes) - TOP > 14)
    .map((bytes) => drawAddress(y(bytes), right, bytes, "grid"));
  const calls = plan.calls.map((name, k) => {
    const text = fitText(name, 84, 11);
    const at = `translate(${round(x(k + 0.5) + 3)} ${TOP + HEIGHT + 14}) rotate(-45)`;
    return html`<text class="tick" transform="${at}" text-anchor="end">${text}</text>`;
  });
  const blocks = plan.blocks.map((block, k) => drawBlock(block, k, { x, y }));
  return {
    width: right + RIGHT,
    height: TOP + HEIGHT + BOTTOM,
    body: html`${grid}${drawAddress(TOP, right, plan.arenaBytes, "arena")}
${blocks}${calls}`,
  };
}

function drawAddress(y: number, right: number, bytes: number, kind: string): Html {
  return html`<line class="${kind}" x1="${LEFT}" x2="${right}" y1="${y}" y2="${y}"/>
<text class="tick" x="${LEFT - 6}" y="${y + 4}" text-anchor="end">${formatCount(bytes)}</text>`;
}

function drawBlock(block: MemoryBlock, index: number, { x, y }: { x: Scale; y: Scale }): Html {
  const left = x(block.first);
  const width = x(block.last + 1) - left;
  const top = y(block.offset + block.bytes);
  const height = round(y(block.offset) - top);
  const name = textWidth(block.name, 11) <= width - 6 ? block.name : String(index + 1);
  const size = formatBytes(block.bytes);
  const lines = height < 13 ? 0 : height >= 34 && textWidth(size, 11) <= width - 6 ? 2 : 1;
  const middle = left + width / 2;
  const baseline = round(top + height / 2 + (lines === 2 ? -2 : 4));
  const label = (text: string, at: number) =>
    html`<text class="count" x="${middle}" y="${at}" text-anchor="middle">${text}</text>`;
  const place = `${formatCount(block.bytes)} B at ${formatCount(block.offset)}`;
  return html`<g><title>${block.name}: ${place}</title>
<rect class="block tone-${index % 3}" x="${left + 1}" y="${round(top + 0.5)}"
 width="${width - 2}" height="${Math.max(1, round(height - 1))}" rx="2"/>
${lines > 0 && label(name, baseline)}${lines > 1 && label(size, baseline + 14)}</g>
`;
}

function renderFlash(parts: NonNullable<Report["flash"]>): Html {
  const total = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  return renderTable({
    caption: "Flash",
    columns: [{ header: "Part" }, { header: "Bytes", isNumeric: true }, { header: "Known how" }],
    rows: parts.map(({ part, bytes, how }) => [
      part,
      html`${formatCount(bytes)}${bytes > 0 && renderShare(bytes / total)}`,
      how,
    ]),
    total: ["Total", formatCount(total), ""],
  });
}
