/**
 * The "fmt " chunk of a WAV file: how one stored sample becomes a number.
 *
 * Integers are divided by 2^(bits - 1), so the lowest value is exactly -1.
 */

import { UserError } from "../errors.ts";
import { type AdpcmFormat, adpcmFormat } from "./wav-adpcm.ts";

const PCM = 1;
const MS_ADPCM = 2;
const FLOAT = 3;
const A_LAW = 6;
const MU_LAW = 7;
const IMA_ADPCM = 17;
const EXTENSIBLE = 0xfffe;

/** Names for what is refused; a number alone helps nobody. */
const REFUSED: Readonly<Record<number, string>> = {
  49: "GSM 6.10",
  80: "MPEG",
  85: "MP3",
  255: "AAC",
};

/** Faster than any sensor of sound or ultrasound; resampling takes memory in proportion to it. */
const MAX_RATE_HZ = 10e6;

/** Every sample stands for itself. */
export interface LinearFormat {
  readonly coding: "linear";
  readonly channels: number;
  readonly sampleRateHz: number;
  /** Bytes of one sample of one channel. */
  readonly bytes: number;
  readonly isFloat: boolean;
  /** One sample, in [-1, 1], at a byte offset. */
  read(view: DataView, offset: number): number;
}

/**
 * Read a "fmt " chunk.
 *
 * offset, size  of the chunk's body, inside the view
 * name          what errors call the file
 * throws        UserError for a format that is not read
 */
export function sampleFormat(
  view: DataView,
  { offset, size, name }: { offset: number; size: number; name: string },
): LinearFormat | AdpcmFormat {
  if (size < 16) throw new UserError(`${name} has a format chunk of ${size} bytes; 16 are needed`);
  const plainTag = view.getUint16(offset, true);
  // EXTENSIBLE keeps the real tag in the first two bytes of its sub-format GUID.
  const tag = plainTag === EXTENSIBLE && size >= 26 ? view.getUint16(offset + 24, true) : plainTag;
  const channels = view.getUint16(offset + 2, true);
  const sampleRateHz = view.getUint32(offset + 4, true);
  const frameBytes = view.getUint16(offset + 12, true);
  const bits = view.getUint16(offset + 14, true);
  if (channels === 0 || sampleRateHz === 0 || sampleRateHz > MAX_RATE_HZ) {
    throw new UserError(`${name} claims ${channels} channels at ${sampleRateHz} Hz`);
  }
  if (tag === IMA_ADPCM) return adpcmFormat(view, { at: offset, size, coding: "ima", name });
  if (tag === MS_ADPCM) return adpcmFormat(view, { at: offset, size, coding: "ms", name });
  const read = reader(tag, bits);
  if (read === undefined) {
    const what = REFUSED[tag] ?? `format ${tag} with ${bits} bits`;
    throw new UserError(`${name} is ${what}, which is not supported; convert it to 16-bit PCM`);
  }
  const bytes = Math.ceil(bits / 8);
  if (frameBytes !== channels * bytes) {
    throw new UserError(
      `${name} claims frames of ${frameBytes} bytes for ${channels} x ${bits} bits`,
    );
  }
  return { coding: "linear", channels, sampleRateHz, bytes, isFloat: tag === FLOAT, read };
}

function reader(tag: number, bits: number): LinearFormat["read"] | undefined {
  if (tag === PCM) {
    if (bits === 8) return (view, at) => (view.getUint8(at) - 128) / 128;
    if (bits === 16) return (view, at) => view.getInt16(at, true) / 2 ** 15;
    if (bits === 24) {
      return (view, at) => (view.getUint16(at, true) + view.getInt8(at + 2) * 2 ** 16) / 2 ** 23;
    }
    if (bits === 32) return (view, at) => view.getInt32(at, true) / 2 ** 31;
  }
  if (tag === FLOAT && bits === 32) return (view, at) => view.getFloat32(at, true);
  if (tag === FLOAT && bits === 64) return (view, at) => view.getFloat64(at, true);
  if (tag === A_LAW && bits === 8) return (view, at) => aLaw(view.getUint8(at)) / 2 ** 15;
  if (tag === MU_LAW && bits === 8) return (view, at) => muLaw(view.getUint8(at)) / 2 ** 15;
  return undefined;
}

/** ITU-T G.711 A-law to 16-bit linear. */
function aLaw(byte: number): number {
  const code = byte ^ 0x55;
  const exponent = (code >> 4) & 7;
  const mantissa = ((code & 15) << 4) + 8;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 256) << (exponent - 1);
  return code & 0x80 ? magnitude : -magnitude;
}

/** ITU-T G.711 mu-law to 16-bit linear. */
function muLaw(byte: number): number {
  const code = ~byte & 0xff;
  const magnitude = ((((code & 15) << 3) + 132) << ((code >> 4) & 7)) - 132;
  return code & 0x80 ? -magnitude : magnitude;
}
