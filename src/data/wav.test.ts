import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../errors.ts";
import { decodeWav, encodeWav, mixToMono } from "./wav.ts";

/** A WAV file by hand. Sizes may be forged; `chunks` go between format and sound. */
function wav({
  tag = 1,
  channels = 1,
  rate = 8000,
  bits = 16,
  data,
  dataSize = data.length,
  riff = "RIFF",
  extensible = false,
  chunks = [],
  tail = [],
}: {
  tag?: number;
  channels?: number;
  rate?: number;
  bits?: number;
  data: number[];
  dataSize?: number;
  riff?: string;
  extensible?: boolean;
  chunks?: number[];
  tail?: number[];
}): Uint8Array {
  const frameBytes = channels * Math.ceil(bits / 8);
  const fields = [
    ...u16(extensible ? 0xfffe : tag),
    ...u16(channels),
    ...u32(rate),
    ...u32(rate * frameBytes),
    ...u16(frameBytes),
    ...u16(bits),
  ];
  const more = [...u16(22), ...u16(bits), ...u32(0), ...u16(tag), ...new Array(14).fill(0)];
  const format = extensible ? [...fields, ...more] : fields;
  const body = [
    ...ascii("WAVE"),
    ...chunks,
    ...ascii("fmt "),
    ...u32(format.length),
    ...format,
    ...ascii("data"),
    ...u32(dataSize),
    ...data,
    ...tail,
  ];
  return Uint8Array.from([...ascii(riff), ...u32(body.length), ...body]);
}

const ascii = (text: string) => [...text].map((letter) => letter.charCodeAt(0));
const u16 = (value: number) => [value & 255, (value >> 8) & 255];
const u32 = (value: number) => [...u16(value & 0xffff), ...u16(value >>> 16)];
const bytesOf = (array: Float32Array | Float64Array | Int32Array) => [
  ...new Uint8Array(array.buffer),
];
const only = (bytes: Uint8Array) => [...decodeWav(bytes, "x.wav").channels[0]];

describe("formats", () => {
  test.each([
    ["8-bit PCM", { bits: 8, data: [0, 128, 192] }, [-1, 0, 0.5]],
    ["16-bit PCM", { bits: 16, data: [0, 0x80, 0, 0, 0, 0x40] }, [-1, 0, 0.5]],
    ["24-bit PCM", { bits: 24, data: [0, 0, 0x80, 0, 0, 0x40, 1, 0, 0] }, [-1, 0.5, 2 ** -23]],
    ["32-bit PCM", { bits: 32, data: bytesOf(Int32Array.of(-(2 ** 31), 2 ** 30)) }, [-1, 0.5]],
    ["32-bit float", { tag: 3, bits: 32, data: bytesOf(Float32Array.of(-1, 0.25)) }, [-1, 0.25]],
    ["64-bit float", { tag: 3, bits: 64, data: bytesOf(Float64Array.of(-1, 0.25)) }, [-1, 0.25]],
    // ITU-T G.711: A-law 0xD5 is +8 and 0xAA +32256; mu-law 0xFF is 0 and 0x00 -32124 (of 32768).
    ["A-law", { tag: 6, bits: 8, data: [0xd5, 0xaa, 0x55] }, [8, 32256, -8].map((v) => v / 32768)],
    [
      "mu-law",
      { tag: 7, bits: 8, data: [0xff, 0, 0x80] },
      [0, -32124, 32124].map((v) => v / 32768),
    ],
  ])("%s is read, plain and extensible", (_name, parts, expected) => {
    expect(only(wav(parts))).toEqual(expected);
    expect(only(wav({ ...parts, extensible: true }))).toEqual(expected);
  });

  test("channels are separated, and their mean is the mono mix", () => {
    const stereo = decodeWav(
      wav({ channels: 2, data: [0, 0x40, 0, 0xc0, 0, 0x40, 0, 0] }),
      "x.wav",
    );
    expect(stereo.channels.map((channel) => [...channel])).toEqual([
      [0.5, 0.5],
      [-0.5, 0],
    ]);
    expect([...mixToMono(stereo)]).toEqual([0, 0.25]);
    expect(stereo.sampleRateHz).toBe(8000);
  });

  test("an odd chunk is skipped with its padding, and what follows the sound is ignored", () => {
    const chunks = [...ascii("LIST"), ...u32(3), 1, 2, 3, 0];
    expect(only(wav({ chunks, data: [0, 0x40], tail: [9, 9, 9] }))).toEqual([0.5]);
  });

  test.each([0, 0xffffffff, 0x7ffff000])(
    "a size of %d, as pipes write it, means the rest",
    (size) => {
      expect(only(wav({ data: [0, 0x40, 0, 0x80], dataSize: size }))).toEqual([0.5, -1]);
    },
  );

  test("an RF64 file takes its size from the ds64 chunk", () => {
    const ds64 = [...ascii("ds64"), ...u32(24), ...u32(0), ...u32(0), ...u32(4), ...u32(0)];
    const chunks = [...ds64, ...u32(2), ...u32(0)];
    const parts = { chunks, riff: "RF64", dataSize: 0xffffffff, data: [0, 0x40, 0, 0x80] };
    expect(only(wav({ ...parts, tail: [7, 7] }))).toEqual([0.5, -1]);
  });
});

describe("refusals", () => {
  const nan = bytesOf(Float32Array.of(0, Number.NaN));
  test.each([
    ["an empty file", new Uint8Array(0), "x.wav is an empty file"],
    ["text", Uint8Array.from(ascii("this is no sound at all")), "x.wav is not a WAV file"],
    ["no samples", wav({ data: [] }), "x.wav holds no sound: its length is zero"],
    [
      "no samples before another chunk",
      wav({ data: [], tail: [...ascii("LIST"), ...u32(2), 1, 2] }),
      "x.wav holds no sound",
    ],
    [
      "missing samples",
      wav({ data: [0, 1], dataSize: 8 }),
      "truncated: 8 bytes of sound announced",
    ],
    ["NaN", wav({ tag: 3, bits: 32, data: nan }), "x.wav holds NaN at sample 1"],
    ["GSM", wav({ tag: 49, bits: 4, data: [1, 2] }), "x.wav is GSM 6.10, which is not supported"],
    ["no channels", wav({ channels: 0, data: [1, 2] }), "x.wav claims 0 channels"],
  ])("%s is refused by name", (_name, bytes, message) => {
    expect(() => decodeWav(bytes, "x.wav")).toThrow(UserError);
    expect(() => decodeWav(bytes, "x.wav")).toThrow(message);
  });

  test("a file cut at any byte is refused, one with a byte changed is read or refused", () => {
    const whole = wav({ channels: 2, data: [0, 1, 2, 3, 4, 5, 6, 7], extensible: true });
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeWav(whole.slice(0, length), "x.wav")).toThrow(UserError);
    }
    const at = fc.integer({ min: 0, max: whole.length - 1 });
    const change = fc.property(at, fc.integer({ min: 0, max: 255 }), (index, value) => {
      const changed = whole.slice();
      changed[index] = value;
      try {
        expect(decodeWav(changed, "x.wav").channels.length).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
      }
    });
    fc.assert(change, { seed: 1, numRuns: 500 });
  });
});

test("what is written is read back to half a step, with a 44-byte header", () => {
  const samples = fc.float32Array({ min: -1, max: Math.fround(0.9999), noNaN: true, minLength: 1 });
  const roundTrip = fc.property(samples, fc.integer({ min: 1, max: 96000 }), (sound, rate) => {
    const bytes = encodeWav(sound, rate);
    expect(bytes.length).toBe(44 + 2 * sound.length);
    const { channels, sampleRateHz } = decodeWav(bytes, "x.wav");
    expect(sampleRateHz).toBe(rate);
    for (const [i, value] of channels[0].entries()) {
      expect(Math.abs(value - sound[i])).toBeLessThanOrEqual(2 ** -15);
    }
  });
  fc.assert(roundTrip, { seed: 1, numRuns: 100 });
  expect(only(encodeWav(Float32Array.of(-2, 2), 8000))).toEqual([-1, 32767 / 32768]);
});
