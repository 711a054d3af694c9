/**
 * The calls of a convolution and of its gradient by the weights, two outputs at a time where that is
 * possible (kernels/winograd.ts).
 */

import { maskedGradient } from "../kernels/conv-norm.ts";
import { type Convolution, convolve, convolveWeights, productOf } from "../kernels/convolve.ts";
import { axesOf, type Frame, pad, paddedExtent } from "../kernels/window.ts";
import {
  FACTORS,
  hasPairs,
  partialShape,
  planes,
  planesShape,
  weightFactors,
  winograd,
} from "../kernels/winograd.ts";
import { pairsShape, weightsOfFactors, winogradWeights } from "../kernels/winograd-gradient.ts";
import type { Conv2d } from "../layer.ts";
import { product, type Site, type StepBuilder } from "../op.ts";

/** A convolution of every sample, and the frame that its image needs first. */
export interface Convolved {
  readonly batch: number;
  readonly shape: Convolution;
  readonly frame?: Frame;
}

/** The product that a layer is: of all pixels at once, or of windows in the padded image. */
export function convolvedBy(layer: Conv2d, site: Site): Convolved {
  const [input] = site.inputs;
  const { batch, output } = site;
  const [H, W, filters] = output;
  const C = input[2];
  if (isPointwise(layer)) return { batch, shape: productOf({ M: H * W, K: C, N: filters }) };
  const [rows, columns] = axesOf(input, layer);
  const padded = [paddedExtent(rows), paddedExtent(columns)] as const;
  const [height, width] = padded;
  const { kernel, stride } = layer;
  const shape = { height, width, C, kernel, stride, outputs: [H, W], filters } as const;
  if (height === rows.extent && width === columns.extent) return { batch, shape };
  const before = [rows.before, columns.before] as const;
  return { batch, shape, frame: { shape: input, padded, before, dilation: [1, 1] } };
}

export function isPointwise({ kernel, stride }: Conv2d): boolean {
  return kernel[0] === 1 && kernel[1] === 1 && stride[0] === 1 && stride[1] === 1;
}

/** What costs little to compute does not lie about. */
const late = { late: true };

type Names = Readonly<Record<"x" | "w" | "y", string>> & { readonly bias?: string };

/**
 * y [batch, H', W', N] of x, w [kh, kw, C, N] and, where it has a name, bias [N].
 *
 * relu  y is no less than 0
 * role  what names of scratch storage begin with
 */
export function convolution(
  { batch, shape, frame }: Convolved,
  { x, w, y, bias }: Names,
  s: StepBuilder,
  { relu = false, role = "" }: { relu?: boolean; role?: string } = {},
): void {
  const options = { bias: bias !== undefined, relu };
  const target = { y, ...(bias === undefined ? {} : { bias }) };
  const { height, width, C } = shape;
  const scratch = (name: string, of: readonly number[]): string => s.scratch(role + name, of);
  const each = (name: string, of: readonly number[]): string => scratch(name, [batch, ...of]);
  if (!hasPairs(shape)) {
    const framed = frame === undefined ? x : each("framed", [height, width, C]);
    if (frame !== undefined) s.each(pad(frame), { x, y: framed });
    s.each(convolve(shape, options), { x: framed, w, ...target });
    return;
  }
  const turned = each("columns", [width, height, C]);
  s.each(pad(frame ?? unframed(shape), { byColumns: true }), { x, y: turned }, late);
  const source = each("planes", planesShape(shape));
  s.each(planes(shape), { columns: turned, planes: source }, late);
  const u = scratch("factors", [factorsSize(shape)]);
  s.add(weightFactors(shape), { w, u });
  const partial = each("partial", partialShape(shape));
  s.each(winograd(shape, options), { planes: source, u, partial, ...target });
}

/** An image that needs no zeros. */
function unframed({ height, width, C }: Convolution): Frame {
  const shape = [height, width, C];
  return { shape, padded: [height, width], before: [0, 0], dilation: [1, 1] };
}

function factorsSize({ kernel, C, filters }: Convolution): number {
  return FACTORS * kernel[0] * C * filters;
}

interface Gradient {
  readonly x: string;
  readonly dy: string;
  readonly dw: string;
  /** The step whose `convolution` has framed x. */
  readonly kept: string;
}

/** A gradient that counts only where y > 0, if y has a name, and its sums [N] over all outputs. */
interface Masked {
  readonly y?: string;
  readonly dsum: string;
}

/** dw [kh, kw, C, N] of dy [batch, H', W', N], which may be overwritten if it is masked. */
export function weightGradient(
  { batch, shape, frame }: Convolved,
  { x, dy, dw, kept }: Gradient,
  s: StepBuilder,
  masked?: Masked,
): void {
  const { outputs, kernel, C, filters: N } = shape;
  const relu = masked?.y !== undefined;
  const dsum = masked && s.gather("dsum_parts", N);
  const given = { ...masked, dy, ...(dsum && { dsum }) };
  if (hasPairs(shape)) {
    const source = s.scratch("planes_again", [batch, ...planesShape(shape)]);
    s.each(planes(shape), { columns: `${kept}.columns`, planes: source }, late);
    const pairs = s.scratch("pairs", [batch, ...pairsShape(shape)]);
    const parts = s.gather("dfactors_parts", factorsSize(shape));
    const kernel = winogradWeights(shape, { relu, sums: dsum !== undefined });
    s.each(kernel, { ...given, planes: source, pairs, du: parts });
    const du = s.scratch("dfactors", [factorsSize(shape)]);
    s.sum(parts, du);
    s.add(weightsOfFactors(shape), { du, dw });
  } else {
    const mask = maskedGradient({ pixels: outputs[0] * outputs[1], N }, { relu });
    if (dsum !== undefined) s.each(mask, { ...given, masked: dy });
    const parts = s.gather("dweight", product(kernel) * C * N);
    const framed = frame === undefined ? x : `${kept}.framed`;
    s.each(convolveWeights(shape), { x: framed, dy, dw: parts });
    s.sum(parts, dw);
  }
  if (masked !== undefined && dsum !== undefined) s.sum(dsum, masked.dsum);
}
