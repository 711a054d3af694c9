/** Two outputs from four products equal the convolution written out, forward and by the weights. */

import { expect, test } from "vitest";
import { interpret } from "../../kernel/index.ts";
import { random } from "../random.ts";
import type { Convolution } from "./convolve.ts";
import { pad } from "./window.ts";
import {
  FACTORS,
  hasPairs,
  partialShape,
  planes,
  planesShape,
  weightFactors,
  winograd,
} from "./winograd.ts";
import { pairsShape, weightsOfFactors, winogradWeights } from "./winograd-gradient.ts";

const size = (shape: readonly number[]): number => shape.reduce((a, c) => a * c, 1);

function convolutionOf(
  [H, W, C]: readonly number[],
  kh: number,
  filters: number,
): Convolution & { before: [number, number] } {
  const [height, width] = [H + kh - 1, W + 2];
  const window = { kernel: [kh, 3], stride: [1, 1], outputs: [H, W] } as const;
  return { height, width, C, ...window, filters, before: [kh >> 1, 1] };
}

/** Visits every product of the convolution of an image inside zeros: indices of x, w and y. */
function overProducts(
  [H, W, C]: readonly number[],
  { kernel: [kh, kw], filters: N, before }: ReturnType<typeof convolutionOf>,
  visit: (x: number, w: number, y: number) => void,
): void {
  for (let p = 0; p < H * W; p++) {
    for (let t = 0; t < kh * kw; t++) {
      const row = Math.floor(p / W) + Math.floor(t / kw) - before[0];
      const column = (p % W) + (t % kw) - before[1];
      if (row < 0 || row >= H || column < 0 || column >= W) continue;
      for (let c = 0; c < C; c++) {
        for (let n = 0; n < N; n++) {
          visit((row * W + column) * C + c, (t * C + c) * N + n, p * N + n);
        }
      }
    }
  }
}

const CASES = [
  { image: [8, 8, 3], kh: 3, filters: 64 },
  { image: [5, 10, 3], kh: 3, filters: 32 },
  { image: [3, 14, 4], kh: 2, filters: 5 },
  { image: [4, 8, 9], kh: 1, filters: 12 },
];

test.each(CASES)("of $image, $kh rows, $filters filters", ({ image, kh, filters }) => {
  const shape = convolutionOf(image, kh, filters);
  expect(hasPairs(shape)).toBe(true);
  const [H, W, C] = image;
  const source = random(`${image}/${kh}/${filters}`);
  const drawn = (count: number) => Float32Array.from({ length: count }, () => source.normal());
  const [x, w, bias] = [size(image), kh * 3 * C * filters, filters].map(drawn);
  const [activation, dy] = [drawn(H * W * filters), drawn(H * W * filters)];
  const turned = new Float32Array(shape.width * shape.height * C).fill(7); // left by others
  const v = new Float32Array(size(planesShape(shape)));
  const padded = [shape.height, shape.width] as const;
  const frame = { shape: image, padded, before: shape.before, dilation: [1, 1] } as const;
  interpret(pad(frame, { byColumns: true }), { x, y: turned });
  interpret(planes(shape), { columns: turned, planes: v });

  const u = new Float32Array(FACTORS * kh * C * filters);
  const partial = new Float32Array(size(partialShape(shape)));
  const y = new Float32Array(H * W * filters);
  interpret(weightFactors(shape), { w, u });
  interpret(winograd(shape, { bias: true, relu: true }), { planes: v, u, bias, partial, y });
  const wanted = Float64Array.from(y, (_, i) => bias[i % filters]);
  overProducts(image, shape, (i, j, k) => {
    wanted[k] += x[i] * w[j];
  });
  y.forEach((value, i) => {
    expect(Math.abs(value - Math.max(0, wanted[i])), `y ${i}`).toBeLessThan(5e-5);
  });

  const pairs = new Float32Array(size(pairsShape(shape)));
  const du = new Float32Array(u.length);
  const dsum = new Float32Array(filters).fill(1);
  const dw = new Float32Array(w.length);
  const gradient = winogradWeights(shape, { relu: true, sums: true });
  interpret(gradient, { planes: v, y: activation, dy, pairs, du, dsum });
  interpret(weightsOfFactors(shape), { du, dw });
  const masked = dy.map((value, i) => (activation[i] > 0 ? value : 0));
  const [sums, slopes] = [new Float64Array(filters).fill(1), new Float64Array(w.length)];
  masked.forEach((value, i) => {
    sums[i % filters] += value;
  });
  overProducts(image, shape, (i, j, k) => {
    slopes[j] += x[i] * masked[k];
  });
  dsum.forEach((value, n) => {
    expect(Math.abs(value - sums[n]), `dsum ${n}`).toBeLessThan(5e-5);
  });
  dw.forEach((value, i) => {
    expect(Math.abs(value - slopes[i]), `dw ${i}`).toBeLessThan(1e-4);
  });
});

test("strides, other widths, odd or narrow outputs and few channels are convolved directly", () => {
  const shape = convolutionOf([8, 8, 3], 3, 16);
  expect(hasPairs(shape)).toBe(true);
  expect(hasPairs({ ...shape, stride: [1, 2] })).toBe(false);
  expect(hasPairs({ ...shape, stride: [2, 1] })).toBe(false);
  expect(hasPairs({ ...shape, kernel: [3, 5] })).toBe(false);
  expect(hasPairs({ ...shape, outputs: [8, 9] })).toBe(false);
  expect(hasPairs({ ...shape, outputs: [8, 6] })).toBe(false);
  expect(hasPairs({ ...shape, C: 1 })).toBe(false);
});
