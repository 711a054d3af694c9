/** Convolution with weights [kh, kw, C, filters]. */

import { mismatch } from "../../errors.ts";
import { columnSums, productOf, turnWeights } from "../kernels/convolve.ts";
import { axesOf, turnedAxis, type Window } from "../kernels/window.ts";
import type { Conv2d, Shape } from "../layer.ts";
import { type Op, type Site, type StepBuilder, step } from "../op.ts";
import {
  type Convolved,
  convolution,
  convolvedBy,
  isPointwise,
  weightGradient,
} from "./convolution.ts";

export const conv2d: Op<Conv2d> = {
  shape(layer, [input]) {
    return [...outputsOf(layer, input), layer.filters];
  },
  parameters({ name, kernel, filters, bias }, [[, , C]]) {
    const [kh, kw] = kernel;
    const initial = { kind: "he", fanIn: kh * kw * C, fanOut: kh * kw * filters } as const;
    const weight = {
      name: `${name}.weight`,
      shape: [kh, kw, C, filters],
      initial,
      trainable: true,
    };
    const zero = { kind: "constant", value: 0 } as const;
    const offset = { name: `${name}.bias`, shape: [filters], initial: zero, trainable: true };
    return bias ? [weight, offset] : [weight];
  },
  macs({ kernel: [kh, kw] }, [[, , C]], [H, W, N]) {
    return H * W * N * kh * kw * C;
  },
  forward(layer, site) {
    const s = step(layer, site);
    const bias = layer.bias ? { bias: site.parameter("bias") } : {};
    const names = { x: site.x[0], w: site.parameter("weight"), y: site.y, ...bias };
    convolution(convolvedBy(layer, site), names, s);
    return s;
  },
  backward(layer, site) {
    const s = step(layer, site);
    const [H, W, N] = site.output;
    const { dy } = site;
    const [, , C] = site.inputs[0];
    weightGradient(
      convolvedBy(layer, site),
      { x: site.x[0], dy, dw: site.gradient("weight"), kept: layer.name },
      s,
    );
    if (layer.bias) biasGradient({ pixels: H * W, N }, site, s);
    const [dx] = site.dx;
    if (dx === undefined) return s;
    const turned = s.scratch("turned", [...layer.kernel, N, C]);
    s.add(turnWeights(layer.kernel, { C, N }), { w: site.parameter("weight"), turned });
    convolution(turnedConvolution(layer, site), { x: dy, w: turned, y: dx }, s, { role: "back_" });
    return s;
  },
};

/** Height and width of the output of a windowed layer. */
export function outputsOf(
  { name, ...window }: Window & { readonly name: string },
  input: Shape,
): [number, number] {
  const [rows, columns] = axesOf(mapShape(name, input), window);
  if (rows.outputs >= 1 && columns.outputs >= 1) return [rows.outputs, columns.outputs];
  const expected = `>= ${window.kernel.join(" x ")}`;
  throw mismatch(name, "input height and width", { expected, got: [input[0], input[1]] });
}

/** The rank that maps have. */
export function mapShape(name: string, shape: Shape): Shape {
  if (shape.length === 3) return shape;
  throw mismatch(name, "input shape", { expected: "[H, W, C]", got: shape });
}

/** The gradient by the input as a convolution of the gradient by the output, in its frame. */
function turnedConvolution(layer: Conv2d, { inputs: [input], output, batch }: Site): Convolved {
  const [H, W, C] = input;
  const N = output[2];
  if (isPointwise(layer)) return { batch, shape: productOf({ M: H * W, K: N, N: C }) };
  const axes = axesOf(input, layer).map(turnedAxis);
  const padded = axes.map(({ outputs, kernel }) => outputs + kernel - 1) as [number, number];
  const before = axes.map((axis) => axis.before) as [number, number];
  const frame = { shape: output, padded, before, dilation: layer.stride };
  const [height, width] = padded;
  const window = { kernel: layer.kernel, stride: [1, 1] } as const;
  const shape = { height, width, C: N, ...window, outputs: [H, W], filters: C } as const;
  return { batch, shape, frame };
}

/** The gradient by a bias: the sums of the columns of dy [pixels, N]. */
export function biasGradient(
  { pixels, N }: { pixels: number; N: number },
  { dy, gradient }: Site,
  s: StepBuilder,
): void {
  const db = s.gather("dbias", N);
  s.each(columnSums({ M: pixels, N }), { dy, db });
  s.sum(db, gradient("bias"));
}
