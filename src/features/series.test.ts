/** Sensor series: by hand, against the definition, and what goes into the device. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compile, interpreter, plan } from "../kernel/index.ts";
import { extractor, frontendRoutine } from "./frontend.ts";
import { prepareSeries, seriesUnits } from "./prepare-series.ts";
import { seriesFloat } from "./series-definition.ts";
import { defaultSeriesSpec, featureShape, type SeriesSpec } from "./spec.ts";

const base: SeriesSpec = {
  kind: "series",
  rateHz: 10,
  samples: 4,
  channels: 2,
  length: 2,
  resize: "area",
  units: [1, 0.5],
};

test("halving takes the mean of two readings in each channel", () => {
  const readings = Int16Array.from([1, 100, 2, 300, -3, 0, -4, -1]);
  const raw = extractor(base, "raw")(readings);
  expect([...raw].map((value) => value / 256)).toEqual([1.5, 200, -3.5, -0.5]);
});

test("an equal length is left as it is", () => {
  const readings = Int16Array.from([1, 2, 3, -32768, 5, 6, 7, 32767]);
  expect([...extractor({ ...base, length: 4 }, "raw")(readings)]).toEqual(
    [...readings].map((value) => value * 256),
  );
});

test("any window is within a step of 1/256 of the definition, everywhere the same", () => {
  const shape = fc.record({
    samples: fc.integer({ min: 1, max: 40 }),
    length: fc.integer({ min: 1, max: 40 }),
    channels: fc.integer({ min: 1, max: 3 }),
    resize: fc.constantFrom("area" as const, "bilinear" as const),
    loudness: fc.integer({ min: 0, max: 15 }),
    seed: fc.integer(),
  });
  fc.assert(
    fc.property(shape, ({ loudness, seed, ...rest }) => {
      const spec = { ...base, ...rest, units: new Array<number>(rest.channels).fill(1) };
      const length = spec.samples * spec.channels;
      const readings = Int16Array.from({ length }, (_, i) => {
        return Math.imul(seed + i, 0x9e3779b9) >> (31 - loudness);
      });
      const program = plan(frontendRoutine("x", spec, "raw"));
      const [reference, wasm] = [interpreter(program), compile(program)];
      for (const { view, run } of [reference, wasm]) {
        view("x").set(readings);
        run();
      }
      expect(wasm.view("x.features")).toEqual(reference.view("x.features"));
      const exact = seriesFloat(readings, spec);
      reference.view("x.features").forEach((value, i) => {
        expect(Math.abs(value / 256 - exact[i])).toBeLessThan(0.6 / 256);
      });
    }),
    { numRuns: 60 },
  );
});

describe("what goes into the device", () => {
  const series = (values: readonly number[], rateHz = 10) => ({
    rateHz,
    channels: 2,
    data: Float32Array.from(values),
    length: values.length / 2,
  });

  test("is the readings in steps of the units, the last one repeated", () => {
    const window = prepareSeries(series([1, 1, 2, 2.5, Number.NaN, 20000]), base);
    expect([...window]).toEqual([1, 2, 2, 5, 0, 32767, 0, 32767]);
  });

  test("is cut to the window and resampled to its rate", () => {
    const slow = prepareSeries(series(new Array<number>(40).fill(3), 20), base);
    expect([...slow]).toEqual([3, 6, 3, 6, 3, 6, 3, 6]);
    const fast = prepareSeries(series(new Array<number>(40).fill(3), 7), base);
    expect([...fast]).toEqual([...slow]);
  });

  test("at a rate that drifts less than half a reading is the readings as they are", () => {
    const values = [1, 0, 2, 0, 3, 0, 4, 0];
    expect(prepareSeries(series(values, 10.01), base)).toEqual(prepareSeries(series(values), base));
    expect(() => prepareSeries(series(values, 11.5), base)).toThrow("its rate must be 10 Hz");
  });

  test("units are 1 for whole numbers, else a power of two that lets all fit", () => {
    expect(seriesUnits([series([5, 0.25, -32767, -1])])).toEqual([1, 2 ** -14]);
    expect(seriesUnits([series([65534, 0, 1, 0])])).toEqual([2, 1]);
  });

  test.each([
    [{ ...series([1, 2]), channels: 1, length: 2 }, "readings of 2 channels, got 2 of 1"],
    [{ ...series([]), length: 0 }, "readings of 2 channels, got 0 of 2"],
    [series([1, 2], 12.5), "its rate must be 10 Hz or a whole number, got 12.5"],
  ])("%#: is refused where it does not fit", (wrong, message) => {
    expect(() => prepareSeries(wrong, base)).toThrow(message);
  });
});

test("the default is a second in at most 128 readings", () => {
  const spec = defaultSeriesSpec({ rateHz: 400, channels: 6, units: new Array<number>(6).fill(1) });
  expect(featureShape(spec)).toEqual([128, 6, 1]);
});

test.each([
  [{ units: [1] }, "units must be 2 numbers above 0, got 1"],
  [{ channels: 0 }, "channels must be an integer in [1, 1024], got 0"],
  [{ rateHz: 0 }, "rateHz must be in (0, 1000000], got 0"],
  [
    { samples: 19997, length: 20012, resize: "bilinear" } as const,
    "samples must be a number with a simpler ratio to length",
  ],
])("a wrong spec is refused: %o", (change, message) => {
  expect(() => extractor({ ...base, ...change }, "raw")).toThrow(message);
});
