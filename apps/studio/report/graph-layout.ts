/**
 * Where the boxes of a net's picture stand.
 *
 * Convention: a row is the longest path from an input; a column is a branch. A box stands below its
 * input, a merge in the middle of its inputs; boxes of one row are pushed at least one column
 * apart.
 */
import type { LayerRow } from "./report.ts";

export interface Box {
  readonly name: string;
  /** Undefined for an input of the net. */
  readonly layer?: LayerRow;
  /** Names of the boxes that feed it. */
  readonly inputs: readonly string[];
  readonly row: number;
  /** In columns, fractions allowed; the leftmost box of the net stands at 0. */
  column: number;
}

/** Boxes in the order of computation, inputs of the net first. */
export function layOutGraph(layers: readonly LayerRow[]): Box[] {
  const boxes = new Map<string, Box>();
  const names = new Set(layers.map(({ name }) => name));
  const inputs = new Set(
    layers.flatMap((layer) => layer.inputs).filter((name) => !names.has(name)),
  );
  for (const name of inputs) boxes.set(name, { name, inputs: [], row: 0, column: boxes.size });
  for (const layer of layers) {
    const feeding = layer.inputs.flatMap((name) => boxes.get(name) ?? []);
    boxes.set(layer.name, {
      name: layer.name,
      layer,
      inputs: feeding.map(({ name }) => name),
      row: 1 + Math.max(-1, ...feeding.map(({ row }) => row)),
      column: mean(feeding.map(({ column }) => column)),
    });
  }
  const all = [...boxes.values()];
  for (let row = 0; row <= Math.max(0, ...all.map((box) => box.row)); row++) {
    spread(all.filter((box) => box.row === row));
  }
  const leftmost = Math.min(...all.map(({ column }) => column));
  for (const box of all) box.column -= leftmost;
  return all;
}

/** Moves the boxes of one row apart, keeping their order and their middle. */
function spread(row: readonly Box[]): void {
  const sorted = [...row].sort((a, b) => a.column - b.column);
  const before = mean(sorted.map(({ column }) => column));
  for (let k = 1; k < sorted.length; k++) {
    sorted[k].column = Math.max(sorted[k].column, sorted[k - 1].column + 1);
  }
  const shift = before - mean(sorted.map(({ column }) => column));
  for (const box of sorted) box.column += shift;
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((a, b) => a + b, 0) / values.length;
}
