import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compile, interpreter, plan } from "../kernel/index.ts";
import { random } from "../tensor/index.ts";
import { extractor, frontendRoutine } from "./frontend.ts";
import { resizeFloat } from "./image-definition.ts";
import { axisFor } from "./resize-axis.ts";
import { featureShape, type ImageSpec, inputShape } from "./spec.ts";

type Size = readonly [height: number, width: number, channels: 1 | 3];

function imageSpec(from: Size, to: Size, resize: ImageSpec["resize"] = "area"): ImageSpec {
  const source = { height: from[0], width: from[1], channels: from[2] };
  return { kind: "image", height: to[0], width: to[1], channels: to[2], source, resize };
}

function pixelsOf(spec: ImageSpec, seed: number): Uint8Array {
  const generator = random(seed);
  const length = inputShape(spec).reduce((a, b) => a * b);
  return Uint8Array.from({ length }, () => generator.integer(256));
}

const anySpec: fc.Arbitrary<ImageSpec> = fc
  .record({
    from: fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 })),
    to: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
    channels: fc.tuple(
      fc.constantFrom(1 as const, 3 as const),
      fc.constantFrom(1 as const, 3 as const),
    ),
    resize: fc.constantFrom("area" as const, "bilinear" as const),
    cut: fc.tuple(fc.nat(11), fc.nat(11)),
  })
  .map(({ from, to, channels, resize, cut }) => {
    const [top, left] = [cut[0] % from[0], cut[1] % from[1]];
    const crop = { top, left, height: from[0] - top, width: from[1] - left };
    return { ...imageSpec([...from, channels[0]], [...to, channels[1]], resize), crop };
  });

describe("by hand", () => {
  test("halving takes the mean of four, halves upward", () => {
    const spec = imageSpec([2, 4, 1], [1, 2, 1]);
    const pixels = Uint8Array.from([1, 2, 10, 20, 3, 4, 30, 41]);
    expect([...extractor(spec, "raw")(pixels)]).toEqual([3, 25]); // 2.5 and 25.25
  });

  test("three pixels become two by two thirds and one third", () => {
    const spec = imageSpec([1, 3, 1], [1, 2, 1]);
    expect([...extractor(spec, "raw")(Uint8Array.from([30, 90, 60]))]).toEqual([50, 70]);
  });

  test("two pixels become four by quarters between their centres, edges repeated", () => {
    const spec = imageSpec([1, 2, 1], [1, 4, 1], "bilinear");
    expect([...extractor(spec, "raw")(Uint8Array.from([0, 100]))]).toEqual([0, 25, 75, 100]);
  });

  test("a crop is the resize of what it cuts out", () => {
    const whole = imageSpec([7, 9, 3], [2, 3, 3], "bilinear");
    const crop = { top: 2, left: 1, height: 5, width: 6 };
    const pixels = pixelsOf(whole, 1);
    const cut = Uint8Array.from({ length: 5 * 6 * 3 }, (_, i) => {
      const [y, x] = [Math.floor(i / 18) + crop.top, Math.floor((i % 18) / 3) + crop.left];
      return pixels[(y * 9 + x) * 3 + (i % 3)];
    });
    const expected = extractor(imageSpec([5, 6, 3], [2, 3, 3], "bilinear"), "raw")(cut);
    expect(extractor({ ...whole, crop }, "raw")(pixels)).toEqual(expected);
  });

  test("colour becomes grey by BT.601", () => {
    const spec = imageSpec([1, 4, 3], [1, 4, 1]);
    const pixels = Uint8Array.from([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255]);
    expect([...extractor(spec, "raw")(pixels)]).toEqual([77, 149, 29, 255]);
  });

  test("grey becomes colour by repetition", () => {
    const spec = imageSpec([1, 2, 1], [1, 2, 3]);
    expect([...extractor(spec, "raw")(Uint8Array.from([7, 9]))]).toEqual([7, 7, 7, 9, 9, 9]);
  });

  test("scaled pixels are s8 around the channel's mean", () => {
    const scaling = { offset: [100], multiplier: [2 ** 24] };
    const spec = { ...imageSpec([1, 3, 1], [1, 3, 1]), scaling };
    expect([...extractor(spec)(Uint8Array.from([90, 100, 255]))]).toEqual([-10, 0, 127]);
  });
});

test("a constant picture stays constant under any resize", () => {
  fc.assert(
    fc.property(anySpec, fc.integer({ min: 0, max: 255 }), (spec, grey) => {
      const pixels = pixelsOf(spec, 0).fill(grey);
      expect(new Set(extractor(spec, "raw")(pixels))).toEqual(new Set([grey]));
    }),
    { numRuns: 50 },
  );
});

test("a picture of the wanted size is left as it is", () => {
  for (const resize of ["area", "bilinear"] as const) {
    const spec = imageSpec([5, 7, 3], [5, 7, 3], resize);
    const pixels = pixelsOf(spec, 3);
    expect([...extractor(spec, "raw")(pixels)]).toEqual([...pixels]);
  }
});

test("integers are at most half a grey level from the definition", () => {
  fc.assert(
    fc.property(anySpec, fc.integer(), (spec, seed) => {
      const pixels = pixelsOf(spec, seed);
      const exact = resizeFloat(pixels, spec);
      const ours = extractor(spec, "raw")(pixels);
      expect(ours.length).toBe(featureShape(spec).reduce((a, b) => a * b));
      ours.forEach((value, i) => {
        expect(Math.abs(value - exact[i])).toBeLessThan(0.5 + 1e-9);
      });
    }),
    { numRuns: 100 },
  );
});

test("means are rounded half up, exactly, up to the largest total", () => {
  // Two sides without a common divisor to 1: the total is their product.
  for (const [height, width] of [
    [2, 3],
    [11, 13],
    [1021, 1024],
    [1448, 1447],
  ]) {
    const extract = extractor(imageSpec([height, width, 1], [1, 1, 1]), "raw");
    const total = height * width;
    const half = Math.ceil(total / 2);
    for (const ones of [half - 1, half, half + 1, total - 1]) {
      const pixels = new Uint8Array(total).fill(254);
      pixels.fill(255, 0, ones);
      expect(extract(pixels)[0]).toBe(254 + Math.floor((2 * ones + total) / (2 * total)));
    }
  }
});

test("the interpreter and WebAssembly agree on any resize", () => {
  fc.assert(
    fc.property(anySpec, fc.integer(), (spec, seed) => {
      const program = plan(frontendRoutine("image", spec, "raw"));
      const [reference, wasm] = [interpreter(program), compile(program)];
      for (const { view, run } of [reference, wasm]) {
        view("image").set(pixelsOf(spec, seed));
        run();
      }
      expect(wasm.view("image.features")).toEqual(reference.view("image.features"));
    }),
    { numRuns: 30 },
  );
});

test("weights of every output have the same sum", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 60 }),
      fc.constantFrom("area" as const, "bilinear" as const),
      (from, to, resize) => {
        const { first, weights, taps, total } = axisFor(resize, { from, to });
        weights.forEach((row, o) => {
          expect(row.reduce((a, b) => a + b)).toBe(total);
          expect(first[o]).toBeGreaterThanOrEqual(0);
          expect(first[o] + taps).toBeLessThanOrEqual(from);
        });
      },
    ),
  );
});
