/**
 * Depthwise convolution of one image [H, W, C] and its gradient by the image, channels in the lanes.
 *
 * Outputs are computed in tiles of neighbours of a row: each loaded value and each weight serves
 * several of them. Tiles at the border leave out the taps that fall outside, so nothing is tested.
 * The rows of taps are a loop, not written out: V8 puts the loads of straight code before all sums
 * that they feed, and sixteen registers hold one row's.
 */

import { build as b, type Expr, type Kernel, type Statement } from "../../kernel/index.ts";
import { type Axis, axesOf, segmentsOf, turnedAxis, type Window } from "./window.ts";
import { neededColumns, neededTaps, type Tile, tilesOf } from "./window-tiles.ts";

/** Outputs of a tile. */
const TILE = 8;

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

function correlate(name: string, { C, rows, columns, bias, flip }: Correlation): Kernel {
  const x = b.buffer("x", "f32", [rows.extent, columns.extent, C]);
  const w = b.buffer("w", "f32", [rows.kernel, columns.kernel, C]);
  const offsets = b.buffer("bias", "f32", [C]);
  const y = b.buffer("y", "f32", [rows.outputs, columns.outputs, C]);
  const turned = (tap: number | Expr, { kernel }: Axis) => (flip ? b.sub(kernel - 1, tap) : tap);
  const tile = (
    tag: string,
    ky: readonly number[],
    { taps }: Tile,
    oy: Expr,
    ox: Expr,
  ): Statement => {
    const sums = taps.map((_, r) => b.variable(`acc${tag}_${r}`, "f32"));
    const offset = b.variable(`offset${tag}`, "f32");
    return b.lanes(
      `c${tag}`,
      C,
      (c) => [
        ...(bias ? [b.declare(offset, b.load(offsets, c))] : []),
        ...sums.map((sum) => b.declare(sum, bias ? offset : 0)),
        b.loop(
          `ky${tag}`,
          ky[ky.length - 1] + 1,
          (tap) => {
            const iy = b.add(b.add(b.mul(oy, rows.stride), tap), -rows.before);
            const weights = neededTaps(taps).map((kx) => {
              const weight = b.variable(`w${tag}_${kx}`, "f32");
              const value = b.load(w, turned(tap, rows), turned(kx, columns), c);
              return { kx, weight, statement: b.declare(weight, value) };
            });
            return [
              ...weights.map(({ statement }) => statement),
              ...neededColumns(taps, columns.stride).flatMap(({ column, uses }) => {
                const value = b.variable(`x${tag}_${column}`, "f32");
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
          },
          { from: ky[0] },
        ),
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
