/**
 * BMP pictures, which sharp does not decode: uncompressed, 8-bit palette, 24 and 32 bits.
 *
 * Rows are padded to four bytes and stored from the bottom up, unless the height is negative; the
 * bytes of a pixel are blue, green, red (and one that is ignored).
 *
 * Source: Microsoft, "Bitmap Storage" (BITMAPFILEHEADER, BITMAPINFOHEADER).
 */

import { UserError } from "../errors.ts";
import type { Counts } from "./counts.ts";

const FILE_HEADER_BYTES = 14;
const INFO_HEADER_BYTES = 40;

/** Whether a file says that it is a BMP. */
export function isBmp(bytes: Uint8Array): boolean {
  return bytes[0] === 0x42 && bytes[1] === 0x4d;
}

/**
 * Decode a BMP file.
 *
 * returns  1 channel where an 8-bit palette is grey, else 3
 * throws   UserError if it is compressed, of another depth, or truncated
 */
export function decodeBmp(bytes: Uint8Array, name: string): Counts {
  if (bytes.length < FILE_HEADER_BYTES + INFO_HEADER_BYTES) {
    throw new UserError(`${name} is truncated: not even a BMP header fits`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const dataAt = view.getUint32(10, true);
  const infoBytes = view.getUint32(14, true);
  const width = view.getInt32(18, true);
  const signedHeight = view.getInt32(22, true);
  const bits = view.getUint16(28, true);
  const compression = view.getUint32(30, true);
  const height = Math.abs(signedHeight);
  const isRead = bits === 8 || bits === 24 || bits === 32;
  if (!isRead || compression !== 0 || infoBytes < INFO_HEADER_BYTES || width <= 0 || height === 0) {
    throw new UserError(`${name} must be an uncompressed BMP of 8, 24 or 32 bits; save it as PNG`);
  }
  const stride = Math.ceil((width * bits) / 32) * 4;
  if (dataAt < FILE_HEADER_BYTES + infoBytes) {
    throw new UserError(`${name} is damaged: its pixels begin in its header, at byte ${dataAt}`);
  }
  if (dataAt + stride * height > bytes.length) {
    throw new UserError(`${name} is truncated: ${height} rows of ${stride} bytes do not fit`);
  }
  const palette = bits === 8 ? bytes.subarray(FILE_HEADER_BYTES + infoBytes, dataAt) : undefined;
  const channels = palette !== undefined && isGrey(palette) ? 1 : 3;
  const pixels = new Uint8Array(height * width * channels);
  for (let y = 0; y < height; y++) {
    const row = dataAt + stride * (signedHeight < 0 ? y : height - 1 - y);
    for (let x = 0; x < width; x++) {
      const at = row + (x * bits) / 8;
      const source = palette ?? bytes;
      const entry = palette === undefined ? at : bytes[at] * 4;
      if (entry + 2 >= source.length) {
        throw new UserError(`${name} is damaged: colour ${bytes[at]} is not in its palette`);
      }
      for (let c = 0; c < channels; c++) {
        pixels[(y * width + x) * channels + c] = source[entry + 2 - c]; // blue first
      }
    }
  }
  return { values: pixels, height, width, channels, limit: 256 };
}

function isGrey(palette: Uint8Array): boolean {
  for (let i = 0; i + 2 < palette.length; i += 4) {
    if (palette[i] !== palette[i + 1] || palette[i] !== palette[i + 2]) return false;
  }
  return true;
}
