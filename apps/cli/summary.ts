/** Tables that more than one verb prints: the layers of a net, the scores of evaluations. */

import { costOf, type Graph } from "../../src/model/index.ts";
import type { Context } from "./context.ts";
import type { Evaluation } from "./run.ts";
import { formatBytes, formatCount, formatPercent } from "./terminal/format.ts";
import { renderTable } from "./terminal/table.ts";

/** Layer, shape, parameters, MACs, activation bytes. */
export function printModel(context: Context, graph: Graph): void {
  const { layers, parameters, macs } = costOf(graph);
  const rows = layers.map((layer) => [
    layer.name,
    layer.op,
    layer.outputShape.join(" x "),
    formatCount(layer.parameters),
    formatCount(layer.macs),
    formatCount(layer.activationBytes),
  ]);
  const header = ["layer", "op", "output", "parameters", "MACs", "activation bytes"];
  context.print(renderTable(header, rows));
  context.print(`\n${formatCount(parameters)} parameters, ${formatCount(macs)} MACs\n`);
}

export interface ScoreRow {
  readonly name: string;
  readonly evaluation: Evaluation;
  readonly flashBytes?: number;
  readonly ramBytes?: number;
}

/** Arm, precision, scores with 95 % intervals, memory. */
export function scoreTable(rows: readonly ScoreRow[]): string {
  const header = ["net", "precision", "balanced accuracy", "accuracy", "flash", "RAM"];
  const bytes = (value: number | undefined): string =>
    value === undefined ? "-" : formatBytes(value);
  const cells = rows.map(({ name, evaluation: e, flashBytes, ramBytes }) => [
    name,
    e.precision,
    formatPercent(e.balancedAccuracy, e.balancedAccuracyInterval),
    formatPercent(e.accuracy, e.accuracyInterval),
    bytes(flashBytes),
    bytes(ramBytes),
  ]);
  return renderTable(header, cells);
}
