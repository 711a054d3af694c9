/**
 * ADPCM in WAV: IMA (format 17) and Microsoft (format 2), 4 bits a sample.
 *
 * Sound comes in blocks that can be decoded alone: a header with the first samples and the step of
 * each channel, then one nibble a sample that says by how many steps the prediction was wrong.
 *
 * Sources: IMA Digital Audio Focus and Technical Working Groups, "Recommended Practices for
 * Enhancing Digital Audio Compatibility" (1992); Microsoft, "Multimedia Data Standards Update"
 * (1994), Microsoft ADPCM.
 */

import { UserError } from "../errors.ts";

export interface AdpcmFormat {
  readonly coding: "ima" | "ms";
  readonly channels: number;
  readonly sampleRateHz: number;
  readonly blockBytes: number;
  /** Microsoft: pairs of prediction coefficients in units of 1/256. */
  readonly coefficients: readonly (readonly [number, number])[];
}

/** IMA: the step grows by about 10 % a row. */
const IMA_STEPS: readonly number[] = [
  ...[7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66],
  ...[73, 80, 88, 97, 107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408],
  ...[449, 494, 544, 598, 658, 724, 796, 876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066],
  ...[2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630],
  ...[9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794],
  32767,
];
const IMA_INDEX_CHANGE: readonly number[] = [-1, -1, -1, -1, 2, 4, 6, 8];

/** Microsoft: the step after a nibble, in units of 1/256 of the step before. */
const MS_STEP_CHANGE: readonly number[] = [
  ...[230, 230, 230, 230, 307, 409, 512, 614, 768, 614, 512, 409, 307, 230, 230, 230],
];
const MS_LEAST_STEP = 16;
/** No nibble sequence of real sound comes near; it keeps forged ones finite. */
const MS_MOST_STEP = 2 ** 21;

/** Header of one channel's share of a block: first samples and state of the predictor. */
const HEADER_BYTES = { ima: 4, ms: 7 } as const;
const HEADER_SAMPLES = { ima: 1, ms: 2 } as const;

/**
 * Read the ADPCM part of a "fmt " chunk.
 *
 * at, size  of the chunk's body, inside the view
 * throws    UserError if no block of it could be decoded
 */
export function adpcmFormat(
  view: DataView,
  { at, size, coding, name }: { at: number; size: number; coding: "ima" | "ms"; name: string },
): AdpcmFormat {
  const channels = view.getUint16(at + 2, true);
  const blockBytes = view.getUint16(at + 12, true);
  const bits = view.getUint16(at + 14, true);
  if (bits !== 4) throw new UserError(`${name} is ADPCM of ${bits} bits; 4 are read`);
  if (blockBytes < HEADER_BYTES[coding] * channels) {
    const blocks = `blocks of ${blockBytes} bytes for ${channels} channels`;
    throw new UserError(`${name} claims ${blocks}: not even their headers fit`);
  }
  const count = coding === "ms" && size >= 22 ? view.getUint16(at + 20, true) : 0;
  if (coding === "ms" && (count === 0 || size < 22 + 4 * count)) {
    throw new UserError(`${name} is Microsoft ADPCM without its ${count} pairs of coefficients`);
  }
  const coefficients = Array.from({ length: count }, (_, i): [number, number] => [
    view.getInt16(at + 22 + 4 * i, true),
    view.getInt16(at + 24 + 4 * i, true),
  ]);
  return { coding, channels, sampleRateHz: view.getUint32(at + 4, true), blockBytes, coefficients };
}

/** Samples of each channel in so many bytes of blocks; the last block may be short. */
export function adpcmFrames({ coding, channels, blockBytes }: AdpcmFormat, bytes: number): number {
  const inBlock = (size: number) => {
    const body = size - HEADER_BYTES[coding] * channels;
    if (body < 0) return 0;
    // IMA interleaves channels by groups of 8 samples, Microsoft by single nibbles.
    const samples =
      coding === "ima" ? 8 * Math.floor(body / (4 * channels)) : (2 * body) / channels;
    return HEADER_SAMPLES[coding] + Math.floor(samples);
  };
  return Math.floor(bytes / blockBytes) * inBlock(blockBytes) + inBlock(bytes % blockBytes);
}

/**
 * Decode blocks of ADPCM.
 *
 * view    the sound's bytes alone
 * into    one array a channel, of `adpcmFrames` samples; written, in [-1, 1]
 * throws  UserError if a block asks for coefficients that the file does not have
 */
export function decodeAdpcm(
  view: DataView,
  { format, into, name }: { format: AdpcmFormat; into: readonly Float32Array[]; name: string },
): void {
  let first = 0;
  for (let at = 0; at < view.byteLength; at += format.blockBytes) {
    const size = Math.min(format.blockBytes, view.byteLength - at);
    const frames = adpcmFrames(format, size);
    const block = new DataView(view.buffer, view.byteOffset + at, size);
    for (let c = 0; c < format.channels && frames > 0; c++) {
      const out = into[c].subarray(first, first + frames);
      if (format.coding === "ima") imaChannel(block, { c, channels: format.channels, out });
      else msChannel(block, { c, format, out, name });
    }
    first += frames;
  }
}

function imaChannel(
  block: DataView,
  { c, channels, out }: { c: number; channels: number; out: Float32Array },
): void {
  let value = block.getInt16(4 * c, true);
  let index = Math.min(88, block.getUint8(4 * c + 2));
  out[0] = value / 2 ** 15;
  for (let i = 1; i < out.length; i++) {
    const n = i - 1;
    const byte = block.getUint8(4 * channels * (1 + (n >> 3)) + 4 * c + ((n & 7) >> 1));
    const nibble = n & 1 ? byte >> 4 : byte & 15;
    // One product, as ffmpeg and its encoder; the recommendation's sum of truncated parts of the
    // step is up to 3 units of 2^-15 less.
    const change = ((2 * (nibble & 7) + 1) * IMA_STEPS[index]) >> 3;
    value = clamp16(nibble & 8 ? value - change : value + change);
    index = Math.max(0, Math.min(88, index + IMA_INDEX_CHANGE[nibble & 7]));
    out[i] = value / 2 ** 15;
  }
}

function msChannel(
  block: DataView,
  { c, format, out, name }: { c: number; format: AdpcmFormat; out: Float32Array; name: string },
): void {
  const { channels, coefficients } = format;
  const predictor = block.getUint8(c);
  if (predictor >= coefficients.length) {
    throw new UserError(`${name} asks for coefficients ${predictor} of ${coefficients.length}`);
  }
  const [a, b] = coefficients[predictor];
  let step = block.getInt16(channels + 2 * c, true);
  let last = block.getInt16(3 * channels + 2 * c, true);
  let before = block.getInt16(5 * channels + 2 * c, true);
  out[0] = before / 2 ** 15;
  out[1] = last / 2 ** 15;
  for (let i = 2; i < out.length; i++) {
    const n = (i - 2) * channels + c;
    const byte = block.getUint8(7 * channels + (n >> 1));
    const nibble = n & 1 ? byte & 15 : byte >> 4;
    const signed = nibble < 8 ? nibble : nibble - 16;
    const value = clamp16(Math.trunc((last * a + before * b) / 256) + signed * step);
    step = Math.max(MS_LEAST_STEP, Math.floor((MS_STEP_CHANGE[nibble] * step) / 256));
    step = Math.min(step, MS_MOST_STEP);
    before = last;
    last = value;
    out[i] = value / 2 ** 15;
  }
}

const clamp16 = (value: number) => Math.max(-32768, Math.min(32767, value));
