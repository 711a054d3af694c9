/**
 * Files from anywhere: each parser gets damaged forms of real files (cut, bits flipped, lengths that
 * lie, pieces repeated) and may answer with a result or a UserError, nothing else. FUZZ=20 in the
 * environment tries 20 times as many.
 */

import { readFile } from "node:fs/promises";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { UserError } from "../errors.ts";
import { type Random, random } from "../tensor/index.ts";
import { readManifest } from "./manifest.ts";
import { decodePicture } from "./picture.ts";
import { collectProblems } from "./problems.ts";
import { decodeSeries } from "./series.ts";
import { decodeSound } from "./sound.ts";
import { parseTable } from "./table.ts";
import { encodeWav } from "./wav.ts";

const text = (value: string) => new TextEncoder().encode(value);
const golden = async (name: string) =>
  new Uint8Array(await readFile(new URL(`golden/${name}`, import.meta.url)));

/** Values that lengths, counts and rates are tried with. */
const LIES = [0, 1, 0xff, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

const FUZZ = Number(process.env.FUZZ ?? 1);

/** One damaged form of a file. */
function damage(whole: Uint8Array, generator: Random): Uint8Array {
  const bytes = whole.slice();
  const view = new DataView(bytes.buffer);
  // Headers decide most; every other damage is near the beginning.
  const reach = generator.integer(2) === 0 ? Math.min(bytes.length, 64) : bytes.length;
  switch (generator.integer(5)) {
    case 0:
      return bytes.subarray(0, generator.integer(bytes.length));
    case 1:
      for (let i = generator.integer(8); i >= 0; i--) {
        bytes[generator.integer(reach)] ^= 1 << generator.integer(8);
      }
      return bytes;
    case 2:
    case 3: {
      const value = LIES[generator.integer(LIES.length)];
      const at = generator.integer(Math.max(1, Math.min(reach, bytes.length - 4)));
      if (at + 4 <= bytes.length) view.setUint32(at, value, generator.integer(2) === 0);
      return bytes;
    }
    default: {
      const [from, to] = [generator.integer(bytes.length), generator.integer(bytes.length)];
      const piece = whole.subarray(Math.min(from, to), Math.max(from, to));
      return new Uint8Array([...whole.subarray(0, to), ...piece, ...whole.subarray(to)]);
    }
  }
}

/** Parse many damaged forms; returns how many still gave a result. */
async function survive(
  whole: Uint8Array,
  { times, seed, parse }: { times: number; seed: string; parse: (bytes: Uint8Array) => unknown },
): Promise<number> {
  const generator = random(seed);
  let read = 0;
  for (let i = 0; i < times * FUZZ; i++) {
    const bytes = damage(whole, generator);
    try {
      await parse(bytes);
      read++;
    } catch (error) {
      if (error instanceof UserError) continue;
      throw new Error(`${seed}: form ${i}, ${bytes.length} bytes`, { cause: error });
    }
  }
  return read;
}

describe("sound", () => {
  const hear = (bytes: Uint8Array) => decodeSound(bytes, "x");

  test.each([
    ["tone.flac", 80],
    ["tone.mp3", 80],
    ["tone.ogg", 80],
    ["tone.opus", 80],
  ])("%s", async (name, times) => {
    const whole = await golden(name);
    expect(await survive(whole, { times, seed: name, parse: hear })).toBeLessThan(times * FUZZ);
  });

  test("WAV and ADPCM", async () => {
    const { files } = JSON.parse(
      await readFile(new URL("golden/adpcm.json", import.meta.url), "utf8"),
    );
    const plain = encodeWav(new Float32Array(200).fill(0.1), 8000);
    const forms = [plain, ...Object.values<{ wav: string }>(files).map(({ wav }) => bytesOf(wav))];
    for (const [i, whole] of forms.entries()) {
      await survive(whole, { times: 400, seed: `wav ${i}`, parse: hear });
    }
  });

  test("a FLAC of silence cannot fill the memory, though a byte of it holds 10,000 samples", async () => {
    const bytes = silentFlac(300);
    expect(bytes.length).toBeLessThan(8000);
    const heard = decodeSound(bytes, "x", { maxSamples: 2 ** 25 });
    await expect(heard).rejects.toThrow("x holds more than 33554432 samples; cut it into parts");
  });
});

const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, "base64"));

describe("pictures", () => {
  const see = (bytes: Uint8Array) => decodePicture(bytes, "x");
  const generator = random("picture");
  const pixels = Uint8Array.from({ length: 16 * 16 * 3 }, () => generator.integer(256));
  const image = () => sharp(pixels, { raw: { width: 16, height: 16, channels: 3 } });

  test.each([
    ["PNG", () => image().png().toBuffer()],
    ["JPEG", () => image().jpeg().toBuffer()],
    ["WebP", () => image().webp().toBuffer()],
    ["GIF", () => image().gif().toBuffer()],
    ["TIFF", () => image().tiff({ compression: "lzw" }).toBuffer()],
  ])("%s", async (name, encode) => {
    const whole = new Uint8Array(await encode());
    expect(await survive(whole, { times: 60, seed: name, parse: see })).toBeLessThan(60 * FUZZ);
  });

  test("BMP, PGM and PPM", async () => {
    const bmp = new Uint8Array(54 + 1024 + 16);
    const view = new DataView(bmp.buffer);
    bmp.set(text("BM"));
    for (const [at, value] of [
      ...[
        [10, 1078],
        [14, 40],
        [18, 4],
        [22, 4],
        [26, 1],
        [28, 8],
      ],
    ]) {
      view.setUint16(at, value, true);
    }
    const pgm = new Uint8Array([...text("P5 4 4 65535\n"), ...new Uint8Array(32)]);
    for (const [name, whole] of [
      ["bmp", bmp],
      ["pgm", pgm],
      ["ppm", text("P3\n2 2\n255\n1 2 3 4 5 6 7 8 9 10 11 12\n")],
    ] as const) {
      await survive(whole, { times: 1000, seed: name, parse: see });
    }
  });
});

describe("tables", () => {
  test("NPY", async () => {
    const head = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }".padEnd(117);
    const whole = new Uint8Array([
      ...[0x93, ...text("NUMPY"), 1, 0, 118, 0, ...text(`${head}\n`), ...new Uint8Array(24)],
    ]);
    const parse = (bytes: Uint8Array) => decodeSeries(bytes, { name: "x", rateHz: 1 });
    await survive(whole, { times: 1500, seed: "npy", parse });
  });

  test("CSV", async () => {
    const whole = text('time_s,a,"b"\n0,1,2\n0.1,1e3,-.5\n0.2,3,"4"\n');
    const parse = (bytes: Uint8Array) => decodeSeries(bytes, { name: "x" });
    await survive(whole, { times: 1000, seed: "csv", parse });
  });

  test("a manifest", async () => {
    const whole = text(
      "id,label,split,group,audio,audio_start_s,image,image_low,image_high,m,m_rate_hz\n" +
        '1,x,train,g,a.wav,0.5,b.png,0,9,c.csv,10\n"2","y, z",,h,a.mp3,,,,,c.npy,\n',
    );
    const parse = (bytes: Uint8Array) =>
      readManifest(parseTable(bytes, "x"), { problems: collectProblems() });
    await survive(whole, { times: 1000, seed: "manifest", parse });
  });
});

/** Frames of 65535 times the value 0 in four channels, 22 bytes each (RFC 9639, section 9). */
function silentFlac(frames: number): Uint8Array {
  const information = new Uint8Array(34);
  information.set([0xff, 0xff, 0xff, 0xff]); // block sizes
  information.set([0x0a, 0xc4, 0x46, 0xf0], 10); // 44100 Hz, 4 channels, 16 bits
  const all = [...text("fLaC"), 0x80, 0, 0, 34, ...information];
  for (let i = 0; i < frames; i++) {
    const number = i < 128 ? [i] : [0xc0 | (i >> 6), 0x80 | (i & 63)];
    const coded = i < 2048 ? number : [0xe0 | (i >> 12), 0x80 | ((i >> 6) & 63), 0x80 | (i & 63)];
    const head = [0xff, 0xf8, 0x79, 0x38, ...coded, 0xff, 0xfe];
    const body = [...head, crc(head, 8), ...Array.from({ length: 4 }, () => [0, 0, 0]).flat()];
    all.push(...body, crc(body, 16) >> 8, crc(body, 16) & 255);
  }
  return Uint8Array.from(all);
}

/** FLAC's checksums: x^8 + x^2 + x + 1 and x^16 + x^15 + x^2 + 1. */
function crc(bytes: readonly number[], bits: 8 | 16): number {
  const polynomial = bits === 8 ? 0x07 : 0x8005;
  let sum = 0;
  for (const byte of bytes) {
    sum ^= byte << (bits - 8);
    for (let i = 0; i < 8; i++)
      sum = (sum << 1) ^ (sum >> (bits - 1) ? (1 << bits) | polynomial : 0);
  }
  return sum;
}
