/** The Gram matrix from sums by lag equals that of the patches written out. */

import { expect, test } from "vitest";
import { interpret } from "../../kernel/index.ts";
import { random } from "../random.ts";
import { gramOfLags, hasLags, lagFrame, lagShape, lagSums } from "./lag-sums.ts";
import { axesOf, type Pair, pad } from "./window.ts";

/** x' x of all patches, a one behind each, in double precision. */
function expected(x: Float32Array, [H, W, C]: readonly number[], [kh, kw]: Pair): number[][] {
  const window = { kernel: [kh, kw], stride: [1, 1], padding: "same" } as const;
  const [rows, columns] = axesOf([H, W, C], window);
  const K = kh * kw * C;
  const gram = Array.from({ length: K + 1 }, () => new Array<number>(K + 1).fill(0));
  for (let oy = 0; oy < H; oy++) {
    for (let ox = 0; ox < W; ox++) {
      const patch = Array.from({ length: K }, (_, k) => {
        const y = oy + Math.floor(k / (kw * C)) - rows.before;
        const column = ox + (Math.floor(k / C) % kw) - columns.before;
        const isInside = y >= 0 && y < H && column >= 0 && column < W;
        return isInside ? x[(y * W + column) * C + (k % C)] : 0;
      });
      patch.push(1);
      for (let l = 0; l <= K; l++) for (let k = 0; k <= K; k++) gram[l][k] += patch[l] * patch[k];
    }
  }
  return gram;
}

test.each([
  { shape: [7, 9, 3], kernel: [3, 3] },
  { shape: [6, 5, 1], kernel: [5, 3] },
  { shape: [5, 8, 2], kernel: [4, 2] },
  { shape: [4, 6, 2], kernel: [1, 3] },
  { shape: [6, 4, 3], kernel: [3, 1] },
  { shape: [2, 3, 1], kernel: [5, 5] },
] as const)("of $shape under $kernel", ({ shape, kernel }) => {
  const window = { kernel, stride: [1, 1], padding: "same" } as const;
  expect(hasLags(shape, window)).toBe(true);
  const size = (of: readonly number[]): number => of.reduce((a, c) => a * c, 1);
  const source = random(`${shape}/${kernel}`);
  const x = Float32Array.from({ length: size(shape) }, () => source.normal());
  const frame = lagFrame(shape, window);
  const framed = new Float32Array(size([...frame.padded, shape[2]]));
  const sums = new Float32Array(size(lagShape(shape, window)));
  const K = size([...kernel, shape[2]]);
  const gram = new Float32Array((K + 1) ** 2);
  interpret(pad(frame), { x, y: framed });
  interpret(lagSums(shape, window), { x: framed, sums });
  interpret(gramOfLags(shape, window, K + 1), { sums, gram });
  const wanted = expected(x, shape, kernel);
  for (let l = 0; l <= K; l++) {
    for (let k = 0; k <= Math.min(l, K - 1); k++) {
      expect(Math.abs(gram[l * (K + 1) + k] - wanted[l][k]), `${l}, ${k}`).toBeLessThan(1e-4);
    }
  }
});

test("windows with a stride or without padding have no lags in common", () => {
  const [kernel, padding] = [[3, 3], "same"] as const;
  expect(hasLags([8, 8, 1], { kernel, stride: [2, 2], padding })).toBe(false);
  expect(hasLags([8, 8, 1], { kernel, stride: [1, 1], padding: "valid" })).toBe(false);
});
