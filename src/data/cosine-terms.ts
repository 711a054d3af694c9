/**
 * The low frequencies of a grid's cosine transform (DCT-II, orthonormal), in grey levels.
 *
 *   F[u, v] = c_u c_v sum_yx g[y, x] cos(pi u (y + 1/2) / 24) cos(pi v (x + 1/2) / 24)             (4)
 *
 * for 0 < u + v <= 12, c_0 = sqrt(1/24), else sqrt(2/24): distances between terms are distances
 * between smoothed grids. Terms are in the order of u + v and then of u, so that fewer frequencies are
 * the first terms.
 */

/** Cells of a side. */
export const GRID = 24;
const HALF = GRID / 2;
/** Highest u + v. */
const HIGHEST = 12;

/** Of half a row: the other half is the same for even terms, and turned around for odd ones. */
const COSINES: Float64Array = Float64Array.from({ length: (HIGHEST + 1) * HALF }, (_, i) => {
  const frequency = Math.floor(i / HALF);
  const scale = Math.sqrt((frequency === 0 ? 1 : 2) / GRID);
  return scale * Math.cos((Math.PI * frequency * ((i % HALF) + 0.5)) / GRID);
});

/** How many terms have 0 < u + v <= highest. */
export function countTerms(highest: number = HIGHEST): number {
  return ((highest + 1) * (highest + 2)) / 2 - 1;
}

/** Terms of GRID x GRID cells. */
export function cosineTerms(cells: Float64Array): Float32Array {
  const terms = new Float32Array(countTerms());
  const halves = new Float64Array(GRID);
  const rows = new Float64Array((HIGHEST + 1) * GRID);
  for (let y = 0; y < GRID; y++) {
    fold(cells, y * GRID, halves);
    for (let v = 0; v <= HIGHEST; v++) rows[v * GRID + y] = cosineSum(halves, v);
  }
  for (let v = 0; v <= HIGHEST; v++) {
    fold(rows, v * GRID, halves);
    for (let u = v === 0 ? 1 : 0; u + v <= HIGHEST; u++) {
      terms[((u + v) * (u + v + 1)) / 2 - 1 + u] = cosineSum(halves, u);
    }
  }
  return terms;
}

/** Sums of what lies opposite in the line of GRID cells from `start`, then differences, into `halves`. */
function fold(cells: Float64Array, start: number, halves: Float64Array): void {
  for (let x = 0; x < HALF; x++) {
    const [left, right] = [cells[start + x], cells[start + GRID - 1 - x]];
    halves[x] = left + right;
    halves[HALF + x] = left - right;
  }
}

/** In four sums side by side, none of which waits for another. */
function cosineSum(halves: Float64Array, frequency: number): number {
  const from = frequency % 2 === 0 ? 0 : HALF;
  const row = frequency * HALF;
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let x = 0; x < HALF; x += 4) {
    a += halves[from + x] * COSINES[row + x];
    b += halves[from + x + 1] * COSINES[row + x + 1];
    c += halves[from + x + 2] * COSINES[row + x + 2];
    d += halves[from + x + 3] * COSINES[row + x + 3];
  }
  return a + b + (c + d);
}
