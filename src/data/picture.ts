/**
 * Any picture file as pixels of 8 bits: what a file is, is decided by its first bytes.
 *
 * PNG, JPEG, WebP, GIF (first frame) and TIFF (first page) by sharp, loaded on first use; BMP and
 * PGM/PPM here. SVG and other formats that sharp knows are refused: they can name other files.
 */

import { UserError } from "../errors.ts";
import { decodeBmp, isBmp } from "./bmp.ts";
import { type Counts, countsToPixels } from "./counts.ts";
import type { CountRange, Picture } from "./dataset.ts";
import { decodePnm, isPnm } from "./pnm.ts";

/** Decoded pictures above this are refused: no sensor this is for gives more. */
const MAX_PIXELS = 64e6;

const TIME_LIMIT_S = 60;

/**
 * Decode a picture: upright, without alpha, 8 bits a channel.
 *
 * range    of a grey sensor's counts, see counts.ts; by default all that the file can hold
 * returns  1 channel where the file is grey, else 3
 * throws   UserError if it cannot be read, is larger than 64 million pixels, or does not fit a range
 */
export async function decodePicture(
  bytes: Uint8Array,
  name: string,
  { range }: { range?: CountRange } = {},
): Promise<Picture> {
  return countsToPixels(await decodeCounts(bytes, name), { name, ...(range && { range }) });
}

async function decodeCounts(bytes: Uint8Array, name: string): Promise<Counts> {
  if (bytes.length === 0) throw new UserError(`${name} is an empty file`);
  if (isBmp(bytes)) return decodeBmp(bytes, name);
  if (isPnm(bytes)) return decodePnm(bytes, name);
  if (!isForSharp(bytes)) {
    throw new UserError(
      `${name} is not a readable picture: PNG, JPEG, WebP, GIF, TIFF, BMP, PGM and PPM are read`,
    );
  }
  try {
    return await decodeBySharp(bytes);
  } catch (error) {
    throw new UserError(`${name} is not a readable picture: ${reason(error)}`);
  }
}

const SIGNATURES: readonly (readonly number[])[] = [
  [0x89, 0x50, 0x4e, 0x47],
  [0xff, 0xd8, 0xff],
  [0x47, 0x49, 0x46, 0x38],
  [0x49, 0x49, 0x2a, 0], // TIFF, little-endian
  [0x4d, 0x4d, 0, 0x2a], // TIFF, big-endian
  [0x52, 0x49, 0x46, 0x46, -1, -1, -1, -1, 0x57, 0x45, 0x42, 0x50], // RIFF....WEBP
];

function isForSharp(bytes: Uint8Array): boolean {
  return SIGNATURES.some((signature) =>
    signature.every((byte, i) => byte < 0 || bytes[i] === byte),
  );
}

async function decodeBySharp(bytes: Uint8Array): Promise<Counts> {
  const { default: sharp } = await import("sharp");
  const image = sharp(bytes, { limitInputPixels: MAX_PIXELS }).timeout({ seconds: TIME_LIMIT_S });
  const form = pngForm(bytes) ?? formOf(await image.metadata());
  const { data, info } = await image
    .autoOrient()
    .removeAlpha()
    .toColourspace(SPACES[form])
    .raw({ depth: DEPTHS[form] })
    .toBuffer({ resolveWithObject: true });
  const { height, width, channels } = info;
  if (channels !== 1 && channels !== 3) throw new Error(`${channels} channels, 1 or 3 are read`);
  const size = { height, width, channels } as const;
  const copy = new Uint8Array(data); // at an offset of its own, so wider views are aligned
  if (form === "grey16") return { values: new Uint16Array(copy.buffer), ...size, limit: 2 ** 16 };
  if (form === "float") return { values: new Float32Array(copy.buffer), ...size };
  return { values: copy, ...size, limit: 2 ** 8 };
}

type Form = "grey" | "grey16" | "float" | "colour";

const SPACES = { grey: "b-w", grey16: "grey16", float: "b-w", colour: "srgb" } as const;
const DEPTHS = { grey: "uchar", grey16: "ushort", float: "float", colour: "uchar" } as const;

function formOf({
  space,
  depth,
  channels,
}: {
  space?: string;
  depth?: string;
  channels?: number;
}): Form {
  if ((depth === "float" || depth === "double") && (channels ?? 1) <= 2) return "float";
  if (space === "grey16") return "grey16";
  return space === "b-w" ? "grey" : "colour";
}

/** Of a PNG, from its header (a third faster than asking sharp); undefined if it is none. */
function pngForm(bytes: Uint8Array): Form | undefined {
  if (bytes.length < 26 || bytes[0] !== 0x89) return undefined;
  const colourType = bytes[25]; // PNG specification 11.2.2: 0 grey, 4 grey and alpha
  if (colourType !== 0 && colourType !== 4) return "colour";
  return bytes[24] === 16 ? "grey16" : "grey";
}

/**
 * Encode a picture as PNG with fixed options: equal pixels give equal bytes with the same sharp.
 */
export async function encodePng(picture: Picture): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  const { pixels, height, width, channels } = picture;
  return sharp(pixels, { raw: { height, width, channels } })
    .toColourspace(channels === 1 ? "b-w" : "srgb")
    .png({ compressionLevel: 6, adaptiveFiltering: false, palette: false })
    .toBuffer();
}

/** First line of a decoder's message. */
function reason(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0];
}
