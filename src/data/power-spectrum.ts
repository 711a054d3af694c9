/**
 * The power spectrum of real frames in double precision, for the audit's fingerprints.
 *
 * A frame of N samples is N/2 complex points z[n] = x[2n] + i x[2n+1], transformed in place by
 * radix 4 and split into the bins of the real transform. Source: Press et al., "Numerical Recipes",
 * section 12.3. The front-end of nets has its own, in integers: features/fft.ts.
 */

/** Writes |X[k]|^2, k = 0..N/2 - 1, into `power`; `frame` (N values) is used up. */
export type PowerSpectrum = (frame: Float64Array, power: Float64Array) => void;

/** A transform of N points, N a power of two and at least 4; its tables are made once. */
export function powerSpectrum(N: number): PowerSpectrum {
  const M = N / 2;
  const cosine = Float64Array.from({ length: M }, (_, k) => Math.cos((2 * Math.PI * k) / N));
  const sine = Float64Array.from({ length: M }, (_, k) => -Math.sin((2 * Math.PI * k) / N));
  const reversed = bitReversed(M);
  const re = new Float64Array(M);
  const im = new Float64Array(M);
  return (frame, power) => {
    for (let n = 0; n < M; n++) {
      re[reversed[n]] = frame[2 * n];
      im[reversed[n]] = frame[2 * n + 1];
    }
    butterflies(re, im, { cosine, sine });
    power[0] = (re[0] + im[0]) ** 2;
    for (let k = 1; k < M; k++) {
      const evenRe = (re[k] + re[M - k]) / 2;
      const evenIm = (im[k] - im[M - k]) / 2;
      const oddRe = (im[k] + im[M - k]) / 2;
      const oddIm = (re[M - k] - re[k]) / 2;
      const xRe = evenRe + cosine[k] * oddRe - sine[k] * oddIm;
      const xIm = evenIm + cosine[k] * oddIm + sine[k] * oddRe;
      power[k] = xRe * xRe + xIm * xIm;
    }
  };
}

/**
 * Decimation in time, two stages at once; of an odd number the first by itself. The tables turn by
 * 1/N with N twice the points, so strides are even.
 */
function butterflies(
  re: Float64Array,
  im: Float64Array,
  tables: { cosine: Float64Array; sine: Float64Array },
): void {
  const M = re.length;
  const isOdd = Math.log2(M) % 2 === 1;
  if (isOdd) pairs(re, im);
  for (let half = isOdd ? 2 : 1; half < M; half *= 4) fours(re, im, { half, ...tables });
}

/** The first stage: sums and differences of neighbours. */
function pairs(re: Float64Array, im: Float64Array): void {
  for (let a = 0; a < re.length; a += 2) {
    const bRe = re[a + 1];
    const bIm = im[a + 1];
    re[a + 1] = re[a] - bRe;
    im[a + 1] = im[a] - bIm;
    re[a] += bRe;
    im[a] += bIm;
  }
}

/** The stages that join `half` points and twice as many. */
function fours(
  re: Float64Array,
  im: Float64Array,
  { half, cosine, sine }: { half: number; cosine: Float64Array; sine: Float64Array },
): void {
  const M = re.length;
  const stride = M / half;
  for (let first = 0; first < M; first += 4 * half) {
    for (let k = 0; k < half; k++) {
      const c1 = cosine[k * stride];
      const s1 = sine[k * stride];
      const c2 = cosine[(k * stride) / 2];
      const s2 = sine[(k * stride) / 2];
      const a = first + k;
      const b = a + half;
      const c = b + half;
      const d = c + half;
      const bRe = c1 * re[b] - s1 * im[b];
      const bIm = c1 * im[b] + s1 * re[b];
      const dRe = c1 * re[d] - s1 * im[d];
      const dIm = c1 * im[d] + s1 * re[d];
      const sumRe = re[c] + dRe;
      const sumIm = im[c] + dIm;
      const lessRe = re[c] - dRe;
      const lessIm = im[c] - dIm;
      const cRe = c2 * sumRe - s2 * sumIm;
      const cIm = c2 * sumIm + s2 * sumRe;
      // a quarter of a turn further: times -i
      const eRe = s2 * lessRe + c2 * lessIm;
      const eIm = s2 * lessIm - c2 * lessRe;
      const upRe = re[a] + bRe;
      const upIm = im[a] + bIm;
      const downRe = re[a] - bRe;
      const downIm = im[a] - bIm;
      re[a] = upRe + cRe;
      im[a] = upIm + cIm;
      re[c] = upRe - cRe;
      im[c] = upIm - cIm;
      re[b] = downRe + eRe;
      im[b] = downIm + eIm;
      re[d] = downRe - eRe;
      im[d] = downIm - eIm;
    }
  }
}

function bitReversed(M: number): Uint32Array {
  const reversed = new Uint32Array(M);
  for (let n = 1; n < M; n++) reversed[n] = (reversed[n >> 1] >> 1) | (n & 1 ? M >> 1 : 0);
  return reversed;
}
