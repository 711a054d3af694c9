/**
 * WAV files: reading every common one, writing one.
 *
 * Read: RIFF and RF64/BW64 containers; PCM of 8, 16, 24 and 32 bits, floats of 32 and 64 bits,
 * A-law and mu-law, plain or EXTENSIBLE; any number of channels; odd chunks, trailing junk, and
 * files written to a pipe, whose data size is 0 or 0xFFFFFFFF. ADPCM is refused by name. Written:
 * 16-bit mono, 44-byte header.
 *
 * Sources: Microsoft/IBM "Multimedia Programming Interface" (1991); EBU Tech 3306 (RF64); ITU-T
 * G.711.
 */

import { UserError } from "../errors.ts";
import { type SampleFormat, sampleFormat } from "./wav-format.ts";

/**
 * Sizes at or above this are what writers put when they do not know: 0xFFFFFFFF, 0x7FFFF000, ...
 */
const UNKNOWN_SIZE = 0x7ffff000;

const HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;

export interface Wav {
  readonly channels: Float32Array[];
  readonly sampleRateHz: number;
}

/**
 * Decode a WAV file.
 *
 * bytes    the whole file
 * name     what errors call it
 * returns  one array a channel, in [-1, 1] (floats as stored); at least one sample
 * throws   UserError if it is not a WAV, is truncated, is empty, holds NaN or infinity, or is
 *          compressed
 */
export function decodeWav(bytes: Uint8Array, name: string): Wav {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { format, data } = findChunks(view, name);
  const frameBytes = format.channels * format.bytes;
  const frames = Math.floor(data.size / frameBytes);
  if (frames === 0) throw new UserError(`${name} holds no sound: its length is zero`);
  const channels = Array.from({ length: format.channels }, () => new Float32Array(frames));
  for (let c = 0; c < format.channels; c++) {
    const channel = channels[c];
    let offset = data.offset + c * format.bytes;
    for (let i = 0; i < frames; i++, offset += frameBytes) channel[i] = format.read(view, offset);
    const bad = format.isFloat ? channel.findIndex((value) => !Number.isFinite(value)) : -1;
    if (bad >= 0) {
      throw new UserError(`${name} holds ${channel[bad]} at sample ${bad}; sound must be finite`);
    }
  }
  return { channels, sampleRateHz: format.sampleRateHz };
}

/**
 * Encode one channel as a 16-bit PCM WAV.
 *
 * samples       in [-1, 1]; clipped outside, 1/32768 a step, rounded to nearest
 * sampleRateHz  positive integer
 */
export function encodeWav(samples: Float32Array, sampleRateHz: number): Uint8Array {
  const dataBytes = samples.length * 2;
  const bytes = new Uint8Array(44 + dataBytes);
  const view = new DataView(bytes.buffer);
  const text = (offset: number, value: string) => {
    for (let i = 0; i < 4; i++) bytes[offset + i] = value.charCodeAt(i);
  };
  text(0, "RIFF");
  view.setUint32(4, 36 + dataBytes, true);
  text(8, "WAVE");
  text(12, "fmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, sampleRateHz, true);
  view.setUint32(28, sampleRateHz * 2, true);
  view.setUint16(32, 2, true); // bytes a frame
  view.setUint16(34, 16, true); // bits a sample
  text(36, "data");
  view.setUint32(40, dataBytes, true);
  for (let i = 0; i < samples.length; i++) {
    const value = Math.max(-32768, Math.min(32767, Math.round(samples[i] * 32768)));
    view.setInt16(44 + 2 * i, value, true);
  }
  return bytes;
}

/** Mean of the channels. */
export function mixToMono({ channels }: Wav): Float32Array {
  if (channels.length === 1) return channels[0];
  const mono = new Float32Array(channels[0].length);
  for (const channel of channels) for (let i = 0; i < mono.length; i++) mono[i] += channel[i];
  for (let i = 0; i < mono.length; i++) mono[i] /= channels.length;
  return mono;
}

interface Chunks {
  readonly format: SampleFormat;
  readonly data: { readonly offset: number; readonly size: number };
}

/** Walk the chunks up to the sound; what comes after it is not read. */
function findChunks(view: DataView, name: string): Chunks {
  const container = fourLetters(view, 0);
  const known = container === "RIFF" || container === "RF64" || container === "BW64";
  if (!known || fourLetters(view, 8) !== "WAVE") throw notWav(view, name);
  let format: SampleFormat | undefined;
  let longSize = 0; // RF64: the data size, 64 bits, from the ds64 chunk
  let at = HEADER_BYTES;
  while (at + CHUNK_HEADER_BYTES <= view.byteLength) {
    const id = fourLetters(view, at);
    const size = view.getUint32(at + 4, true);
    const body = at + CHUNK_HEADER_BYTES;
    if (id === "data") {
      if (format === undefined) throw new UserError(`${name} has sound before its format ("fmt ")`);
      return {
        format,
        data: { offset: body, size: dataSize(view, { body, size, longSize, name }) },
      };
    }
    if (body + size > view.byteLength) throw truncated(name, `its "${id}" chunk`);
    if (id === "fmt ") format = sampleFormat(view, { offset: body, size, name });
    if (id === "ds64" && size >= 16) longSize = Number(view.getBigUint64(body + 8, true));
    at = body + size + (size % 2); // chunks are padded to even sizes
  }
  throw truncated(name, 'it has no "data" chunk');
}

function dataSize(
  view: DataView,
  { body, size, longSize, name }: { body: number; size: number; longSize: number; name: string },
): number {
  const rest = view.byteLength - body;
  if (size === 0xffffffff && longSize > 0) {
    if (longSize > rest)
      throw truncated(name, `${longSize} bytes of sound announced, ${rest} there`);
    return longSize;
  }
  if (size <= rest && size > 0) return size;
  if (size === 0) return isChunkChain(view, body) ? 0 : rest; // empty, or written to a pipe
  if (size >= UNKNOWN_SIZE) return rest;
  throw truncated(name, `${size} bytes of sound announced, ${rest} there`);
}

/** Whether the bytes from here to the end are nothing but well-formed chunks. */
function isChunkChain(view: DataView, start: number): boolean {
  let at = start;
  while (at + CHUNK_HEADER_BYTES <= view.byteLength) {
    if (!/^[ -~]{4}$/.test(fourLetters(view, at))) return false;
    const size = view.getUint32(at + 4, true);
    at += CHUNK_HEADER_BYTES + size + (size % 2);
  }
  return at === view.byteLength || at === view.byteLength + 1;
}

function fourLetters(view: DataView, offset: number): string {
  if (offset + 4 > view.byteLength) return "";
  let text = "";
  for (let i = 0; i < 4; i++) text += String.fromCharCode(view.getUint8(offset + i));
  return text;
}

function notWav(view: DataView, name: string): UserError {
  if (view.byteLength === 0) return new UserError(`${name} is an empty file`);
  if (view.byteLength < HEADER_BYTES) return truncated(name, "not even a WAV header fits");
  const hint = fourLetters(view, 0) === "RIFX" ? " (big-endian RIFX is not read)" : "";
  return new UserError(`${name} is not a WAV file: it must begin with RIFF....WAVE${hint}`);
}

function truncated(name: string, detail: string): UserError {
  return new UserError(`${name} is truncated: ${detail}`);
}
