/**
 * WAV files: reading every common one, writing one.
 *
 * Read: RIFF and RF64/BW64 containers; PCM of 8, 16, 24 and 32 bits, floats of 32 and 64 bits,
 * A-law, mu-law, IMA and Microsoft ADPCM, plain or EXTENSIBLE; any number of channels; odd chunks,
 * trailing junk, and files written to a pipe, whose data size is 0 or 0xFFFFFFFF. Written: 16-bit
 * mono, 44-byte header.
 *
 * Sources: Microsoft/IBM "Multimedia Programming Interface" (1991); EBU Tech 3306 (RF64); ITU-T
 * G.711.
 */

import { UserError } from "../errors.ts";
import { type AdpcmFormat, adpcmFrames, decodeAdpcm } from "./wav-adpcm.ts";
import { type LinearFormat, sampleFormat } from "./wav-format.ts";

/**
 * Sizes at or above this are what writers put when they do not know: 0xFFFFFFFF, 0x7FFFF000, ...
 */
const UNKNOWN_SIZE = 0x7ffff000;

const HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;

/** Decoded sound, all its channels. */
export interface Sound {
  /** One array a channel, equally long; full scale is [-1, 1]. */
  readonly channels: readonly Float32Array[];
  readonly sampleRateHz: number;
}

/**
 * Decode a WAV file.
 *
 * bytes    the whole file
 * name     what errors call it
 * returns  one array a channel, in [-1, 1] (floats as stored); at least one sample
 * throws   UserError if it is not a WAV, is truncated, is empty, holds NaN or infinity, or is
 *          compressed otherwise than by ADPCM
 */
export function decodeWav(bytes: Uint8Array, name: string): Sound {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { format, data, frames: announced } = findChunks(view, name);
  const held =
    format.coding === "linear"
      ? Math.floor(data.size / (format.channels * format.bytes))
      : adpcmFrames(format, data.size);
  // ADPCM fills its last block up; the "fact" chunk says where the sound ends.
  const frames = format.coding === "linear" || announced === 0 ? held : Math.min(held, announced);
  if (frames === 0) throw new UserError(`${name} holds no sound: its length is zero`);
  const channels = Array.from({ length: format.channels }, () => new Float32Array(held));
  if (format.coding === "linear")
    readLinear(view, { format, at: data.offset, into: channels, name });
  else {
    const blocks = new DataView(bytes.buffer, bytes.byteOffset + data.offset, data.size);
    decodeAdpcm(blocks, { format, into: channels, name });
  }
  return {
    channels: channels.map((channel) => channel.subarray(0, frames)),
    sampleRateHz: format.sampleRateHz,
  };
}

function readLinear(
  view: DataView,
  {
    format,
    at,
    into,
    name,
  }: {
    format: LinearFormat;
    at: number;
    into: readonly Float32Array[];
    name: string;
  },
): void {
  const frameBytes = format.channels * format.bytes;
  for (const [c, channel] of into.entries()) {
    let offset = at + c * format.bytes;
    for (let i = 0; i < channel.length; i++, offset += frameBytes) {
      channel[i] = format.read(view, offset);
    }
    if (format.isFloat) assertFinite(channel, name);
  }
}

/** Refuse NaN and infinity: a net learns nothing from them, and they spread. */
export function assertFinite(channel: Float32Array, name: string): void {
  const bad = channel.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  throw new UserError(`${name} holds ${channel[bad]} at sample ${bad}; sound must be finite`);
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
export function mixToMono({ channels }: Sound): Float32Array {
  if (channels.length === 1) return channels[0];
  const mono = new Float32Array(channels[0].length);
  for (const channel of channels) for (let i = 0; i < mono.length; i++) mono[i] += channel[i];
  for (let i = 0; i < mono.length; i++) mono[i] /= channels.length;
  return mono;
}

interface Chunks {
  readonly format: LinearFormat | AdpcmFormat;
  readonly data: { readonly offset: number; readonly size: number };
  /** Samples of each channel as the "fact" chunk has it; 0 where there is none. */
  readonly frames: number;
}

/** Walk the chunks up to the sound; what comes after it is not read. */
function findChunks(view: DataView, name: string): Chunks {
  const container = fourLetters(view, 0);
  const known = container === "RIFF" || container === "RF64" || container === "BW64";
  if (!known || fourLetters(view, 8) !== "WAVE") throw notWav(view, name);
  let format: Chunks["format"] | undefined;
  let frames = 0;
  let longSize = 0; // RF64: the data size, 64 bits, from the ds64 chunk
  let at = HEADER_BYTES;
  while (at + CHUNK_HEADER_BYTES <= view.byteLength) {
    const id = fourLetters(view, at);
    const size = view.getUint32(at + 4, true);
    const body = at + CHUNK_HEADER_BYTES;
    if (id === "data") {
      if (format === undefined) throw new UserError(`${name} has sound before its format ("fmt ")`);
      const data = { offset: body, size: dataSize(view, { body, size, longSize, name }) };
      return { format, data, frames };
    }
    if (body + size > view.byteLength) throw truncated(name, `its "${id}" chunk`);
    if (id === "fmt ") format = sampleFormat(view, { offset: body, size, name });
    if (id === "fact" && size >= 4) frames = view.getUint32(body, true);
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
