/**
 * Integer convolutions, 8-bit activations and 8- or 4-bit weights; output channels in the lanes.
 *
 * Padding holds the input's zero point: a tap outside adds zeroPoint * weight, which the folded
 * bias takes back.
 */

import {
  type Buffer,
  build as b,
  type Expr,
  type Kernel,
  type Statement,
} from "../../kernel/index.ts";
import { axesOf } from "../../tensor/index.ts";
import type { QuantizedConv2d, QuantizedDepthwiseConv2d } from "../quantized-graph.ts";
import { type Output, requantize } from "./requantize.ts";

/** Vectors of four output channels a time: sixteen accumulators share each loaded input. */
const VECTORS = 4;

/** y [H', W', N] s8 from x [H, W, C] s8, w [kh, kw, C, N], bias and multiplier [N]. */
export function conv2d(layer: QuantizedConv2d, [H, W, C]: readonly number[]): Kernel {
  const [outH, outW, N] = layer.outputShape;
  const x = b.buffer("x", "s8", [H, W, C]);
  const w = b.buffer("w", layer.bits === 4 ? "s4" : "s8", [...layer.kernel, C, N]);
  const acc = b.variable("acc", "s32");
  const body = windows(layer, [H, W], (oy, ox, tap) => [
    b.lanes(
      "n",
      N,
      (n) => [
        b.declare(acc, b.load(channel("bias", N), n)),
        ...tap((iy, ix, ky, kx) => {
          const weight = (c: Expr): Expr => b.load(w, ky, kx, c, n);
          const value = b.variable("value", "s32");
          const outside = b.mul(weight(b.variable("p", "s32")), layer.inputZero);
          return {
            inside: [
              b.loop("c", C, (c) => [
                b.declare(value, b.load(x, iy, ix, c)),
                b.set(acc, b.add(acc, b.mul(weight(c), value))),
              ]),
            ],
            outside: [b.loop("p", C, () => [b.set(acc, b.add(acc, outside))])],
          };
        }),
        b.store(
          b.buffer("y", "s8", [outH, outW, N]),
          [oy, ox, n],
          requantize(acc, b.load(channel("multiplier", N), n), outputOf(layer)),
        ),
      ],
      { vectors: VECTORS },
    ),
  ]);
  return b.kernel("conv2d", [x, w, ...ends(N, [outH, outW, N])], [body]);
}

/** y [H', W', C] s8 from x [H, W, C] s8, w [kh, kw, C], bias and multiplier [C]. */
export function depthwiseConv2d(
  layer: QuantizedDepthwiseConv2d,
  [H, W, C]: readonly number[],
): Kernel {
  const [outH, outW] = layer.outputShape;
  const x = b.buffer("x", "s8", [H, W, C]);
  const w = b.buffer("w", layer.bits === 4 ? "s4" : "s8", [...layer.kernel, C]);
  const acc = b.variable("acc", "s32");
  const body = windows(layer, [H, W], (oy, ox, tap) => [
    b.lanes(
      "c",
      C,
      (c) => [
        b.declare(acc, b.load(channel("bias", C), c)),
        ...tap((iy, ix, ky, kx) => {
          const weight = b.load(w, ky, kx, c);
          return {
            inside: [b.set(acc, b.add(acc, b.mul(weight, b.load(x, iy, ix, c))))],
            outside: [b.set(acc, b.add(acc, b.mul(weight, layer.inputZero)))],
          };
        }),
        b.store(
          b.buffer("y", "s8", [outH, outW, C]),
          [oy, ox, c],
          requantize(acc, b.load(channel("multiplier", C), c), outputOf(layer)),
        ),
      ],
      { vectors: VECTORS },
    ),
  ]);
  return b.kernel("depthwise_conv2d", [x, w, ...ends(C, [outH, outW, C])], [body]);
}

export function channel(name: string, N: number): Buffer {
  return b.buffer(name, "s32", [N]);
}

/** The last buffers of every weighted layer. */
export function ends(N: number, outputShape: readonly number[]): Buffer[] {
  return [channel("bias", N), channel("multiplier", N), b.buffer("y", "s8", outputShape)];
}

export function outputOf(layer: QuantizedConv2d | QuantizedDepthwiseConv2d): Output {
  const { multipliers, output, low, high = 127 } = layer;
  return { multipliers, zeroPoint: output.zeroPoint, low, high };
}

interface Tap {
  readonly inside: readonly Statement[];
  readonly outside: readonly Statement[];
}

type TapBody = (iy: Expr, ix: Expr, ky: Expr, kx: Expr) => Tap;

type Windowed = QuantizedConv2d | QuantizedDepthwiseConv2d;

/** Loops over outputs; `tap` writes the loops over the window. */
function windows(
  layer: Windowed,
  [H, W]: readonly number[],
  body: (oy: Expr, ox: Expr, tap: (body: TapBody) => Statement[]) => Statement[],
): Statement {
  const [rows, columns] = axesOf([H, W], layer);
  const [kh, kw] = layer.kernel;
  return b.loop("oy", rows.outputs, (oy) => [
    b.loop("ox", columns.outputs, (ox) =>
      body(oy, ox, (at) => {
        const tap = (ky: Expr, kx: Expr): Statement[] => {
          const iy = b.sub(b.add(b.mul(oy, rows.stride), ky), rows.before);
          const ix = b.sub(b.add(b.mul(ox, columns.stride), kx), columns.before);
          const { inside, outside } = at(iy, ix, ky, kx);
          const isPadded = layer.padding === "same" && (kh > 1 || kw > 1);
          if (!isPadded) return [...inside];
          const otherwise = layer.inputZero === 0 ? [] : outside;
          return [b.when(b.inside([iy, H], [ix, W]), inside, otherwise)];
        };
        if (kh === 1 && kw === 1) return tap(b.s32(0), b.s32(0));
        return [b.loop("ky", kh, (ky) => [b.loop("kx", kw, (kx) => tap(ky, kx))])];
      }),
    ),
  ]);
}
