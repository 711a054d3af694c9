/** Tiles of neighbouring outputs of a row, with the taps that fall inside the image. */

import type { Axis } from "./window.ts";

/** Neighbouring outputs of a row, and which taps each of them has. */
export interface Tile {
  readonly from: number;
  readonly to: number;
  readonly taps: readonly (readonly number[])[];
}

/** The outputs of an axis in tiles; tiles with the same taps are one loop. */
export function tilesOf({ extent, kernel, stride, outputs, before }: Axis, size: number): Tile[] {
  const tiles: Tile[] = [];
  for (let from = 0; from < outputs; from += size) {
    const to = Math.min(from + size, outputs);
    const taps = Array.from({ length: to - from }, (_, r) =>
      Array.from({ length: kernel }, (_, k) => k).filter((k) => {
        const i = (from + r) * stride + k - before;
        return i >= 0 && i < extent;
      }),
    );
    const last = tiles[tiles.length - 1];
    if (last !== undefined && JSON.stringify(last.taps) === JSON.stringify(taps)) {
      tiles[tiles.length - 1] = { ...last, to };
    } else {
      tiles.push({ from, to, taps });
    }
  }
  return tiles;
}

export function neededTaps(taps: Tile["taps"]): number[] {
  return [...new Set(taps.flat())].sort((a, b) => a - b);
}

/** The columns that a tile reads, counted from its first tap, and which output uses each as what. */
export function neededColumns(
  taps: Tile["taps"],
  stride: number,
): { column: number; uses: { r: number; kx: number }[] }[] {
  const byColumn = new Map<number, { r: number; kx: number }[]>();
  taps.forEach((list, r) => {
    for (const kx of list) {
      const column = r * stride + kx;
      byColumn.set(column, [...(byColumn.get(column) ?? []), { r, kx }]);
    }
  });
  return [...byColumn].sort(([a], [b]) => a - b).map(([column, uses]) => ({ column, uses }));
}
