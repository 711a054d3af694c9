/**
 * Depthwise convolution of one image [H, W, C] and its gradients, channels in the lanes.
 *
 * Outputs are computed in tiles of neighbours of a row: each loaded value and each weight serves
 * several of them. Tiles at the border leave out the taps that fall outside, so nothing is tested.
 * Measured reason for the sizes: eight or nine sums and what feeds them just fit sixteen registers.
 */

import {
  build as b,
  type Expr,
  type Kernel,
  type Statement,
  type Variable,
} from "../../kernel/index.ts";
import { type Axis, axesOf, segmentsOf, turnedAxis, type Window } from "./window.ts";

const [TILE, GRADIENT_TILE] = [8, 4];

/** y [H', W', C] = x * w [kh, kw, C] (+ bias [C]). */
export function depthwise(
  shape: readonly number[],
  window: Window,
  { bias = false }: { bias?: boolean } = {},
): Kernel {
  const [rows, columns] = axesOf(shape, window);
  return correlate("depthwise", { C: shape[2], rows, columns, bias, flip: false });
}

/** dx of a depthwise convolution with stride 1: the same sum with the window turned. */
export function depthwiseInputGradient(shape: readonly number[], window: Window): Kernel {
  const [rows, columns] = axesOf(shape, window).map(turnedAxis);
  return correlate("depthwise_dx", { C: shape[2], rows, columns, bias: false, flip: true });
}

interface Correlation {
  readonly C: number;
  readonly rows: Axis;
  readonly columns: Axis;
  readonly bias: boolean;
  readonly flip: boolean;
}

/** Neighbouring outputs of a row, and which taps each of them has. */
interface Tile {
  readonly from: number;
  readonly to: number;
  readonly taps: readonly (readonly number[])[];
}

/** The outputs of an axis in tiles; tiles with the same taps are one loop. */
function tilesOf({ extent, kernel, stride, outputs, before }: Axis, size: number): Tile[] {
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

function correlate(name: string, { C, rows, columns, bias, flip }: Correlation): Kernel {
  const x = b.buffer("x", "f32", [rows.extent, columns.extent, C]);
  const w = b.buffer("w", "f32", [rows.kernel, columns.kernel, C]);
  const offsets = b.buffer("bias", "f32", [C]);
  const y = b.buffer("y", "f32", [rows.outputs, columns.outputs, C]);
  const turned = (tap: number, { kernel }: Axis): number => (flip ? kernel - 1 - tap : tap);
  const tile = (
    tag: string,
    ky: readonly number[],
    { taps }: Tile,
    oy: Expr,
    ox: Expr,
  ): Statement => {
    const sums = taps.map((_, r) => b.variable(`acc${tag}_${r}`, "f32"));
    return b.lanes(
      `c${tag}`,
      C,
      (c) => [
        ...sums.map((sum) => b.declare(sum, bias ? b.load(offsets, c) : 0)),
        ...ky.flatMap((tap) => {
          const iy = b.add(b.mul(oy, rows.stride), tap - rows.before);
          const weights = neededTaps(taps).map((kx) => {
            const weight = b.variable(`w${tag}_${tap}_${kx}`, "f32");
            const value = b.load(w, turned(tap, rows), turned(kx, columns), c);
            return { kx, weight, statement: b.declare(weight, value) };
          });
          return [
            ...weights.map(({ statement }) => statement),
            ...neededColumns(taps, columns.stride).flatMap(({ column, uses }) => {
              const value = b.variable(`x${tag}_${tap}_${column}`, "f32");
              const ix = b.add(b.mul(ox, columns.stride), column - columns.before);
              return [
                b.declare(value, b.load(x, iy, ix, c)),
                ...uses.map(({ r, kx }) => {
                  const { weight } = weights.find((entry) => entry.kx === kx) ?? weights[0];
                  return b.set(sums[r], b.add(sums[r], b.mul(value, weight)));
                }),
              ];
            }),
          ];
        }),
        ...sums.map((sum, r) => b.store(y, [oy, b.add(ox, r), c], sum)),
      ],
      { vectors: 1 },
    );
  };
  const body = segmentsOf(rows).map(({ from, to, taps }, i) =>
    b.loop(
      `oy${i}`,
      to,
      (oy) =>
        tilesOf(columns, TILE).map((across, j) => {
          const step = across.taps.length;
          const inner = (ox: Expr): Statement[] => [tile(`${i}_${j}`, taps, across, oy, ox)];
          return b.loop(`ox${i}_${j}`, across.to, inner, { from: across.from, step });
        }),
      { from },
    ),
  );
  return b.kernel(name, bias ? [x, w, offsets, y] : [x, w, y], body);
}

function neededTaps(taps: Tile["taps"]): number[] {
  return [...new Set(taps.flat())].sort((a, b) => a - b);
}

/** The columns that a tile reads, counted from its first tap, and which output uses each as what. */
function neededColumns(
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

/** dx for any stride: every output adds to the inputs it read. */
export function depthwiseScatter(shape: readonly number[], window: Window): Kernel {
  const [H, W, C] = shape;
  const [rows, columns] = axesOf(shape, window);
  const dy = b.buffer("x", "f32", [rows.outputs, columns.outputs, C]);
  const w = b.buffer("w", "f32", [rows.kernel, columns.kernel, C]);
  const dx = b.buffer("y", "f32", [H, W, C]);
  const flat = b.buffer("y", "f32", [H * W * C]);
  const tap = (oy: Expr, ox: Expr, ky: Expr, kx: Expr): Statement => {
    const iy = b.sub(b.add(b.mul(oy, rows.stride), ky), rows.before);
    const ix = b.sub(b.add(b.mul(ox, columns.stride), kx), columns.before);
    const addition = b.lanes("c", C, (c) => {
      const product = b.mul(b.load(dy, oy, ox, c), b.load(w, ky, kx, c));
      return [b.store(dx, [iy, ix, c], b.add(b.load(dx, iy, ix, c), product))];
    });
    return b.when(b.inside([iy, H], [ix, W]), [addition]);
  };
  const body = b.loop("oy", rows.outputs, (oy) => [
    b.loop("ox", columns.outputs, (ox) => [
      b.loop("ky", rows.kernel, (ky) => [
        b.loop("kx", columns.kernel, (kx) => [tap(oy, ox, ky, kx)]),
      ]),
    ]),
  ]);
  const clear = b.lanes("z", H * W * C, (i) => [b.store(flat, [i], 0)], { vectors: 4 });
  return b.kernel("depthwise_scatter", [dy, w, dx], [clear, body]);
}

/** Taps whose sums are kept in registers at once. */
const TAPS = 9;

/** dw [kh, kw, C] += sum over outputs of dy * x; the sums of a row of outputs stay in registers. */
export function depthwiseWeightGradient(shape: readonly number[], window: Window): Kernel {
  const [H, W, C] = shape;
  const [rows, columns] = axesOf(shape, window);
  const x = b.buffer("x", "f32", [H, W, C]);
  const dy = b.buffer("dy", "f32", [rows.outputs, columns.outputs, C]);
  const dw = b.buffer("dw", "f32", [rows.kernel, columns.kernel, C]);
  const row = (tag: string, taps: readonly number[], oy: Expr): Statement => {
    const all = Array.from({ length: columns.kernel }, (_, kx) => kx);
    const sums = taps.map((ky) => all.map((kx) => b.variable(`acc${tag}_${ky}_${kx}`, "f32")));
    const tile = (j: number, across: Tile, ox: Expr, c: Expr): Statement[] => {
      const given = across.taps.map((_, r) => b.variable(`dy${tag}_${j}_${r}`, "f32"));
      return [
        ...given.map((value, r) => b.declare(value, b.load(dy, oy, b.add(ox, r), c))),
        ...taps.flatMap((ky, i) =>
          neededColumns(across.taps, columns.stride).flatMap(({ column, uses }) => {
            const value = b.variable(`x${tag}_${j}_${ky}_${column}`, "f32");
            const iy = b.add(b.mul(oy, rows.stride), ky - rows.before);
            const ix = b.add(b.mul(ox, columns.stride), column - columns.before);
            return [
              b.declare(value, b.load(x, iy, ix, c)),
              ...uses.map(({ r, kx }) => {
                const sum = sums[i][kx];
                return b.set(sum, b.add(sum, b.mul(given[r], value)));
              }),
            ];
          }),
        ),
      ];
    };
    const overSums = (visit: (sum: Variable, ky: number, kx: number) => Statement): Statement[] =>
      taps.flatMap((ky, i) => all.map((kx) => visit(sums[i][kx], ky, kx)));
    return b.lanes(`c${tag}`, C, (c) => [
      ...overSums((sum, ky, kx) => b.declare(sum, b.load(dw, ky, kx, c))),
      ...tilesOf(columns, GRADIENT_TILE).map((across, j) =>
        b.loop(`ox${tag}_${j}`, across.to, (ox) => tile(j, across, ox, c), {
          from: across.from,
          step: across.taps.length,
        }),
      ),
      ...overSums((sum, ky, kx) => b.store(dw, [ky, kx, c], sum)),
    ]);
  };
  const perGroup = Math.max(1, Math.floor(TAPS / columns.kernel));
  const body = segmentsOf(rows).map(({ from, to, taps }, i) => {
    const groups = Array.from({ length: Math.ceil(taps.length / perGroup) }, (_, g) =>
      taps.slice(g * perGroup, (g + 1) * perGroup),
    );
    const inner = (oy: Expr): Statement[] => groups.map((list, g) => row(`${i}_${g}`, list, oy));
    return b.loop(`oy${i}`, to, inner, { from });
  });
  return b.kernel("depthwise_dw", [x, dy, dw], body);
}
