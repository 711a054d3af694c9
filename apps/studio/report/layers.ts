/** The net as a table: what each layer computes, holds and costs. */
import { formatBytes, formatCount } from "../../cli/terminal/format.ts";
import { type Html, html } from "./html.ts";
import type { LayerRow, Report } from "./report.ts";
import { renderShare } from "./svg.ts";
import { formatShape, renderTable, type View } from "./view.ts";

export function renderLayers({ layers }: Report): View | undefined {
  if (layers.length === 0) return undefined;
  const sum = (value: (layer: LayerRow) => number) =>
    layers.reduce((total, layer) => total + value(layer), 0);
  const macs = sum((layer) => layer.macs);
  const parameters = sum((layer) => layer.parameters);
  const weights = sum((layer) => layer.weightBytes ?? 0);
  const most = Math.max(...layers.map(({ activationBytes }) => activationBytes));
  const numeric = (header: string) => ({ header, isNumeric: true });
  const row = (layer: LayerRow) => [
    layer.name,
    layer.op,
    formatShape(layer.outputShape),
    renderPart(layer.parameters, parameters, formatCount),
    renderPart(layer.macs, macs, formatCount),
    layer.bits === undefined ? "–" : String(layer.bits),
    layer.weightBytes === undefined ? "–" : renderPart(layer.weightBytes, weights, formatBytes),
    renderPart(layer.activationBytes, most, formatBytes),
  ];
  const table = renderTable({
    caption: "Layers in the order of computation",
    columns: [
      { header: "Layer" },
      { header: "Operation" },
      { header: "Output" },
      numeric("Parameters"),
      numeric("MACs"),
      numeric("Bits"),
      numeric("Weights"),
      numeric("Activation"),
    ],
    rows: layers.map(row),
    total: [
      "Total",
      "",
      "",
      formatCount(parameters),
      formatCount(macs),
      "",
      weights === 0 ? "–" : formatBytes(weights),
      html`<span class="note">largest</span> ${formatBytes(most)}`,
    ],
  });
  return {
    id: "net",
    title: "The net",
    body: html`${table}
<p class="small">Bars: share of the column's total; of the largest output for activations.</p>`,
  };
}

function renderPart(part: number, whole: number, format: (n: number) => string): Html {
  return html`${format(part)}${part > 0 && renderShare(part / whole)}`;
}
