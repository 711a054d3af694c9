/**
 * The net as a picture: branches run down and merge; a box says operation, output shape and bits.
 */
import { type Box, layOutGraph } from "./graph-layout.ts";
import { type Html, html } from "./html.ts";
import type { Report } from "./report.ts";
import { fitText, renderChart, round, textWidth } from "./svg.ts";
import { formatShape, renderFigure, type View } from "./view.ts";

const LEAST_WIDTH = 146;
const MOST_WIDTH = 240;
const HEIGHT = 42;
const GAP = 20;
const ROW = HEIGHT + GAP;
/** Room around the boxes; edges that pass a box run in it. */
const MARGIN = 12;

/** Where boxes stand, in pixels. */
interface Placement {
  readonly width: number;
  centerOf(box: Box): number;
  topOf(box: Box): number;
}

export function renderGraph({ layers }: Report): View | undefined {
  if (layers.length === 0) return undefined;
  const boxes = layOutGraph(layers);
  const inputs = boxes.filter(({ layer }) => layer === undefined).map(({ name }) => name);
  const title = "Graph of the net";
  const chart = renderChart({
    id: "graph",
    title,
    description: `From ${inputs.join(" and ")} to ${layers[layers.length - 1].name}.`,
    fit: "scrolled",
    ...drawGraph(boxes),
  });
  const table = {
    caption: title,
    columns: ["Layer", "Operation", "From", "Output", "Bits"].map((header) => ({ header })),
    rows: layers.map((layer) => [
      layer.name,
      layer.op,
      layer.inputs.join(", "),
      formatShape(layer.outputShape),
      layer.bits === undefined ? "–" : String(layer.bits),
    ]),
  };
  const key = html`<p class="small">Filled: 8-bit weights. Thick outline: 4-bit weights.</p>`;
  const hasBits = layers.some(({ bits }) => bits !== undefined);
  return {
    id: "graph",
    title: "Graph",
    body: html`${renderFigure({ chart, table })}${hasBits && key}`,
  };
}

function drawGraph(boxes: readonly Box[]): { width: number; height: number; body: Html } {
  const longest = Math.max(
    ...boxes.flatMap((box) => linesOf(box).map((line) => textWidth(line, 12))),
  );
  const width = Math.round(Math.min(MOST_WIDTH, Math.max(LEAST_WIDTH, longest + 16)));
  const place: Placement = {
    width,
    centerOf: ({ column }) => round(MARGIN + column * (width + GAP) + width / 2),
    topOf: ({ row }) => MARGIN + row * ROW,
  };
  const right = Math.max(...boxes.map(place.centerOf)) + width / 2;
  const bottom = Math.max(...boxes.map(place.topOf)) + HEIGHT;
  const byName = new Map(boxes.map((box) => [box.name, box]));
  const edges = boxes.flatMap((to) =>
    to.inputs.flatMap((name) => {
      const from = byName.get(name);
      return from === undefined ? [] : [drawEdge(from, to, place)];
    }),
  );
  return {
    width: round(right + MARGIN),
    height: bottom + MARGIN,
    body: html`${edges}\n${boxes.map((box) => drawBox(box, place))}`,
  };
}

function linesOf({ name, layer }: Box): [string, string] {
  if (layer === undefined) return [name, "input"];
  const bits = layer.bits === undefined ? "" : ` · ${layer.bits}-bit`;
  return [layer.op, `${formatShape(layer.outputShape)}${bits}`];
}

function drawBox(box: Box, { width, centerOf, topOf }: Placement): Html {
  const { layer } = box;
  const [x, y] = [centerOf(box), topOf(box)];
  const kind = layer === undefined ? "input" : `bits-${layer.bits ?? "none"}`;
  const [operation, shape] = linesOf(box);
  const label = (style: string, at: number, text: string) =>
    html`<text class="${style}" x="${x}" y="${at}" text-anchor="middle">${text}</text>`;
  return html`<g><title>${layer === undefined ? box.name : `${layer.name}: ${layer.op}`}</title>
<rect class="box ${kind}" x="${round(x - width / 2)}" y="${y}" width="${width}"
 height="${HEIGHT}" rx="${layer === undefined ? HEIGHT / 2 : 6}"/>
${label("name", y + 18, fitText(operation, width - 12, 12))}
${label("count", y + 33, fitText(shape, width - 12, 11))}</g>
`;
}

/** A line down; one that skips rows passes the boxes of its own column on their right. */
function drawEdge(from: Box, to: Box, { width, centerOf, topOf }: Placement): Html {
  const [x0, x1] = [centerOf(from), centerOf(to)];
  const [y0, y1] = [topOf(from) + HEIGHT, topOf(to)];
  const isLong = to.row - from.row > 1;
  let path = `M${x0} ${y0}V${y1}`;
  if (x0 === x1 && isLong) {
    const side = round(x0 + width / 2 + GAP / 2);
    path =
      `M${x0} ${y0}C${x0} ${y0 + 12} ${side} ${y0 + 4} ${side} ${y0 + GAP}` +
      `V${y1 - GAP}C${side} ${y1 - 4} ${x1} ${y1 - 12} ${x1} ${y1}`;
  } else if (x0 !== x1) {
    const knee = y1 - GAP;
    path = `M${x0} ${y0}V${knee}C${x0} ${y1 - 6} ${x1} ${knee + 6} ${x1} ${y1}`;
  }
  return html`<path class="edge" d="${path}"/>`;
}
