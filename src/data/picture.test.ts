import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { UserError } from "../errors.ts";
import { decodePicture } from "./picture.ts";

const text = (value: string) => new TextEncoder().encode(value);
const joined = (head: string, ...bytes: number[]) => new Uint8Array([...text(head), ...bytes]);

/** Six columns, four rows of 16-bit counts as a thermal camera gives them: 7000, 7037, ... */
const thermal = Uint16Array.from({ length: 24 }, (_, i) => 7000 + 37 * i);
const raw = { width: 6, height: 4, channels: 1 } as const;
const deep = () => sharp(thermal, { raw }).toColourspace("grey16");

describe("every format", () => {
  /** Left half red, right half blue, high enough that codecs keep the halves apart. */
  const halves = Uint8Array.from({ length: 32 * 16 * 3 }, (_, i) => {
    const isLeft = Math.floor(i / 3) % 32 < 16;
    return i % 3 === (isLeft ? 0 : 2) ? 255 : 0;
  });
  const image = () => sharp(halves, { raw: { width: 32, height: 16, channels: 3 } });

  test.each([
    ["PNG", () => image().png()],
    ["JPEG", () => image().jpeg({ quality: 95, chromaSubsampling: "4:4:4" })],
    ["WebP", () => image().webp({ lossless: true })],
    ["GIF", () => image().gif()],
    ["TIFF", () => image().tiff({ compression: "lzw" })],
  ])("%s gives the same two colours", async (_name, encode) => {
    const bytes = await encode().toBuffer();
    const { pixels, height, width, channels } = await decodePicture(bytes, "x");
    expect([height, width, channels]).toEqual([16, 32, 3]);
    for (const [x, colour] of [
      [3, [255, 0, 0]],
      [28, [0, 0, 255]],
    ] as const) {
      const at = (8 * 32 + x) * 3;
      // JPEG of this quality moves a flat colour by a few levels at most.
      for (const c of [0, 1, 2]) expect(Math.abs(pixels[at + c] - colour[c])).toBeLessThan(8);
    }
  });

  test("a picture is turned as its EXIF orientation says", async () => {
    const turned = await image().withMetadata({ orientation: 6 }).jpeg().toBuffer(); // a quarter right
    const { pixels, height, width } = await decodePicture(turned, "x.jpg");
    expect([height, width]).toEqual([32, 16]);
    expect(pixels[(3 * 16 + 8) * 3]).toBeGreaterThan(240); // red, once left, is on top
    expect(pixels[(28 * 16 + 8) * 3 + 2]).toBeGreaterThan(240);
  });

  test("of an animation the first frame is taken", async () => {
    const frames = Uint8Array.from({ length: 2 * 4 * 4 * 3 }, (_, i) => (i < 48 ? 255 : 0));
    const pages = sharp(frames, { raw: { width: 4, height: 8, channels: 3, pageHeight: 4 } });
    const { pixels, height } = await decodePicture(await pages.gif().toBuffer(), "x.gif");
    expect(height).toBe(4);
    expect(pixels.every((value) => value === 255)).toBe(true);
  });
});

describe("16-bit grey", () => {
  test.each([
    ["PNG", async () => deep().png().toBuffer()],
    ["TIFF", async () => deep().tiff({ compression: "lzw" }).toBuffer()],
    [
      "PGM",
      async () => joined("P5 6 4 65535\n", ...[...thermal].flatMap((v) => [v >> 8, v & 255])),
    ],
  ])(
    "of a %s becomes pixels by a fixed range, or keeps its upper 8 bits",
    async (_name, encode) => {
      const bytes = await encode();
      const range = { low: 7000, high: 7512 };
      const byRange = await decodePicture(bytes, "x", { range });
      expect(byRange.channels).toBe(1);
      expect([...byRange.pixels]).toEqual([...thermal].map((v) => Math.min(255, (v - 7000) >> 1)));
      const upper = await decodePicture(bytes, "x");
      expect([...upper.pixels]).toEqual([...thermal].map((v) => v >> 8));
    },
  );

  test("below and above the range is the darkest and the brightest", async () => {
    const bytes = text("P2 3 1 1000 # counts\n5 10 999");
    const { pixels } = await decodePicture(bytes, "x.pgm", { range: { low: 6, high: 10 } });
    expect([...pixels]).toEqual([0, 255, 255]);
  });

  test("a range on colours is refused", async () => {
    const ppm = joined("P6 1 1 255\n", 1, 2, 3);
    await expect(decodePicture(ppm, "x.ppm", { range: { low: 0, high: 9 } })).rejects.toThrow(
      "x.ppm has colours; a range of counts is for grey pictures",
    );
  });
});

test("a TIFF of floats in degrees becomes pixels by its range, and needs one", async () => {
  const range = { low: -20, high: 44 }; // four levels a degree
  const tiff = floatTiff([-30, -20, 0, 36.6, 43.9, 100], { width: 3, height: 2 });
  const { pixels, height, width, channels } = await decodePicture(tiff, "x.tif", { range });
  expect([height, width, channels]).toEqual([2, 3, 1]);
  expect([...pixels]).toEqual([0, 0, 80, 226, 255, 255]);
  await expect(decodePicture(tiff, "x.tif")).rejects.toThrow(
    "x.tif holds floats: give their range",
  );
  const hole = floatTiff([1, Number.NaN], { width: 2, height: 1 });
  await expect(decodePicture(hole, "x.tif", { range })).rejects.toThrow(
    "x.tif holds NaN at pixel 1",
  );
});

/** An uncompressed little-endian TIFF of 32-bit floats, one strip (TIFF 6.0, section 2). */
function floatTiff(values: number[], size: { width: number; height: number }): Uint8Array {
  const tags = [
    ...[
      [256, size.width],
      [257, size.height],
      [258, 32],
      [259, 1],
      [262, 1],
      [273, 8],
    ],
    ...[
      [277, 1],
      [278, size.height],
      [279, 4 * values.length],
      [339, 3],
    ],
  ];
  const bytes = new Uint8Array(8 + 4 * values.length + 2 + 12 * tags.length + 4);
  const view = new DataView(bytes.buffer);
  bytes.set([0x49, 0x49, 42, 0]);
  view.setUint32(4, 8 + 4 * values.length, true);
  for (const [i, value] of values.entries()) view.setFloat32(8 + 4 * i, value, true);
  let at = 8 + 4 * values.length;
  view.setUint16(at, tags.length, true);
  at += 2;
  for (const [tag, value] of tags) {
    view.setUint16(at, tag, true);
    view.setUint16(at + 2, 4, true); // LONG
    view.setUint32(at + 4, 1, true);
    view.setUint32(at + 8, value, true);
    at += 12;
  }
  return bytes;
}

describe("PGM and PPM", () => {
  test.each([
    ["text, with comments", text("P2\n# made by hand\n2 2\n255\n0 1\n2 3\n"), [0, 1, 2, 3], 1],
    ["binary", joined("P5\n2 2\n255\n", 0, 1, 2, 3), [0, 1, 2, 3], 1],
    ["text in colour", text("P3 1 1 255 9 8 7"), [9, 8, 7], 3],
    ["binary in colour", joined("P6 1 1 255 ", 9, 8, 7), [9, 8, 7], 3],
    ["10 bits, high byte first", joined("P5 2 1 1023\n", 0x03, 0xff, 0x02, 0x00), [255, 128], 1],
  ])("%s", async (_name, bytes, expected, channels) => {
    const picture = await decodePicture(bytes, "x.pgm");
    expect([...picture.pixels]).toEqual(expected);
    expect(picture.channels).toBe(channels);
  });
});

test.each([
  ["a PGM cut in its pixels", joined("P5 4 4 255\n", 1, 2, 3), "x is truncated: 16 values do not"],
  ["a PGM cut in its header", text("P5 4 "), "x is truncated, where its form wants one"],
  ["a PGM with a word", text("P5 four 4 255 "), "x has no number at byte 3"],
  ["a PGM larger than a number", text("P5 9999999999 1 255 "), "x has no number at byte 3"],
  ["a PGM without pixels", text("P5 0 4 255 "), "x claims 4 x 0 pixels"],
  ["a PGM above its largest value", text("P2 1 1 9 10"), "x holds 10, above the 9 of its header"],
  [
    "an SVG",
    text('<svg xmlns="http://www.w3.org/2000/svg"/>'),
    "x is not a readable picture: PNG,",
  ],
])("%s is refused by name", async (_name, bytes, message) => {
  await expect(decodePicture(bytes, "x")).rejects.toThrow(UserError);
  await expect(decodePicture(bytes, "x")).rejects.toThrow(message);
});
