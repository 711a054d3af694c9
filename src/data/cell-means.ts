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

/** Means over count x count cells of a view; parts of pixels count by their area. */
export function cellMeans(
  { sums, height, width }: Areas,
  { view, count }: { view: View; count: number },
): Float64Array {
  const ys = edges(view.y, { side: view.side, size: height, count });
  const xs = edges(view.x, { side: view.side, size: width, count });
  const stride = width + 1;
  const across = count + 1;
  const corners = new Float64Array(across * across);
  for (let i = 0; i < across; i++) {
    const row = Math.min(Math.floor(ys[i]), height - 1);
    for (let j = 0; j < across; j++) {
      const column = Math.min(Math.floor(xs[j]), width - 1);
      const at = row * stride + column;
      const part = xs[j] - column;
      const top = sums[at] + (sums[at + 1] - sums[at]) * part;
      const below = sums[at + stride] + (sums[at + stride + 1] - sums[at + stride]) * part;
      corners[i * across + j] = top + (below - top) * (ys[i] - row);
    }
  }
  const area = (view.side / count) ** 2 * height * width;
  const means = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      const at = i * across + j;
      const sum = corners[at] - corners[at + 1] - corners[at + across] + corners[at + across + 1];
      means[i * count + j] = sum / area;
    }
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
