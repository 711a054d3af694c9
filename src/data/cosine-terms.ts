/**
 * The low frequencies of a grid's cosine transform, weighted and scaled to length 1 (equation 4).
 *
 * Terms are in the order of u + v and then of u, so that fewer frequencies are the first terms.
 */

/** Cells of a side. */
export const GRID = 24;
const HALF = GRID / 2;
/** Highest u + v. */
export const HIGHEST = 12;

/** Of half a row: the other half is the same for even terms, and turned around for odd ones. */
const COSINES: Float64Array = Float64Array.from({ length: (HIGHEST + 1) * HALF }, (_, i) =>
  Math.cos((Math.PI * Math.floor(i / HALF) * ((i % HALF) + 0.5)) / GRID),
);

/** How many terms have 0 < u + v <= highest. */
export function countTerms(highest: number): number {
  return ((highest + 1) * (highest + 2)) / 2 - 1;
}

/**
 * Terms of every GRID x GRID window of a grid of side x side cells, at the offsets 0, step, 2 step...
 *
 * returns  for each offset down, for each to the right
 */
export function windowTerms(
  cells: Float64Array,
  { side, step, highest }: { side: number; step: number; highest: number },
): Float32Array[] {
  const offsets = Math.floor((side - GRID) / step) + 1;
  const [line, halves] = [new Float64Array(GRID), new Float64Array(GRID)];
  const rows = new Float64Array(offsets * (highest + 1) * side);
  for (let y = 0; y < side; y++) {
    for (let right = 0; right < offsets; right++) {
      for (let x = 0; x < GRID; x++) line[x] = cells[y * side + right * step + x];
      fold(line, halves);
      for (let v = 0; v <= highest; v++) {
        rows[(right * (highest + 1) + v) * side + y] = cosineSum(halves, v);
      }
    }
  }
  return Array.from({ length: offsets * offsets }, (_, i) => {
    const [down, right] = [Math.floor(i / offsets), i % offsets];
    return alongColumns(rows, { side, highest, first: down * step, column: right * (highest + 1) });
  });
}

function alongColumns(
  rows: Float64Array,
  options: { side: number; highest: number; first: number; column: number },
): Float32Array {
  const { side, highest, first, column } = options;
  const [line, halves] = [new Float64Array(GRID), new Float64Array(GRID)];
  const terms = new Float32Array(countTerms(highest));
  let square = 0;
  for (let v = 0; v <= highest; v++) {
    for (let y = 0; y < GRID; y++) line[y] = rows[(column + v) * side + first + y];
    fold(line, halves);
    for (let u = v === 0 ? 1 : 0; u + v <= highest; u++) {
      const i = ((u + v) * (u + v + 1)) / 2 - 1 + u;
      terms[i] = cosineSum(halves, u) * Math.sqrt(u * u + v * v);
      square += terms[i] * terms[i];
    }
  }
  const length = Math.sqrt(square) || 1;
  for (let i = 0; i < terms.length; i++) terms[i] /= length;
  return terms;
}

/** Sums of what lies opposite in `line`, then differences, into `halves`. */
function fold(line: Float64Array, halves: Float64Array): void {
  for (let x = 0; x < HALF; x++) {
    halves[x] = line[x] + line[GRID - 1 - x];
    halves[HALF + x] = line[x] - line[GRID - 1 - x];
  }
}

function cosineSum(halves: Float64Array, frequency: number): number {
  const from = frequency % 2 === 0 ? 0 : HALF;
  let sum = 0;
  for (let x = 0; x < HALF; x++) sum += halves[from + x] * COSINES[frequency * HALF + x];
  return sum;
}
