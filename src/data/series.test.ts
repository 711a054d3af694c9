import { describe, expect, test } from "vitest";
import { UserError } from "../errors.ts";
import { decodeSeries } from "./series.ts";

const text = (value: string) => new TextEncoder().encode(value);

function npy(
  header: string,
  values: Float32Array | Float64Array | Int16Array | BigInt64Array | Uint8Array,
  version = 1,
): Uint8Array {
  const head = text(`${header.padEnd(117)}\n`);
  const size = version === 1 ? [head.length, 0] : [head.length, 0, 0, 0];
  const start = [0x93, ...text("NUMPY"), version, 0, ...size];
  return new Uint8Array([...start, ...head, ...new Uint8Array(values.buffer)]);
}

const header = (descr: string, shape: string, order = "False") =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;

describe("CSV", () => {
  test("with a time column gives channels and rate", () => {
    const csv = text("time_s,ax,ay\n0.00,1,-2\n0.01,1.5,2e-1\n0.02,.5,+3\n");
    expect(decodeSeries(csv, { name: "x.csv" })).toEqual({
      rateHz: 100,
      channels: 2,
      data: Float32Array.of(1, -2, 1.5, 0.2, 0.5, 3),
      length: 3,
    });
  });

  test.each([
    ["timestamp_ms", "1700000000000", "1700000000020", 50],
    ["t [us]", "0", "500", 2000],
    ["Time", "3", "5", 0.5],
  ])("times in %s are understood", (column, first, second, rateHz) => {
    const csv = text(`v,${column}\n7,${first}\n8,${second}\n`);
    const series = decodeSeries(csv, { name: "x.csv" });
    expect([...series.data]).toEqual([7, 8]);
    expect(series.rateHz).toBeCloseTo(rateHz, 6);
  });

  test("without header or times takes the rate it is given", () => {
    const series = decodeSeries(text("1,2\n3,4\n"), { name: "x.csv", rateHz: 20 });
    expect(series).toEqual({
      rateHz: 20,
      channels: 2,
      data: Float32Array.of(1, 2, 3, 4),
      length: 2,
    });
  });

  test.each<[string, string, number | undefined, string]>([
    ["no rate", "a\n1\n2\n", undefined, "x.csv does not tell its rate: give it in a column"],
    ["two rates", "t,a\n0,1\n0.1,2\n", 20, "x.csv has 10 Hz by its times, the manifest says 20 Hz"],
    [
      "a gap",
      "t,a\n0,1\n1,1\n2,1\n9,1\n",
      undefined,
      "x.csv is not sampled evenly: reading 2 of 4",
    ],
    ["times that stand", "t,a\n1,1\n1,1\n", undefined, "x.csv has times that do not grow"],
    ["a word", "a,b\n1,2\n3,x\n", 1, 'x.csv row 3: must hold finite numbers, got "x"'],
    ["an empty cell", "a,b\n1,\n", 1, 'x.csv row 2: must hold finite numbers, got ""'],
    ["infinity", "a\n1e99\n", 1, 'x.csv row 2: must hold finite numbers, got "1e99"'],
    ["a short row", "a,b\n1,2\n3\n", 1, "x.csv row 3: 1 cells, the first row has 2"],
    ["a header alone", "a,b\n", 1, "x.csv holds no readings"],
    ["nothing", "", 1, "x.csv is an empty file"],
    ["too many columns", "1,".repeat(1001), 1, "x.csv row 1: 1002 cells, at most 1000 are read"],
    ["a row without end", `a\n${"1".repeat(70000)}`, 1, "x.csv: Max Record Size"],
  ])("%s is refused", (_name, csv, rateHz, message) => {
    const options = { name: "x.csv", ...(rateHz === undefined ? {} : { rateHz }) };
    expect(() => decodeSeries(text(csv), options)).toThrow(UserError);
    expect(() => decodeSeries(text(csv), options)).toThrow(message);
  });
});

describe("NPY", () => {
  test.each([
    ["float32", npy(header("<f4", "(2, 2)"), Float32Array.of(1, 2, 3, 4.5)), 2],
    ["float64", npy(header("<f8", "(4,)"), Float64Array.of(1, 2, 3, 4.5)), 1],
    ["version 2", npy(header("<f4", "(4, 1)"), Float32Array.of(1, 2, 3, 4.5), 2), 1],
    ["big-endian", npy(header(">f4", "(4,)"), swapped(Float32Array.of(1, 2, 3, 4.5))), 1],
  ])("of %s is read", (_name, bytes, channels) => {
    const series = decodeSeries(bytes, { name: "x.npy", rateHz: 50 });
    expect(series).toEqual({
      ...{ rateHz: 50, channels, data: Float32Array.of(1, 2, 3, 4.5), length: 4 / channels },
    });
  });

  test("of integers is read, whatever the order of the keys", () => {
    const keys = "{'shape': (3,), 'descr': '<i2', 'fortran_order': False}";
    const small = decodeSeries(npy(keys, Int16Array.of(-5, 0, 7)), { name: "x", rateHz: 1 });
    expect([...small.data]).toEqual([-5, 0, 7]);
    const wide = npy(header("<i8", "(2,)"), BigInt64Array.of(-(2n ** 40n), 3n));
    expect([...decodeSeries(wide, { name: "x", rateHz: 1 }).data]).toEqual([-(2 ** 40), 3]);
  });

  const four = Float32Array.of(1, 2, 3, 4);
  test.each([
    ["objects", npy(header("|O", "(4,)"), four), "x holds the type |O; floats and integers are"],
    [
      "records",
      npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4,), }", four),
      "x holds records or objects",
    ],
    ["complex", npy(header("<c8", "(2,)"), four), "x holds the type <c8"],
    ["code", npy("{'shape': __import__('os').abort()}", four), "x has no NPY header that is read"],
    ["Fortran order", npy(header("<f4", "(2, 2)", "True"), four), "x is in Fortran order"],
    ["three dimensions", npy(header("<f4", "(1, 2, 2)"), four), "x must be [readings] or"],
    [
      "a lie about its size",
      npy(header("<f4", "(9999999, 99)"), four),
      "x is truncated or damaged",
    ],
    ["a size past all bounds", npy(header("<f4", "(1, 9e9)"), four), "x has no NPY header"],
    ["no readings", npy(header("<f4", "(0,)"), four.subarray(0, 0)), "x must hold readings"],
    [
      "NaN",
      npy(header("<f4", "(4,)"), Float32Array.of(1, 2, Number.NaN, 4)),
      "x reading 2: must be",
    ],
    ["no header", npy("", four).subarray(0, 11), "x is truncated: not even an NPY header fits"],
  ])("of %s is refused", (_name, bytes, message) => {
    expect(() => decodeSeries(bytes, { name: "x", rateHz: 1 })).toThrow(UserError);
    expect(() => decodeSeries(bytes, { name: "x", rateHz: 1 })).toThrow(message);
  });
});

function swapped(values: Float32Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.byteLength));
  for (const [i, value] of values.entries()) view.setFloat32(4 * i, value);
  return new Uint8Array(view.buffer);
}
