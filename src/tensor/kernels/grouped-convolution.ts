/**
 * Convolution in groups: filter f reads the C / groups channels of its group only (Krizhevsky et
 * al. 2012). Weights [kh, kw, C / groups, filters], the filters of a group side by side.
 *
 * Plain loops over one image, for few groups of many filters: the filters of a group are in the
 * lanes.
 */

import {
  type Buffer,
  build as b,
  type Expr,
  type Kernel,
  type Statement,
} from "../../kernel/index.ts";
import { axesOf, type Window } from "./window.ts";

export interface Grouped extends Window {
  /** [H, W, C] */
  readonly shape: readonly number[];
  readonly groups: number;
  readonly filters: number;
}

/** Channels and filters of one group, and the buffers. */
interface Parts {
  readonly channels: number;
  readonly filters: number;
  readonly x: Buffer;
  readonly w: Buffer;
  readonly y: Buffer;
}

function partsOf({ shape, groups, filters, ...window }: Grouped): Parts {
  const channels = shape[2] / groups;
  const outputs = axesOf(shape, window).map((axis) => axis.outputs);
  return {
    channels,
    filters: filters / groups,
    x: b.buffer("x", "f32", shape),
    w: b.buffer("w", "f32", [...window.kernel, channels, filters]),
    y: b.buffer("y", "f32", [...outputs, filters]),
  };
}

type Tap = Readonly<Record<"oy" | "ox" | "ky" | "kx", Expr>>;

/** The element that a tap of an output's window reads, and whether it exists. */
function elementOf({ shape, ...window }: Grouped, { oy, ox, ky, kx }: Tap) {
  const [rows, columns] = axesOf(shape, window);
  const iy = b.sub(b.add(b.mul(oy, rows.stride), ky), rows.before);
  const ix = b.sub(b.add(b.mul(ox, columns.stride), kx), columns.before);
  return { iy, ix, isInside: b.inside([iy, rows.extent], [ix, columns.extent]) };
}

/** y [H', W', filters] = sum over the window and the group's channels of x w, plus bias. */
export function groupedConvolution(layer: Grouped, { bias: hasBias }: { bias: boolean }): Kernel {
  const { channels, filters, x, w, y } = partsOf(layer);
  const bias = b.buffer("bias", "f32", [layer.filters]);
  const acc = b.variable("acc", "f32");
  const sum = (oy: Expr, ox: Expr, g: Expr) =>
    b.lanes("m", filters, (m) => {
      const f = b.add(b.mul(g, filters), m);
      const tap = (ky: Expr, kx: Expr) => {
        const { iy, ix, isInside } = elementOf(layer, { oy, ox, ky, kx });
        const value = (c: Expr) => b.load(x, iy, ix, b.add(b.mul(g, channels), c));
        const loop = b.loop("c", channels, (c) => [
          b.set(acc, b.add(acc, b.mul(value(c), b.load(w, ky, kx, c, f)))),
        ]);
        return [b.when(isInside, [loop])];
      };
      return [
        b.declare(acc, hasBias ? b.load(bias, f) : 0),
        overPairs(["ky", "kx"], layer.kernel, tap),
        b.store(y, [oy, ox, f], acc),
      ];
    });
  const body = overPairs(["oy", "ox"], y.shape, (oy, ox) => [
    b.loop("g", layer.groups, (g) => [sum(oy, ox, g)]),
  ]);
  return b.kernel("grouped_convolution", [x, w, ...(hasBias ? [bias] : []), y], [body]);
}

/** To dw is added the sum over outputs of x dy. */
export function groupedWeightGradient(layer: Grouped): Kernel {
  const { channels, filters, x, w, y } = partsOf(layer);
  const [dy, dw] = [
    { ...y, name: "dy" },
    { ...w, name: "dw" },
  ];
  const acc = b.variable("acc", "f32");
  const sum = (ky: Expr, kx: Expr, g: Expr, c: Expr) =>
    b.lanes("m", filters, (m) => {
      const f = b.add(b.mul(g, filters), m);
      const tap = (oy: Expr, ox: Expr) => {
        const { iy, ix, isInside } = elementOf(layer, { oy, ox, ky, kx });
        const value = b.load(x, iy, ix, b.add(b.mul(g, channels), c));
        const product = b.mul(value, b.load(dy, oy, ox, f));
        return [b.when(isInside, [b.set(acc, b.add(acc, product))])];
      };
      return [
        b.declare(acc, b.load(dw, ky, kx, c, f)),
        overPairs(["oy", "ox"], y.shape, tap),
        b.store(dw, [ky, kx, c, f], acc),
      ];
    });
  const body = overPairs(["ky", "kx"], layer.kernel, (ky, kx) => [
    overPairs(["g", "c"], [layer.groups, channels], (g, c) => [sum(ky, kx, g, c)]),
  ]);
  return b.kernel("grouped_convolution_dw", [x, dy, dw], [body]);
}

/** dx = sums of dy w over the windows and filters that read each element. */
export function groupedInputGradient(layer: Grouped): Kernel {
  const { channels, filters, x, w, y } = partsOf(layer);
  const [dx, dy] = [
    { ...x, name: "dx" },
    { ...y, name: "dy" },
  ];
  const acc = b.variable("acc", "f32");
  const tap = (oy: Expr, ox: Expr, ky: Expr, kx: Expr) => {
    const { iy, ix, isInside } = elementOf(layer, { oy, ox, ky, kx });
    const channel = (g: Expr, c: Expr) => {
      const at = [iy, ix, b.add(b.mul(g, channels), c)];
      return [
        b.declare(acc, b.load(dx, ...at)),
        b.loop("m", filters, (m) => {
          const f = b.add(b.mul(g, filters), m);
          const product = b.mul(b.load(dy, oy, ox, f), b.load(w, ky, kx, c, f));
          return [b.set(acc, b.add(acc, product))];
        }),
        b.store(dx, at, acc),
      ];
    };
    return [b.when(isInside, [overPairs(["g", "c"], [layer.groups, channels], channel)])];
  };
  const size = x.shape.reduce((product, extent) => product * extent, 1);
  const flat = b.buffer("dx", "f32", [size]);
  const clear = b.lanes("z", size, (i) => [b.store(flat, [i], 0)], { vectors: 4 });
  const body = overPairs(["oy", "ox"], y.shape, (oy, ox) => [
    overPairs(["ky", "kx"], layer.kernel, (ky, kx) => tap(oy, ox, ky, kx)),
  ]);
  return b.kernel("grouped_convolution_dx", [dy, w, dx], [clear, body]);
}

/** Two loops, one in the other. */
function overPairs(
  [outer, inner]: readonly [string, string],
  [rows, columns]: readonly number[],
  body: (i: Expr, j: Expr) => Statement[],
): Statement {
  return b.loop(outer, rows, (i) => [b.loop(inner, columns, (j) => body(i, j))]);
}
