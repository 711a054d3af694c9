/** ADPCM against decoders that are not ours. */

import { readFile } from "node:fs/promises";
import decodeOther from "@audio/decode-wav";
import { describe, expect, test } from "vitest";
import { UserError } from "../errors.ts";
import { random } from "../tensor/index.ts";
import { decodeWav } from "./wav.ts";

const MS_PAIRS = [256, 0, 512, -256, 0, 0, 192, 64, 240, 0, 460, -208, 392, -232];

interface Parts {
  coding: "ima" | "ms";
  channels: number;
  data: Uint8Array;
  blockBytes: number;
  frames?: number;
  bits?: number;
}

function adpcm({ coding, channels, data, blockBytes, frames, bits = 4 }: Parts): Uint8Array {
  const ms = coding === "ms";
  const perBlock = ms
    ? ((blockBytes - 7 * channels) * 2) / channels + 2
    : ((blockBytes - 4 * channels) * 2) / channels + 1;
  const format = [ms ? 2 : 17, channels, 8000, 0, 0, 0, blockBytes, bits];
  const more = ms ? [32, perBlock, 7, ...MS_PAIRS] : [2, perBlock];
  const fields = [...format, ...more];
  const fact = frames === undefined ? [] : [0x6166, 0x7463, 4, 0, frames, 0];
  const words = [
    ...[0x4952, 0x4646, 0, 0, 0x4157, 0x4556, 0x6d66, 0x2074, 2 * fields.length, 0, ...fields],
    ...[...fact, 0x6164, 0x6174, data.length & 0xffff, data.length >>> 16],
  ];
  const bytes = new Uint8Array(2 * words.length + data.length);
  const view = new DataView(bytes.buffer);
  for (const [i, word] of words.entries()) view.setInt16(2 * i, word, true);
  bytes.set(data, 2 * words.length);
  return bytes;
}

/** Random nibbles under headers that are possible. */
function blocks({ coding, channels, blockBytes }: Omit<Parts, "data">, count: number): Uint8Array {
  const generator = random(`${coding} ${channels}`);
  const data = Uint8Array.from({ length: count * blockBytes }, () => generator.integer(256));
  const view = new DataView(data.buffer);
  for (let at = 0; at < data.length; at += blockBytes) {
    for (let c = 0; c < channels; c++) {
      if (coding === "ima") view.setUint16(at + 4 * c + 2, generator.integer(89), true);
      else {
        view.setUint8(at + c, generator.integer(7));
        view.setInt16(at + channels + 2 * c, 16 + generator.integer(500), true);
      }
    }
  }
  return data;
}

test("files by ffmpeg give the integers that ffmpeg gives", async () => {
  const golden = JSON.parse(await readFile(new URL("golden/adpcm.json", import.meta.url), "utf8"));
  expect(Object.keys(golden.files)).toHaveLength(4);
  for (const [name, { wav, channels, samples }] of Object.entries<Golden>(golden.files)) {
    const sound = decodeWav(Buffer.from(wav, "base64"), name);
    expect(sound.channels).toHaveLength(channels);
    const frames = Array.from(sound.channels[0], (_, i) => sound.channels.map((c) => c[i] * 32768));
    expect(frames.flat()).toEqual(samples.slice(0, frames.length * channels));
    expect(frames.length).toBeGreaterThan(200);
  }
});

interface Golden {
  wav: string;
  channels: number;
  samples: number[];
}

const forms: Omit<Parts, "data">[] = [
  { coding: "ima", channels: 1, blockBytes: 256 },
  { coding: "ima", channels: 2, blockBytes: 512 },
  { coding: "ima", channels: 6, blockBytes: 384 },
  { coding: "ms", channels: 1, blockBytes: 256 },
  { coding: "ms", channels: 2, blockBytes: 512 },
];

describe.each(forms)("$coding ADPCM, $channels channels", (form) => {
  const data = blocks(form, 20);

  test("is cut where the fact chunk says that the sound ends", () => {
    expect(decodeWav(adpcm({ ...form, data, frames: 1000 }), "x.wav").channels[0]).toHaveLength(
      1000,
    );
    const shortBlock = data.subarray(0, form.blockBytes + 8 * form.channels);
    const { channels } = decodeWav(adpcm({ ...form, data: shortBlock }), "x.wav");
    const whole = decodeWav(adpcm({ ...form, data }), "x.wav").channels;
    expect(channels[0]).toEqual(whole[0].subarray(0, channels[0].length));
  });
});

// Microsoft's is left out: the other decoder rounds its prediction down, ffmpeg toward zero.
test.each(forms.filter(({ coding }) => coding === "ima"))(
  "random IMA ADPCM, $channels channels, gives the samples that another decoder gives",
  async (form) => {
    const bytes = adpcm({ ...form, data: blocks(form, 20) });
    const ours = decodeWav(bytes, "x.wav");
    const other = await decodeOther(bytes);
    expect(ours.sampleRateHz).toBe(other.sampleRate);
    expect(ours.channels).toEqual(other.channelData);
  },
);

test.each<[string, Partial<Parts>, string]>([
  ["3 bits", { bits: 3 }, "x.wav is ADPCM of 3 bits; 4 are read"],
  ["blocks without room", { blockBytes: 3 }, "blocks of 3 bytes for 1 channels: not even"],
  ["no whole block", { data: new Uint8Array(3) }, "x.wav holds no sound"],
  [
    "a predictor past the table",
    { coding: "ms", data: new Uint8Array(64).fill(9) },
    "coefficients 9",
  ],
])("ADPCM with %s is refused", (_name, parts, message) => {
  const whole = { coding: "ima", channels: 1, blockBytes: 32, data: new Uint8Array(64) } as const;
  const decode = () => decodeWav(adpcm({ ...whole, ...parts }), "x.wav");
  expect(decode).toThrow(UserError);
  expect(decode).toThrow(message);
});
