/** Means over a grid of cells in any window of a picture, in a time that does not grow with the cells. */

/** A square of the picture, stretched to its sides: places and side as parts of height and width. */
export interface View {
  readonly y: number;
  readonly x: number;
  readonly side: number;
}

/** Sums over all rectangles from the corner, one row and column more than the picture. */
export interface Areas {
  readonly sums: Float64Array;
  readonly height: number;
  readonly width: number;
}

export function summedAreas(
  grey: ArrayLike<number>,
  { height, width }: { height: number; width: number },
): Areas {
  const stride = width + 1;
  const sums = new Float64Array((height + 1) * stride);
  for (let y = 0, i = 0; y < height; y++) {
    let row = 0;
    for (let x = 0; x < width; x++, i++) {
      row += grey[i];
      sums[(y + 1) * stride + x + 1] = sums[y * stride + x + 1] + row;
    }
  }
  return { sums, height, width };
}

/** Means over count x count cells of a view, into `means`; parts of pixels count by their area. */
export function cellMeans(
  { sums, height, width }: Areas,
  { view, count }: { view: View; count: number },
  means: Float64Array = new Float64Array(count * count),
): Float64Array {
  const ys = edges(view.y, { side: view.side, size: height, count });
  const xs = edges(view.x, { side: view.side, size: width, count });
  const columns = new Int32Array(count + 1);
  for (let j = 0; j <= count; j++) columns[j] = Math.min(xs[j], width - 1); // rounds down
  const stride = width + 1;
  const scale = 1 / ((view.side / count) ** 2 * height * width);
  let [above, corners] = [new Float64Array(count + 1), new Float64Array(count + 1)];
  for (let i = 0; i <= count; i++) {
    const row = Math.min(Math.floor(ys[i]), height - 1);
    const part = ys[i] - row;
    for (let j = 0; j <= count; j++) {
      const at = row * stride + columns[j];
      const across = xs[j] - columns[j];
      const top = sums[at] + (sums[at + 1] - sums[at]) * across;
      const below = sums[at + stride] + (sums[at + stride + 1] - sums[at + stride]) * across;
      corners[j] = top + (below - top) * part;
      if (i === 0 || j === 0) continue;
      const sum = above[j - 1] - above[j] - corners[j - 1] + corners[j];
      means[(i - 1) * count + j - 1] = sum * scale;
    }
    [above, corners] = [corners, above];
  }
  return means;
}

function edges(
  start: number,
  { side, size, count }: { side: number; size: number; count: number },
): Float64Array {
  const places = new Float64Array(count + 1);
  for (let i = 0; i <= count; i++) {
    places[i] = Math.min(Math.max((start + (side * i) / count) * size, 0), size);
  }
  return places;
}
