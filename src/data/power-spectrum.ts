/**
 * The power spectrum of real frames in double precision, for the audit's fingerprints.
 *
 * A frame of N samples is N/2 complex points z[n] = x[2n] + i x[2n+1], transformed in place by
 * radix 2 and split into the bins of the real transform. Source: Press et al., "Numerical Recipes",
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

/** Decimation in time; the tables turn by 1/N with N twice the points, so strides are even. */
function butterflies(
  re: Float64Array,
  im: Float64Array,
  { cosine, sine }: { cosine: Float64Array; sine: Float64Array },
): void {
  const M = re.length;
  for (let half = 1; half < M; half *= 2) {
    const stride = M / half;
    for (let first = 0; first < M; first += 2 * half) {
      for (let k = 0; k < half; k++) {
        const [a, b] = [first + k, first + k + half];
        const c = cosine[k * stride];
        const s = sine[k * stride];
        const tRe = c * re[b] - s * im[b];
        const tIm = c * im[b] + s * re[b];
        re[b] = re[a] - tRe;
        im[b] = im[a] - tIm;
        re[a] += tRe;
        im[a] += tIm;
      }
    }
  }
}

function bitReversed(M: number): Uint32Array {
  const reversed = new Uint32Array(M);
  for (let n = 1; n < M; n++) reversed[n] = (reversed[n >> 1] >> 1) | (n & 1 ? M >> 1 : 0);
  return reversed;
}
