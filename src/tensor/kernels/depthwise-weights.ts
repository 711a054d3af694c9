/** The gradient of a depthwise convolution by its weights, channels in the lanes. */

import {
  build as b,
  type Expr,
  type Kernel,
  type Statement,
  type Variable,
} from "../../kernel/index.ts";
import { type Axis, axesOf, segmentsOf, type Window } from "./window.ts";
import { neededColumns, tilesOf } from "./window-tiles.ts";

/** Outputs of a tile, where the stride is not 1. */
const TILE = 4;

/** Taps whose sums are kept in registers at once. */
const TAPS = 9;

/**
 * dw [kh, kw, C] += sum over outputs of dy * x; the sums of a row of outputs stay in registers.
 *
 * With a stride of 1 a row of x is walked once: beside each value lie the gradients of the outputs that
 * it is part of, which move on by one. With other strides tiles of outputs are.
 */
export function depthwiseWeightGradient(shape: readonly number[], window: Window): Kernel {
  const [H, W, C] = shape;
  const [rows, columns] = axesOf(shape, window);
  const x = b.buffer("x", "f32", [H, W, C]);
  const dy = b.buffer("dy", "f32", [rows.outputs, columns.outputs, C]);
  const dw = b.buffer("dw", "f32", [rows.kernel, columns.kernel, C]);
  const row = (tag: string, taps: readonly number[], oy: Expr): Statement => {
    const all = Array.from({ length: columns.kernel }, (_, kx) => kx);
    const sums = taps.map((ky) => all.map((kx) => b.variable(`acc${tag}_${ky}_${kx}`, "f32")));
    const overSums = (visit: (sum: Variable, ky: number, kx: number) => Statement): Statement[] =>
      taps.flatMap((ky, i) => all.map((kx) => visit(sums[i][kx], ky, kx)));
    const walk = columns.stride === 1 ? slide : inTiles;
    return b.lanes(`c${tag}`, C, (c) => [
      ...overSums((sum, ky, kx) => b.declare(sum, b.load(dw, ky, kx, c))),
      ...walk({
        tag,
        columns,
        given: (ox) => b.load(dy, oy, ox, c),
        values: (ix) =>
          taps.map((ky) => b.load(x, b.add(b.mul(oy, rows.stride), ky - rows.before), ix, c)),
        sums,
      }),
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

/** A row of outputs: dy of one, the rows of x under it, and the sums by row of taps and by column. */
interface Row {
  readonly tag: string;
  readonly columns: Axis;
  readonly given: (ox: Expr) => Expr;
  readonly values: (ix: Expr) => Expr[];
  readonly sums: readonly (readonly Variable[])[];
}

/** Column by column of x, with a window of gradients that moves along. */
function slide({ tag, columns, given, values, sums }: Row): Statement[] {
  const { before, outputs, extent, kernel } = columns;
  const around = Array.from({ length: kernel }, (_, kx) => b.variable(`dy${tag}_${kx}`, "f32"));
  const column = (ix: Expr, next: Expr, name: string): Statement[] => {
    const here = values(ix);
    const value = here.map((_, i) => b.variable(`x${tag}_${name}_${i}`, "f32"));
    return [
      ...around.slice(1).map((_, i) => b.set(around[kernel - 1 - i], around[kernel - 2 - i])),
      b.set(around[0], next),
      ...value.map((variable, i) => b.declare(variable, here[i])),
      ...sums.flatMap((list, i) =>
        list.map((sum, kx) => b.set(sum, b.add(sum, b.mul(around[kx], value[i])))),
      ),
    ];
  };
  const isOutput = (ox: number): boolean => ox >= 0 && ox < outputs;
  const first = around.map((variable, kx) => {
    const ox = before - 1 - kx;
    return b.declare(variable, isOutput(ox) ? given(b.s32(ox)) : 0);
  });
  const end = Math.max(0, Math.min(outputs - before, extent));
  const rest = Array.from({ length: extent - end }, (_, i) => end + i);
  return [
    ...first,
    b.loop(`ix${tag}`, end, (ix) => column(ix, given(b.add(ix, before)), "in")),
    ...rest.flatMap((ix) => column(b.s32(ix), b.f32(0), `after${ix}`)),
  ];
}

/** Tile by tile of neighbouring outputs. */
function inTiles({ tag, columns, given, values, sums }: Row): Statement[] {
  return tilesOf(columns, TILE).map((across, j) => {
    const gradients = across.taps.map((_, r) => b.variable(`dy${tag}_${j}_${r}`, "f32"));
    const tile = (ox: Expr): Statement[] => [
      ...gradients.map((value, r) => b.declare(value, given(b.add(ox, r)))),
      ...neededColumns(across.taps, columns.stride).flatMap(({ column, uses }) => {
        const here = values(b.add(b.mul(ox, columns.stride), column - columns.before));
        return here.flatMap((value, i) => {
          const variable = b.variable(`x${tag}_${j}_${i}_${column}`, "f32");
          const adds = uses.map(({ r, kx }) => {
            const sum = sums[i][kx];
            return b.set(sum, b.add(sum, b.mul(gradients[r], variable)));
          });
          return [b.declare(variable, value), ...adds];
        });
      }),
    ];
    const options = { from: across.from, step: across.taps.length };
    return b.loop(`ox${tag}_${j}`, across.to, tile, options);
  });
}
