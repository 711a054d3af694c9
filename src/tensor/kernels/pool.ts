/**
 * Pooling of one image [H, W, C]: maximum over tiles (the rest of an odd extent is dropped) and
 * global average.
 */

import { build as b, type Expr, type Kernel, type Statement } from "../../kernel/index.ts";
import type { Pair } from "./window.ts";

const LANES = { vectors: 4 };

interface Tiles {
  readonly outH: number;
  readonly outW: number;
  readonly offsets: readonly Pair[];
}

/** How many tiles there are, and the offsets of the elements inside one. */
export function tilesOf([H, W]: readonly number[], [height, width]: Pair): Tiles {
  const offsets = Array.from(
    { length: height * width },
    (_, i): Pair => [Math.floor(i / width), i % width],
  );
  return { outH: Math.floor(H / height), outW: Math.floor(W / width), offsets };
}

/** y [batch, H / h, W / w, C] */
export function maxPool(shape: readonly number[], size: Pair): Kernel {
  const [H, W, C] = shape;
  const { outH, outW, offsets } = tilesOf(shape, size);
  const x = b.buffer("x", "f32", [H, W, C]);
  const y = b.buffer("y", "f32", [outH, outW, C]);
  const body = overTiles(outH, outW, C, (oy, ox, c) => {
    const values = offsets.map(([dy, dx]) =>
      b.load(x, b.add(b.mul(oy, size[0]), dy), b.add(b.mul(ox, size[1]), dx), c),
    );
    return [
      b.store(
        y,
        [oy, ox, c],
        values.reduce<Expr>((a, v) => b.max(a, v), values[0]),
      ),
    ];
  });
  return b.kernel("max_pool", [x, y], [body]);
}

/** dx: dy goes to the first largest element of each tile, zero elsewhere. */
export function maxPoolGradient(shape: readonly number[], size: Pair): Kernel {
  const [H, W, C] = shape;
  const { outH, outW, offsets } = tilesOf(shape, size);
  const x = b.buffer("x", "f32", [H, W, C]);
  const y = b.buffer("y", "f32", [outH, outW, C]);
  const dy = b.buffer("dy", "f32", [outH, outW, C]);
  const dx = b.buffer("dx", "f32", [H, W, C]);
  const left = b.variable("left", "f32");
  const given = b.variable("given", "f32");
  const body = overTiles(outH, outW, C, (oy, ox, c) => [
    b.declare(left, b.load(dy, oy, ox, c)),
    ...offsets.flatMap(([ky, kx], i): Statement[] => {
      const index = [b.add(b.mul(oy, size[0]), ky), b.add(b.mul(ox, size[1]), kx), c];
      const isLargest = b.equal(b.load(x, ...index), b.load(y, oy, ox, c));
      const share = b.select(isLargest, left, b.f32(0));
      return [
        i === 0 ? b.declare(given, share) : b.set(given, share),
        b.store(dx, index, given),
        b.set(left, b.sub(left, given)),
      ];
    }),
  ]);
  const flat = b.buffer("dx", "f32", [H * W * C]);
  const clear = b.lanes("z", H * W * C, (i) => [b.store(flat, [i], 0)], LANES);
  const covered = outH * size[0] === H && outW * size[1] === W;
  return b.kernel("max_pool_dx", [x, y, dy, dx], covered ? [body] : [clear, body]);
}

/** y [C] = mean over H and W. */
export function averagePool(shape: readonly number[]): Kernel {
  const [H, W, C] = shape;
  const x = b.buffer("x", "f32", [H * W, C]);
  const y = b.buffer("y", "f32", [C]);
  const sum = b.variable("acc", "f32");
  const body = b.lanes(
    "c",
    C,
    (c) => [
      b.declare(sum, 0),
      b.loop("i", H * W, (i) => [b.set(sum, b.add(sum, b.load(x, i, c)))]),
      b.store(y, [c], b.mul(sum, b.f32(1 / (H * W)))),
    ],
    LANES,
  );
  return b.kernel("average_pool", [x, y], [body]);
}

/** dx = dy / (H W) everywhere. */
export function averagePoolGradient(shape: readonly number[]): Kernel {
  const [H, W, C] = shape;
  const dy = b.buffer("dy", "f32", [C]);
  const dx = b.buffer("dx", "f32", [H * W, C]);
  const body = b.loop("i", H * W, (i) => [
    b.lanes("c", C, (c) => [b.store(dx, [i, c], b.mul(b.load(dy, c), b.f32(1 / (H * W))))], LANES),
  ]);
  return b.kernel("average_pool_dx", [dy, dx], [body]);
}

/** Loops over every output of tiles, channels in the lanes. */
export function overTiles(
  outH: number,
  outW: number,
  C: number,
  body: (oy: Expr, ox: Expr, c: Expr) => Statement[],
): Statement {
  return b.loop("oy", outH, (oy) => [
    b.loop("ox", outW, (ox) => [b.lanes("c", C, (c) => body(oy, ox, c), LANES)]),
  ]);
}
