/** Average pooling over tiles of one image [H, W, C]; the rest of an odd extent is dropped. */

import { build as b, type Expr, type Kernel } from "../../kernel/index.ts";
import { overTiles, tilesOf } from "./pool.ts";
import type { Pair } from "./window.ts";

/** y [H / h, W / w, C] = mean over each tile. */
export function averageTiles(shape: readonly number[], size: Pair): Kernel {
  const [H, W, C] = shape;
  const { outH, outW, offsets } = tilesOf(shape, size);
  const x = b.buffer("x", "f32", [H, W, C]);
  const y = b.buffer("y", "f32", [outH, outW, C]);
  const sum = b.variable("acc", "f32");
  const body = overTiles(outH, outW, C, (oy, ox, c) => [
    b.declare(sum, 0),
    ...offsets.map(([ky, kx]) =>
      b.set(sum, b.add(sum, b.load(x, ...indexOf({ oy, ox, c, ky, kx, size })))),
    ),
    b.store(y, [oy, ox, c], b.mul(sum, 1 / offsets.length)),
  ]);
  return b.kernel("average_tiles", [x, y], [body]);
}

/** dx = dy / (h w) over each tile, zero where the rest was dropped. */
export function averageTilesGradient(shape: readonly number[], size: Pair): Kernel {
  const [H, W, C] = shape;
  const { outH, outW, offsets } = tilesOf(shape, size);
  const dy = b.buffer("dy", "f32", [outH, outW, C]);
  const dx = b.buffer("dx", "f32", [H, W, C]);
  const share = b.variable("share", "f32");
  const body = overTiles(outH, outW, C, (oy, ox, c) => [
    b.declare(share, b.mul(b.load(dy, oy, ox, c), 1 / offsets.length)),
    ...offsets.map(([ky, kx]) => b.store(dx, indexOf({ oy, ox, c, ky, kx, size }), share)),
  ]);
  const flat = b.buffer("dx", "f32", [H * W * C]);
  const clear = b.lanes("z", H * W * C, (i) => [b.store(flat, [i], 0)], { vectors: 4 });
  const covered = outH * size[0] === H && outW * size[1] === W;
  return b.kernel("average_tiles_dx", [dy, dx], covered ? [body] : [clear, body]);
}

interface Element {
  readonly oy: Expr;
  readonly ox: Expr;
  readonly c: Expr;
  readonly ky: number;
  readonly kx: number;
  readonly size: Pair;
}

function indexOf({ oy, ox, c, ky, kx, size }: Element): Expr[] {
  return [b.add(b.mul(oy, size[0]), ky), b.add(b.mul(ox, size[1]), kx), c];
}
