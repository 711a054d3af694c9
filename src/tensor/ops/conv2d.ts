/**
 * Convolution with a window, as patches times weights [kh, kw, C, filters]; 1 x 1 needs no patches.
 */

import { mismatch } from "../../errors.ts";
import { columnSums, matmul, matmulTransposed, transpose } from "../kernels/matmul.ts";
import { axesOf, imageToPatches, patchesToImage, type Window } from "../kernels/window.ts";
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
    const s = step(layer);
    const x = patches(layer, site, s);
    const bindings = { x, w: site.parameter("weight"), y: site.y };
    if (layer.bias) {
      s.add(matmul(sizes(layer, site), { bias: true }), {
        ...bindings,
        bias: site.parameter("bias"),
      });
    } else {
      s.add(matmul(sizes(layer, site)), bindings);
    }
    return s;
  },
  backward(layer, site) {
    const s = step(layer);
    const { M, K, N } = sizes(layer, site);
    const { dy } = site;
    const x = isPointwise(layer) ? site.x[0] : `${layer.name}.patches`;
    s.add(matmulTransposed({ M, K, N }), { x, dy, dw: site.gradient("weight") });
    if (layer.bias) s.add(columnSums({ M, N }), { dy, db: site.gradient("bias") });
    const [dx] = site.dx;
    if (dx === undefined) return s;
    const turned = s.scratch("turned", [N, K]);
    s.add(transpose({ M: K, N }), { x: site.parameter("weight"), y: turned });
    if (isPointwise(layer)) {
      s.add(matmul({ M, K: N, N: K }), { x: dy, w: turned, y: dx });
    } else {
      const dpatches = s.scratch("dpatches", [M, K]);
      s.add(matmul({ M, K: N, N: K }), { x: dy, w: turned, y: dpatches });
      const image = { batch: site.batch, shape: site.inputs[0] };
      s.add(patchesToImage(image, layer), { dpatches, dx });
    }
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

function sizes({ kernel }: Conv2d, { batch, inputs, output }: Site) {
  const [H, W, N] = output;
  return { M: batch * H * W, K: kernel[0] * kernel[1] * inputs[0][2], N };
}

function patches(layer: Conv2d, site: Site, s: StepBuilder): string {
  if (isPointwise(layer)) return site.x[0];
  const { M, K } = sizes(layer, site);
  const name = s.scratch("patches", [M, K]);
  const image = { batch: site.batch, shape: site.inputs[0] };
  s.add(imageToPatches(image, layer), { x: site.x[0], patches: name });
  return name;
}
