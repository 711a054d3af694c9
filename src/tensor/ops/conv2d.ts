/** Convolution with weights [kh, kw, C, filters]. */

import { mismatch } from "../../errors.ts";
import {
  type Convolution,
  columnSums,
  convolve,
  convolveWeights,
  productOf,
  turnWeights,
} from "../kernels/convolve.ts";
import { axesOf, pad, paddedExtent, turnedAxis, type Window } from "../kernels/window.ts";
import type { Conv2d, Shape } from "../layer.ts";
import { type Op, type Site, type StepBuilder, step } from "../op.ts";

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
    const x = padded(layer, site, s);
    const bindings = { x, w: site.parameter("weight"), y: site.y };
    const bias = layer.bias ? { bias: site.parameter("bias") } : {};
    s.each(convolve(convolutionOf(layer, site), { bias: layer.bias }), { ...bindings, ...bias });
    return s;
  },
  backward(layer, site) {
    const s = step(layer, site);
    const [H, W, N] = site.output;
    const { dy } = site;
    const [, , C] = site.inputs[0];
    const x = paddedName(layer, layer.name, site);
    const convolution = convolutionOf(layer, site);
    const size = layer.kernel[0] * layer.kernel[1] * C * N;
    const dw = s.gather("dweight", size);
    s.each(convolveWeights(convolution), { x, dy, dw });
    s.sum(dw, site.gradient("weight"));
    if (layer.bias) biasGradient({ pixels: H * W, N }, site, s);
    const [dx] = site.dx;
    if (dx === undefined) return s;
    const turned = s.scratch("turned", [...layer.kernel, N, C]);
    s.add(turnWeights(layer.kernel, { C, N }), { w: site.parameter("weight"), turned });
    const back = turnedConvolution(layer, site);
    const source = isPointwise(layer) ? dy : s.scratch("framed", [site.batch, ...back.framed]);
    if (back.frame !== undefined) s.each(pad(back.frame), { x: dy, y: source });
    s.each(convolve(back.convolution), { x: source, w: turned, y: dx });
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

function isPointwise({ kernel, stride }: Conv2d): boolean {
  return kernel[0] === 1 && kernel[1] === 1 && stride[0] === 1 && stride[1] === 1;
}

function needsPadding(layer: Conv2d, { inputs: [input] }: Site): boolean {
  const [rows, columns] = axesOf(input, layer);
  return paddedExtent(rows) > rows.extent || paddedExtent(columns) > columns.extent;
}

/** The product that the layer is: of all pixels at once, or of windows in the padded image. */
export function convolutionOf(
  layer: Conv2d,
  { inputs: [input], output: [H, W, N] }: Site,
): Convolution {
  const C = input[2];
  if (isPointwise(layer)) return productOf({ M: H * W, K: C, N });
  const [height, width] = axesOf(input, layer).map(paddedExtent);
  const { kernel, stride } = layer;
  return { height, width, C, kernel, stride, outputs: [H, W], filters: N };
}

/** The gradient by the input as a convolution of the gradient by the output, in its frame. */
function turnedConvolution(layer: Conv2d, { inputs: [input], output }: Site) {
  const [H, W, C] = input;
  const N = output[2];
  if (isPointwise(layer)) {
    return { convolution: productOf({ M: H * W, K: N, N: C }), framed: output };
  }
  const axes = axesOf(input, layer).map(turnedAxis);
  const padded = axes.map(({ outputs, kernel }) => outputs + kernel - 1) as [number, number];
  const before = axes.map((axis) => axis.before) as [number, number];
  const frame = { shape: output, padded, before, dilation: layer.stride };
  const [height, width] = padded;
  const window = { kernel: layer.kernel, stride: [1, 1] } as const;
  const convolution = { height, width, C: N, ...window, outputs: [H, W], filters: C } as const;
  return { convolution, frame, framed: [height, width, N] };
}

/** The image with the zeros that its windows reach into. */
export function padded(layer: Conv2d, site: Site, s: StepBuilder): string {
  if (!needsPadding(layer, site)) return site.x[0];
  const [rows, columns] = axesOf(site.inputs[0], layer);
  const size = [paddedExtent(rows), paddedExtent(columns)] as const;
  const name = s.scratch("padded", [site.batch, ...size, site.inputs[0][2]]);
  const before = [rows.before, columns.before] as const;
  const frame = { shape: site.inputs[0], padded: size, before, dilation: [1, 1] } as const;
  s.each(pad(frame), { x: site.x[0], y: name });
  return name;
}

/** Where `padded` has put it, in a step of this name. */
export function paddedName(layer: Conv2d, step: string, site: Site): string {
  return needsPadding(layer, site) ? `${step}.padded` : site.x[0];
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
