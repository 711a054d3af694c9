/**
 * The Gram matrix of the patches of an image [H, W, C] that windows [kh, kw] cover with stride 1 and
 * "same" padding, from sums of products of pixels so far apart.
 *
 * Two taps k <= l of a window see the same two pixels a fixed lag apart, wherever the window is. With
 * x = 0 outside the image, before = the padding before it, o = k - before, and q + lag = q + l - k:
 *
 *     gram[l, k] = sum over p of x[p + l] x[p + k] = sum over q in A(o) of x[q] x[q + lag]           (1)
 *
 * where A(o) is the image without its first rows (o > 0), or its last ones (o < 0), and columns likewise.
 * So it is a sum over all pixels less one over those rows, less one over those columns, and one over
 * where they cross:
 *
 *     gram[l, k] = S(0, 0) - S(oy, 0) - S(0, ox) + S(oy, ox)      without what is 0 times             (2)
 *
 * S has a third of the products that the matrix has.
 */

import {
  build as b,
  type Expr,
  type Kernel,
  type Statement,
  type Variable,
} from "../../kernel/index.ts";
import { type Axis, axesOf, type Frame, type Window } from "./window.ts";

/** Whether (1) holds. */
export function hasLags(shape: readonly number[], window: Window): boolean {
  const isSame = ({ extent, outputs, stride }: Axis): boolean => stride === 1 && extent === outputs;
  return axesOf(shape, window).every(isSame);
}

/**
 * The image inside zeros: a row above, and behind each row as many as the largest lag. What lies before
 * the beginning of a row are the zeros behind the last one.
 */
export function lagFrame(shape: readonly number[], { kernel: [kh, kw] }: Window): Frame {
  const padded = [shape[0] + kh + 1, shape[1] + kw - 1] as const;
  return { shape, padded, before: [1, 0], dilation: [1, 1] };
}

/** Channels of the pixels at all lags of a row, up to whole vectors. */
function lagColumns(C: number, [, kw]: Window["kernel"]): number {
  return 4 * Math.ceil(((2 * kw - 1) * C) / 4);
}

/** Of `sums`: by tap; the lags' rows, and one of plain sums; the channel of q; that of q + lag. */
export function lagShape(shape: readonly number[], { kernel }: Window): readonly number[] {
  const [kh, kw] = kernel;
  return [kh, kw, kh + 1, shape[2], lagColumns(shape[2], kernel)];
}

/** Registers for sums. */
const SUMS = 9;

/** sums += S of the image x in its frame, for every tap. */
export function lagSums(shape: readonly number[], window: Window): Kernel {
  const [H, W, C] = shape;
  const [kh, kw] = window.kernel;
  const [rows, columns] = axesOf(shape, window);
  const { padded } = lagFrame(shape, window);
  const width = lagColumns(C, window.kernel);
  const x = b.buffer("x", "f32", [padded[0] * padded[1] * C]);
  const sums = b.buffer("sums", "f32", lagShape(shape, window));
  const channels = Array.from({ length: C }, (_, c) => c);
  const lags = Array.from({ length: kh }, (_, dy) => dy);
  const at = (y: Expr, dy: number, column: Expr): Expr =>
    b.add(b.mul(b.add(y, dy + 1), padded[1] * C), b.mul(column, C));
  const left = channels.map((c) => b.variable(`left${c}`, "f32"));
  const right = lags.map((dy) => b.variable(`right${dy}`, "f32"));
  const acc = lags.map((dy) => channels.map((c) => b.variable(`acc${dy}_${c}`, "f32")));
  const each = (visit: (sum: Variable, dy: number, c: number) => Statement): Statement[] =>
    acc.flatMap((list, dy) => list.map((sum, c) => visit(sum, dy, c)));
  const plain = b.variable("plain", "f32");
  const ofTap = (ky: Expr, kx: Expr): Statement[] => {
    const [fromY, toY] = leftOut(b.sub(ky, rows.before), H);
    const [fromX, toX] = leftOut(b.sub(kx, columns.before), W);
    const overPixels = (name: string, visit: (y: Expr, column: Expr) => Statement[]): Statement => {
      const inner = (y: Expr) => [b.loop(`${name}x`, toX, (x) => visit(y, x), { from: fromX })];
      return b.loop(`${name}y`, toY, inner, { from: fromY });
    };
    const products = b.lanes(
      "l",
      width,
      (l) => [
        ...each((sum, dy, c) => b.declare(sum, b.load(sums, ky, kx, dy, c, l))),
        overPixels("q", (y, column) => [
          ...left.map((value, c) => b.declare(value, b.load(x, b.add(at(y, 0, column), c)))),
          ...right.map((value, dy) => {
            const first = b.add(at(y, dy, column), -(kw - 1) * C);
            return b.declare(value, b.load(x, b.add(first, l)));
          }),
          ...each((sum, dy, c) => b.set(sum, b.add(sum, b.mul(left[c], right[dy])))),
        ]),
        ...each((sum, dy, c) => b.store(sums, [ky, kx, dy, c, l], sum)),
      ],
      { vectors: Math.max(1, Math.min(Math.floor(SUMS / (kh * C)), width / 4)) },
    );
    const plainSums = b.lanes(
      "m",
      width,
      (m) => [
        b.declare(plain, b.load(sums, ky, kx, kh, 0, m)),
        overPixels("p", (y, column) => [
          b.set(plain, b.add(plain, b.load(x, b.add(at(y, 0, column), b.add(m, -(kw - 1) * C))))),
        ]),
        b.store(sums, [ky, kx, kh, 0, m], plain),
      ],
      { vectors: 4 },
    );
    return [products, plainSums];
  };
  const body = [b.loop("ky", kh, (ky) => [b.loop("kx", kw, (kx) => ofTap(ky, kx))])];
  return b.kernel("lag_sums", [x, sums], body);
}

/**
 * gram [columns, columns] of sums, of which the lower triangle is used: (2) for the kh kw C values of a
 * patch, and as row kh kw C their sums.
 */
export function gramOfLags(shape: readonly number[], window: Window, columns: number): Kernel {
  const C = shape[2];
  const [kh, kw] = window.kernel;
  const [before, beside] = axesOf(shape, window).map((axis) => b.s32(axis.before));
  const sums = b.buffer("sums", "f32", lagShape(shape, window));
  const gram = b.buffer("gram", "f32", [columns, columns]);
  const number = (ky: Expr, kx: Expr, c: Expr): Expr =>
    b.add(b.mul(b.add(b.mul(ky, kw), kx), C), c);
  const seen = ([ky, kx]: readonly [Expr, Expr], lag: readonly [Expr, Expr, Expr]): Expr => {
    const of = (y: Expr, x: Expr): Expr => b.load(sums, y, x, ...lag);
    const [allRows, allColumns] = [b.equal(ky, before), b.equal(kx, beside)];
    const without = (isAll: Expr, value: Expr): Expr => b.select(isAll, b.f32(0), value);
    const crossed = without(allRows, without(allColumns, of(ky, kx)));
    const left = b.add(without(allRows, of(ky, beside)), without(allColumns, of(before, kx)));
    return b.add(b.sub(of(before, beside), left), crossed);
  };
  const body = b.loop("ky", kh, (ky) => [
    b.loop("kx", kw, (kx) => [
      b.loop("c", C, (c) => {
        const column = number(ky, kx, c);
        const plain = [b.s32(kh), b.s32(0), b.add(c, (kw - 1) * C)] as const;
        const row = (ly: Expr, lx: Expr, other: Expr): Statement[] => {
          const lag = b.add(b.mul(b.add(b.sub(lx, kx), kw - 1), C), other);
          const value = seen([ky, kx], [b.sub(ly, ky), c, lag]);
          return [b.store(gram, [number(ly, lx, other), column], value)];
        };
        return [
          b.loop(
            "ly",
            kh,
            (ly) => [b.loop("lx", kw, (lx) => [b.loop("o", C, (o) => row(ly, lx, o))])],
            {
              from: ky,
            },
          ),
          b.store(gram, [b.s32(kh * kw * C), column], seen([ky, kx], plain)),
        ];
      }),
    ]),
  ]);
  return b.kernel("gram_of_lags", [sums, gram], [body]);
}

/** The rows (or columns) that the windows of a tap do not see; all of them if they see every one. */
function leftOut(offset: Expr, extent: number): [Expr, Expr] {
  const isAtEnd = b.less(offset, 0);
  const isAtBegin = b.less(0, offset);
  const from = b.select(isAtEnd, b.max(0, b.add(offset, extent)), b.s32(0));
  return [from, b.select(isAtBegin, b.min(offset, extent), b.s32(extent))];
}
