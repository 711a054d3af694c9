/** What happens to recordings on their way from one folder to another; each is decoded again. */

import { execFileSync } from "node:child_process";
import sharp from "sharp";
import { decodePicture } from "../../dist/src/data/picture.js";
import { decodeSound } from "../../dist/src/data/sound.js";
import { data } from "../../dist/src/index.js";

function open({ pixels, height, width, channels }) {
  const image = sharp(pixels, { raw: { height, width, channels } });
  return channels === 1 ? image.toColourspace("b-w") : image;
}

const coded = async (image) => decodePicture(new Uint8Array(await image.toBuffer()), "copy");

const jpeg = (quality) => (picture) => coded(open(picture).jpeg({ quality }));

const webp = (quality) => (picture) => coded(open(picture).webp({ quality }));

const resized = (factor) => (picture) => {
  const [height, width] = [picture.height, picture.width].map((side) => Math.round(factor * side));
  return coded(open(picture).resize({ height, width, fit: "fill" }).png());
};

const lit =
  ({ gain = 1, light = 0 }) =>
  (picture) =>
    coded(open(picture).linear(gain, light).png());

/** To the right and down, the edge repeated; by parts of a pixel where the share is small. */
function moved(share) {
  return (picture) => {
    const { height, width, channels, pixels } = picture;
    const [dy, dx] = [share * height, share * width];
    const at = (y, x, c) => {
      const row = Math.min(Math.max(y, 0), height - 1);
      return pixels[(row * width + Math.min(Math.max(x, 0), width - 1)) * channels + c];
    };
    const shifted = Uint8Array.from({ length: pixels.length }, (_, i) => {
      const c = i % channels;
      const [y, x] = [
        Math.floor(i / channels / width) - dy,
        (Math.floor(i / channels) % width) - dx,
      ];
      const [top, left] = [Math.floor(y), Math.floor(x)];
      const [v, u] = [y - top, x - left];
      const upper = at(top, left, c) * (1 - u) + at(top, left + 1, c) * u;
      const lower = at(top + 1, left, c) * (1 - u) + at(top + 1, left + 1, c) * u;
      return Math.round(upper * (1 - v) + lower * v);
    });
    return { ...picture, pixels: shifted };
  };
}

const cropped = (share) => (picture) => {
  const [height, width] = [picture.height, picture.width].map((side) =>
    Math.round(side * (1 - share)),
  );
  const [top, left] = [(picture.height - height) >> 1, (picture.width - width) >> 1];
  return coded(open(picture).extract({ left, top, width, height }).png());
};

const chain =
  (...steps) =>
  async (recording) => {
    let altered = recording;
    for (const step of steps) altered = await step(altered);
    return altered;
  };

export const PICTURE_ALTERATIONS = {
  "JPEG of quality 90": jpeg(90),
  "JPEG of quality 75": jpeg(75),
  "JPEG of quality 60": jpeg(60),
  "JPEG of quality 50": jpeg(50),
  "WebP of quality 75": webp(75),
  "WebP of quality 50": webp(50),
  "0.75 of the size": resized(0.75),
  "1.5 of the size": resized(1.5),
  "15 % brighter": lit({ gain: 1.15 }),
  "15 % less contrast": lit({ gain: 0.85, light: 19 }),
  "moved by 1 %": moved(0.01),
  "moved by 3 %": moved(0.03),
  "cropped by 3 %": cropped(0.03),
  "cropped by 5 %": cropped(0.05),
  "moved by 2 %, 15 % darker, JPEG of 75": chain(moved(0.02), lit({ gain: 0.85 }), jpeg(75)),
  "1.25 of the size, JPEG of 85": chain(resized(1.25), jpeg(85)),
};

/** Through ffmpeg's encoder and back by our decoders. */
const through =
  (...codec) =>
  async ({ samples, sampleRateHz }) => {
    const wav = data.encodeWav(samples, sampleRateHz);
    const format = codec.at(-1);
    const command = ["-loglevel", "error", "-i", "pipe:0", ...codec.slice(0, -1)];
    const out = execFileSync("ffmpeg", [...command, "-f", format, "pipe:1"], { input: wav });
    const sound = await decodeSound(new Uint8Array(out), "copy");
    return { samples: sound.channels[0], sampleRateHz: sound.sampleRateHz };
  };

const gained =
  (decibels) =>
  ({ samples, sampleRateHz }) => ({
    samples: samples.map((x) => x * 10 ** (decibels / 20)),
    sampleRateHz,
  });

const late =
  (seconds) =>
  ({ samples, sampleRateHz }) => ({
    samples: samples.slice(Math.round(seconds * sampleRateHz)),
    sampleRateHz,
  });

const resampler = data.openResampler();
const atRate =
  (to) =>
  ({ samples, sampleRateHz: from }) => ({
    samples: resampler(samples, { from, to }),
    sampleRateHz: to,
  });

const inBits =
  (bits) =>
  ({ samples, sampleRateHz }) => ({
    samples: samples.map((x) => Math.round(x * 2 ** (bits - 1)) / 2 ** (bits - 1)),
    sampleRateHz,
  });

const mp3 = through("-c:a", "libmp3lame", "-b:a", "64k", "mp3");
const opus = through("-c:a", "libopus", "-b:a", "24k", "ogg");

export const SOUND_ALTERATIONS = {
  "MP3 of 64 kb/s": mp3,
  "Opus of 24 kb/s": opus,
  "6 dB quieter": gained(-6),
  "20 dB quieter, 16 bits": chain(gained(-20), inBits(16)),
  "at 8 kHz": atRate(8000),
  "at 44.1 kHz": atRate(44_100),
  "8 bits": inBits(8),
  "37 ms later": late(0.037),
  "200 ms later": late(0.2),
  "50 ms later, 6 dB quieter, MP3": chain(late(0.05), gained(-6), mp3),
};
