/**
 * PGM and PPM pictures, which thermal cameras and scripts write: text (P2, P3) and binary (P5, P6),
 * up to 16 bits.
 *
 * The header is width, height and the largest value, separated by white space and comments; two
 * bytes a value, high byte first, where that is above 255.
 *
 * Source: netpbm.sourceforge.net/doc/pgm.html and ppm.html.
 */

import { UserError } from "../errors.ts";
import type { Counts } from "./counts.ts";

/** Longest number of a header or of text, in digits. */
const MAX_DIGITS = 9;

/** Whether a file says that it is a PGM or PPM. */
export function isPnm(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && /[2356]/.test(String.fromCharCode(bytes[1] ?? 0));
}

/**
 * Decode a PGM or PPM file.
 *
 * returns  the counts of the file as they are, below its largest value + 1
 * throws   UserError if a number is malformed or too large, or the file is truncated
 */
export function decodePnm(bytes: Uint8Array, name: string): Counts {
  const kind = bytes[1] - 0x30;
  const channels = kind === 3 || kind === 6 ? 3 : 1;
  const numbers = numberReader(bytes, name);
  const [width, height, most] = [numbers.next(), numbers.next(), numbers.next()];
  if (width === 0 || height === 0 || most === 0 || most > 65535) {
    throw new UserError(`${name} claims ${height} x ${width} pixels up to ${most}`);
  }
  const count = height * width * channels;
  const isText = kind < 4;
  const bytesEach = isText || most > 255 ? 2 : 1; // text: a digit and a space at least
  const rest = bytes.length - numbers.at() - 1;
  if (count * bytesEach > rest + (isText ? 1 : 0)) {
    throw new UserError(`${name} is truncated: ${count} values do not fit in ${rest} bytes`);
  }
  const values = most > 255 ? new Uint16Array(count) : new Uint8Array(count);
  if (isText) for (let i = 0; i < count; i++) values[i] = bounded(numbers.next(), most, name);
  else {
    const view = new DataView(bytes.buffer, bytes.byteOffset + numbers.at() + 1, rest);
    for (let i = 0; i < count; i++) {
      values[i] = bounded(most > 255 ? view.getUint16(2 * i) : view.getUint8(i), most, name);
    }
  }
  return { values, height, width, channels, limit: most + 1 };
}

function bounded(value: number, most: number, name: string): number {
  if (value <= most) return value;
  throw new UserError(`${name} holds ${value}, above the ${most} of its header`);
}

/** Whole numbers one after another, white space and comments (# to the end of the line) skipped. */
function numberReader(bytes: Uint8Array, name: string): { next(): number; at(): number } {
  let at = 2;
  const isSpace = () => bytes[at] === 0x20 || (bytes[at] >= 9 && bytes[at] <= 13);
  const skip = () => {
    while (isSpace() || bytes[at] === 0x23) {
      if (bytes[at] === 0x23) while (at < bytes.length && bytes[at] !== 10) at++;
      else at++;
    }
  };
  return {
    at: () => at,
    next() {
      skip();
      const start = at;
      let value = 0;
      while (bytes[at] >= 0x30 && bytes[at] <= 0x39) value = 10 * value + bytes[at++] - 0x30;
      if (at > start && at - start <= MAX_DIGITS) return value;
      const what = at >= bytes.length ? "is truncated" : `has no number at byte ${start}`;
      throw new UserError(`${name} ${what}, where its form wants one`);
    },
  };
}
