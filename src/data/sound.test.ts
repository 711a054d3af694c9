import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { needs } from "../../test/capabilities.ts";
import { UserError } from "../errors.ts";
import { bareFlac, mostFlacSamples } from "./flac.ts";
import { decodeSound } from "./sound.ts";
import { encodeWav } from "./wav.ts";

const RATE = 44100;
const LENGTH = 4410;
/** 200 frames of 16 samples and one of 3. */
const NOISE_LENGTH = 3203;

/** What the golden files held before they were encoded (golden/README.md). */
const tones = [
  Float32Array.from({ length: LENGTH }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 440 * i) / RATE)),
  Float32Array.from({ length: LENGTH }, (_, i) => 0.25 * Math.sin((2 * Math.PI * 1000 * i) / RATE)),
];

const golden = async (name: string) =>
  new Uint8Array(await readFile(new URL(`golden/${name}`, import.meta.url)));

/** Signal to noise in dB away from the ends, where codecs have less to go on. */
function snrDb(signal: Float32Array, heard: Float32Array): number {
  let power = 0;
  let noise = 0;
  for (let i = 600; i < signal.length - 600; i++) {
    power += signal[i] ** 2;
    noise += (heard[i] - signal[i]) ** 2;
  }
  return 10 * Math.log10(power / noise);
}

describe("compressed sound", () => {
  // 16-bit rounding alone is 90 dB; the lossy codecs' limits are half of what they reach here.
  test.each([
    ["tone.flac", 85],
    ["tone.mp3", 12],
    ["tone.ogg", 12],
  ])("%s is as long as before encoding, in place, channel by channel", async (name, leastDb) => {
    const { channels, sampleRateHz } = await decodeSound(await golden(name), name);
    expect(sampleRateHz).toBe(RATE);
    expect(channels.map(({ length }) => length)).toEqual([LENGTH, LENGTH]);
    for (const c of [0, 1]) expect(snrDb(tones[c], channels[c])).toBeGreaterThan(leastDb);
  });

  test("Opus is heard at 48 kHz, as long as before in seconds", async () => {
    const { channels, sampleRateHz } = await decodeSound(await golden("tone.opus"), "tone.opus");
    expect(sampleRateHz).toBe(48000);
    expect(channels.map(({ length }) => length)).toEqual([4800, 4800]);
    const ideal = tones.map((_, c) =>
      channels[c].map(
        (_v, i) => (c ? 0.25 : 0.5) * Math.sin((2 * Math.PI * (c ? 1000 : 440) * i) / 48000),
      ),
    );
    for (const c of [0, 1]) expect(snrDb(ideal[c], channels[c])).toBeGreaterThan(10);
  });

  test("the first bytes decide, not the name, and an ID3 tag before them is skipped", async () => {
    const tag = Uint8Array.of(0x49, 0x44, 0x33, 4, 0, 0, 0, 0, 1, 2, ...new Uint8Array(130));
    for (const name of ["tone.flac", "tone.mp3"]) {
      const plain = await golden(name);
      const tagged = new Uint8Array([...tag, ...plain]);
      expect(await decodeSound(tagged, "x.wav")).toEqual(await decodeSound(plain, "x.wav"));
    }
    const wav = encodeWav(Float32Array.of(0.5, -0.5), 8000);
    expect((await decodeSound(wav, "x.mp3")).sampleRateHz).toBe(8000);
  });

  test("pictures and tags in a FLAC are passed over without being copied piece by piece", async () => {
    const flac = await golden("tone.flac");
    const plain = await decodeSound(flac, "x.flac");
    const picture = new Uint8Array(4 + 3e6);
    picture.set([6, 3e6 >> 16, (3e6 >> 8) & 255, 3e6 & 255]);
    const big = new Uint8Array(flac.length + picture.length);
    big.set(flac.subarray(0, 42));
    big.set(picture, 42);
    big.set(flac.subarray(42), 42 + picture.length);
    expect(await decodeSound(big, "x.flac")).toEqual(plain);
  });
});

test("Opus behind a comment of many pages is cut at its end", needs("ffmpeg"), async () => {
  const folder = await mkdtemp(join(tmpdir(), "tinym2net-opus-"));
  try {
    const [comment, opus] = [join(folder, "comment.txt"), join(folder, "long.opus")];
    await writeFile(comment, `;FFMETADATA1\ncomment=${"x".repeat(200e3)}\n`);
    const tone = fileURLToPath(new URL("golden/tone.flac", import.meta.url));
    const inputs = ["-i", tone, "-i", comment, "-map_metadata", "1"];
    await promisify(execFile)("ffmpeg", ["-loglevel", "error", ...inputs, "-c:a", "libopus", opus]);
    const { channels } = await decodeSound(new Uint8Array(await readFile(opus)), "x");
    expect(channels.map(({ length }) => length)).toEqual([4800, 4800]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("an MP3 that does not tell its delay keeps it: whole frames, later by the delay", async () => {
  const mp3 = await golden("tone.mp3");
  const isFrame = (i: number) => mp3[i] === 0xff && (mp3[i + 1] & 0xfe) === 0xfa;
  const first = mp3.findIndex((_, i) => isFrame(i));
  const second = mp3.findIndex((_, i) => i > first + 100 && isFrame(i)); // past the LAME header
  const { channels } = await decodeSound(mp3.subarray(second), "x.mp3");
  expect(channels[0].length).toBeGreaterThan(LENGTH);
  expect(channels[0].length % 1152).toBe(0);
});

test("a FLAC of many frames is whole, and its frames are counted from its bytes", async () => {
  const { bytes } = bareFlac(await golden("noise.flac"), "noise.flac");
  expect(mostFlacSamples(bytes)).toBe(NOISE_LENGTH);
  const { channels } = await decodeSound(bytes, "noise.flac");
  expect(channels.map(({ length }) => length)).toEqual([NOISE_LENGTH]);
});

describe("refusals", () => {
  test.each([
    ["nothing", new Uint8Array(0), "x is an empty file"],
    ["text", new TextEncoder().encode("no sound at all"), "x is no sound file: WAV, FLAC, MP3"],
    ["a picture", Uint8Array.of(0x89, 0x50, 0x4e, 0x47), "x is no sound file"],
  ])("%s is no sound", async (_name, bytes, message) => {
    await expect(decodeSound(bytes, "x")).rejects.toThrow(UserError);
    await expect(decodeSound(bytes, "x")).rejects.toThrow(message);
  });

  test.each(["tone.flac", "tone.mp3", "tone.ogg", "tone.opus"])(
    "%s cut anywhere is refused, not heard shorter",
    async (name) => {
      const whole = await golden(name);
      for (const share of [0.05, 0.3, 0.5, 0.7, 0.9, 0.99]) {
        const cut = decodeSound(whole.subarray(0, Math.floor(share * whole.length)), name);
        await expect(cut).rejects.toThrow(UserError);
      }
    },
  );
});

describe("AAC", () => {
  test("without ffmpeg is refused with the reason and a way out", async () => {
    const path = process.env.PATH;
    process.env.PATH = "/nonexistent";
    try {
      await expect(decodeSound(await golden("tone.m4a"), "a.m4a")).rejects.toThrow(
        "a.m4a is AAC or another codec in MP4, which needs ffmpeg on PATH, and there is none; " +
          "install it, or convert the file to WAV or FLAC",
      );
    } finally {
      process.env.PATH = path;
    }
  });

  test("with ffmpeg is heard, in place and at most a frame longer", needs("ffmpeg"), async () => {
    const { channels, sampleRateHz } = await decodeSound(await golden("tone.m4a"), "a.m4a");
    expect(sampleRateHz).toBe(RATE);
    // ffmpeg cuts the delay; of the last frame of 1024 samples it may leave the padding.
    expect(channels[0].length).toBeGreaterThanOrEqual(LENGTH);
    expect(channels[0].length).toBeLessThan(LENGTH + 1024);
    for (const c of [0, 1]) expect(snrDb(tones[c], channels[c])).toBeGreaterThan(10);
    const cut = (await golden("tone.m4a")).subarray(0, 900);
    await expect(decodeSound(cut, "a.m4a")).rejects.toThrow(/^a.m4a is .* ffmpeg cannot read it: /);
  });
});
