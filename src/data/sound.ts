/**
 * Any sound file as samples: what a file is, is decided by its first bytes, never by its name.
 *
 * WAV is read here; FLAC, MP3, Ogg Vorbis and Opus by libmpg123, libFLAC, libvorbis and libopus
 * compiled to WebAssembly, loaded on first use; what is left (AAC, WebM, AIFF) by ffmpeg where it is
 * installed. Lengths are gapless: encoder delay and padding are cut where the file tells them (LAME
 * header, Ogg granule positions), so a sound is as long as it was before it was encoded.
 *
 * A compressed file can hold far more sound than it has bytes, so there is a limit, known before it
 * is decoded (FLAC) or kept piece by piece. What a decoder skips over is an error, not silence.
 *
 * Sources: RFC 9639 (FLAC), RFC 3533 (Ogg), RFC 7845 (Opus), ISO/IEC 11172-3 (MP3), id3.org.
 */

import { UserError } from "../errors.ts";
import { convertToWav, type FfmpegFormat } from "./ffmpeg.ts";
import { bareFlac, mostFlacSamples } from "./flac.ts";
import { assertFinite, decodeWav, type Sound } from "./wav.ts";

/** Samples of all channels together, 1 GiB as floats: 93 minutes of stereo at 24 kHz. */
const MAX_SAMPLES = 2 ** 28;

/** Bytes given to a decoder at once; the worst Opus makes 100 MB of stereo of them. */
const PIECE_BYTES = 4096;

type Compressed = "FLAC" | "MP3" | "Ogg Vorbis" | "Ogg Opus";

type Container =
  | { readonly kind: "wav" }
  | { readonly kind: Compressed; readonly start: number }
  | { readonly kind: "ffmpeg"; readonly format: FfmpegFormat; readonly what: string };

/**
 * Decode a sound file of any format that is read.
 *
 * bytes       the whole file
 * name        what errors call it
 * maxSamples  of all channels together, where it is compressed
 * returns     every channel, at the file's rate; at least one sample
 * throws      UserError if it is of no known format, damaged, truncated, empty, longer than
 *             maxSamples, or needs ffmpeg where there is none
 */
export async function decodeSound(
  bytes: Uint8Array,
  name: string,
  { maxSamples = MAX_SAMPLES }: { maxSamples?: number } = {},
): Promise<Sound> {
  const container = soundContainer(bytes);
  if (container === undefined) {
    if (bytes.length === 0) throw new UserError(`${name} is an empty file`);
    throw new UserError(`${name} is no sound file: WAV, FLAC, MP3, Ogg Vorbis and Opus are read`);
  }
  switch (container.kind) {
    case "wav":
      return decodeWav(bytes, name);
    case "ffmpeg": {
      const { format, what } = container;
      const limitBytes = 4 * maxSamples;
      return decodeWav(await convertToWav(bytes, { format, what, name, limitBytes }), name);
    }
    default:
      return decodeCompressed(bytes.subarray(container.start), {
        ...{ kind: container.kind, name, maxSamples },
      });
  }
}

/** What a file is, by its first bytes. */
function soundContainer(bytes: Uint8Array): Container | undefined {
  const start = id3Bytes(bytes);
  const is = (text: string, at = start) => hasText(bytes, at, text);
  if (is("RIFF") || is("RF64") || is("BW64") || is("RIFX")) return { kind: "wav" };
  if (is("fLaC")) return { kind: "FLAC", start };
  if (is("OggS")) return oggContainer(bytes, start);
  if (is("ftyp", 4)) return { kind: "ffmpeg", format: "mov", what: "AAC or another codec in MP4" };
  if (is("\x1aE\xdf\xa3", 0)) return { kind: "ffmpeg", format: "matroska", what: "WebM" };
  if (is("FORM", 0)) return { kind: "ffmpeg", format: "aiff", what: "AIFF" };
  if (bytes[start] !== 0xff) return undefined;
  const second = bytes[start + 1];
  if ((second & 0xf6) === 0xf0) return { kind: "ffmpeg", format: "aac", what: "AAC" };
  // MPEG audio: 11 bits of sync, layer 3, no reserved version
  const isLayer3 = (second & 0xe6) === 0xe2 && (second & 0x18) !== 0x08;
  return isLayer3 ? { kind: "MP3", start } : undefined;
}

function oggContainer(bytes: Uint8Array, start: number): Container | undefined {
  const packet = start + 27 + (bytes[start + 26] ?? 0);
  if (hasText(bytes, packet, "\x01vorbis")) return { kind: "Ogg Vorbis", start };
  if (hasText(bytes, packet, "OpusHead")) return { kind: "Ogg Opus", start };
  return hasText(bytes, packet, "\x7fFLAC") ? { kind: "FLAC", start } : undefined;
}

function hasText(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** Size of the ID3v2 tags before the sound; 0 where there is none. */
function id3Bytes(bytes: Uint8Array): number {
  let at = 0;
  while (hasText(bytes, at, "ID3") && at + 10 <= bytes.length) {
    const size = bytes.subarray(at + 6, at + 10).reduce((sum, byte) => sum * 128 + (byte & 127), 0);
    at += 10 + size + (bytes[at + 5] & 0x10 ? 10 : 0);
  }
  return at;
}

/** What the four decoders have in common. */
interface Decoder {
  decode(piece: Uint8Array): Decoded;
  flush?(): Decoded;
  free(): void;
}

interface Decoded {
  readonly channelData: readonly Float32Array[];
  readonly sampleRate: number;
  readonly errors?: readonly { readonly message: string }[];
}

async function openDecoder(kind: Compressed): Promise<Decoder> {
  switch (kind) {
    case "FLAC":
      return (await import("@audio/decode-flac")).decoder();
    case "MP3":
      return (await import("@audio/decode-mp3")).decoder();
    case "Ogg Vorbis":
      return (await import("@audio/decode-vorbis")).decoder();
    case "Ogg Opus":
      return (await import("@audio/decode-opus")).decoder();
    default:
      throw kind satisfies never;
  }
}

async function decodeCompressed(
  bytes: Uint8Array,
  options: { kind: Compressed; name: string; maxSamples: number },
): Promise<Sound> {
  const { kind, name, maxSamples } = options;
  const isOgg = hasText(bytes, 0, "OggS");
  const isBareFlac = kind === "FLAC" && !isOgg;
  const stream = isBareFlac ? bareFlac(bytes, name) : { bytes, frames: 0 };
  if (isBareFlac && mostFlacSamples(stream.bytes) > maxSamples) throw tooLong(name, maxSamples);
  const most = isOgg ? oggLength(bytes, options) : Number.POSITIVE_INFINITY;
  if (kind === "MP3") assertAnnouncedBytes(bytes, name);
  const decoder = await openDecoder(kind);
  try {
    // This decoder loses FLAC frames whose headers lie across two pieces: all of it at once.
    const pieceBytes = isBareFlac ? stream.bytes.length : PIECE_BYTES;
    const sound = collect(pieces(stream.bytes, { decoder, pieceBytes }), options);
    const { length } = sound.channels[0];
    if (stream.frames > length) {
      throw new UserError(
        `${name} is truncated: ${stream.frames} samples announced, ${length} there`,
      );
    }
    const channels = sound.channels.map((channel) => channel.subarray(0, most));
    return { ...sound, channels };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw damaged(name, kind, error instanceof Error ? error.message : String(error));
  } finally {
    decoder.free();
  }
}

function* pieces(
  bytes: Uint8Array,
  { decoder, pieceBytes }: { decoder: Decoder; pieceBytes: number },
): Iterable<Decoded> {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    yield decoder.decode(bytes.subarray(at, at + pieceBytes));
  }
  if (decoder.flush !== undefined) yield decoder.flush();
}

/** Join what a decoder gave piece by piece. */
function collect(
  decoded: Iterable<Decoded>,
  { kind, name, maxSamples }: { kind: Compressed; name: string; maxSamples: number },
): Sound {
  const parts: Float32Array[][] = [];
  let sampleRateHz = 0;
  let length = 0;
  for (const { channelData, sampleRate, errors = [] } of decoded) {
    if (errors.length > 0) throw damaged(name, kind, errors[0].message);
    if ((channelData[0]?.length ?? 0) === 0) continue;
    if (parts.length === 0) sampleRateHz = sampleRate;
    else if (channelData.length !== parts[0].length || sampleRate !== sampleRateHz) {
      throw new UserError(`${name} changes its rate or channels on the way; one of each is read`);
    }
    length += channelData[0].length;
    if (length * channelData.length > maxSamples) {
      throw tooLong(name, maxSamples);
    }
    parts.push([...channelData]);
  }
  if (length === 0) throw new UserError(`${name} holds no sound: nothing in it can be decoded`);
  const channels = parts[0].map((_, c) => {
    const channel = new Float32Array(length);
    let at = 0;
    for (const part of parts) {
      channel.set(part[c], at);
      at += part[c].length;
    }
    assertFinite(channel, name);
    return channel;
  });
  return { channels, sampleRateHz };
}

function tooLong(name: string, maxSamples: number): UserError {
  return new UserError(`${name} holds more than ${maxSamples} samples; cut it into parts`);
}

function damaged(name: string, kind: Compressed, reason: string): UserError {
  return new UserError(`${name} is damaged or no ${kind}: ${reason.split("\n")[0]}`);
}

/**
 * Samples of each channel that an Ogg file holds at most, by its last page's position; a stream that
 * was cut has no page that says it is the last.
 */
function oggLength(bytes: Uint8Array, { kind, name }: { kind: Compressed; name: string }): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const preSkip = kind === "Ogg Opus" ? view.getUint16(27 + bytes[26] + 10, true) : 0;
  let streams = 0;
  for (let at = 0; at + 27 <= bytes.length && hasText(bytes, at, "OggS"); ) {
    const flags = bytes[at + 5];
    const table = bytes.subarray(at + 27, at + 27 + bytes[at + 26]);
    const next = table.reduce((sum, segment) => sum + segment, at + 27 + table.length);
    if ((flags & 2) !== 0) streams++;
    if (next === bytes.length && (flags & 4) !== 0) {
      const position = Number(view.getBigInt64(at + 6, true));
      return streams === 1 && position > preSkip ? position - preSkip : Number.POSITIVE_INFINITY;
    }
    at = next;
  }
  throw new UserError(`${name} is truncated or damaged: its Ogg pages do not lead to a last one`);
}

/** The first frame of most MP3 files says how many bytes there are (Xing or Info header). */
function assertAnnouncedBytes(bytes: Uint8Array, name: string): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 4; at < 48 && at + 16 <= bytes.length; at++) {
    if (!hasText(bytes, at, "Xing") && !hasText(bytes, at, "Info")) continue;
    const flags = view.getUint32(at + 4);
    const announced = flags & 2 ? view.getUint32(at + (flags & 1 ? 12 : 8)) : 0;
    if (announced <= bytes.length) return;
    const counts = `${announced} bytes announced, ${bytes.length} there`;
    throw new UserError(`${name} is truncated: ${counts}`);
  }
}
