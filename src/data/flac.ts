/**
 * What must be known of a FLAC before it is decoded in one piece: where its tags end, how long it says
 * it is, and how much its frames can hold at most (26 bytes of one are enough for 262,140 samples).
 *
 * Source: RFC 9639, sections 8 (metadata) and 9.1 (frame header).
 */

import { UserError } from "../errors.ts";

const MARKER_BYTES = 4;
const BLOCK_HEADER_BYTES = 4;
const STREAM_INFORMATION_BYTES = 34;

/**
 * A FLAC without pictures and tags, which may be larger than the sound, and the samples of each
 * channel that it announces (0: not known).
 */
export function bareFlac(bytes: Uint8Array, name: string): { bytes: Uint8Array; frames: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = MARKER_BYTES + BLOCK_HEADER_BYTES + STREAM_INFORMATION_BYTES;
  const isSound = bytes.length >= end && (bytes[4] & 127) === 0;
  if (!isSound || view.getUint32(4) % 2 ** 24 !== STREAM_INFORMATION_BYTES) {
    throw new UserError(`${name} is no FLAC: it must begin with 34 bytes of stream information`);
  }
  const frames = (bytes[21] & 15) * 2 ** 32 + view.getUint32(22);
  let at = MARKER_BYTES;
  for (let isLast = false; !isLast; ) {
    if (at + BLOCK_HEADER_BYTES > bytes.length) {
      throw new UserError(`${name} is truncated: it ends in its headers`);
    }
    isLast = bytes[at] >= 128;
    at += BLOCK_HEADER_BYTES + (view.getUint32(at) % 2 ** 24);
  }
  const bare = new Uint8Array(end + Math.max(0, bytes.length - at));
  bare.set(bytes.subarray(0, end));
  bare[MARKER_BYTES] = 128; // stream information, and the last block
  bare.set(bytes.subarray(at), end);
  return { bytes: bare, frames };
}

/** Samples of all channels in everything that looks like a frame: no decoder gives more. */
export function mostFlacSamples(bytes: Uint8Array): number {
  let samples = 0;
  for (let at = bytes.indexOf(0xff); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    samples += frameSamples(bytes, at);
  }
  return samples;
}

/** Samples that a frame header announces; 0 where there is none. */
function frameSamples(bytes: Uint8Array, at: number): number {
  const [, sync, form, layout, number] = bytes.subarray(at, at + 5);
  if ((sync & 0xfe) !== 0xf8 || layout === undefined || number === undefined) return 0;
  const [size, rate, channels] = [form >> 4, form & 15, layout >> 4];
  const numberBytes = number < 0xc0 ? 1 : Math.clz32(~(number << 24));
  const sizeAt = at + 4 + numberBytes;
  const end =
    sizeAt + (size === 6 ? 1 : size === 7 ? 2 : 0) + (rate < 12 ? 0 : rate === 12 ? 1 : 2);
  if (size === 0 || rate === 15 || channels > 10 || bytes[end] !== crc8(bytes.subarray(at, end))) {
    return 0;
  }
  return blockSize(size, bytes[sizeAt], bytes[sizeAt + 1]) * (channels < 8 ? channels + 1 : 2);
}

function blockSize(code: number, high: number, low: number): number {
  if (code === 1) return 192;
  if (code < 6) return 576 << (code - 2);
  if (code === 6) return high + 1;
  return code === 7 ? high * 256 + low + 1 : 256 << (code - 8);
}

/** x^8 + x^2 + x + 1 over a header. */
function crc8(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let i = 0; i < 8; i++) sum = sum & 128 ? ((sum << 1) ^ 7) & 255 : sum << 1;
  }
  return sum;
}
