import fc from "fast-check";
import { expect, test } from "vitest";
import { compile, plan } from "../kernel/index.ts";
import { type Graph, initialWeights, type Weights } from "../model/index.ts";
import { compileInference, type Layer, random } from "../tensor/index.ts";
import { type Examples, predictions, predictor } from "../train/index.ts";
import { chooseBits } from "./bits.ts";
import { compressGraph, type Precision } from "./compress.ts";
import { multipliersOf } from "./fixed-point.ts";
import { fold } from "./fold.ts";
import { quantizeWeights } from "./quantize-weights.ts";
import { isWeighted } from "./quantized-graph.ts";
import { quantizedRoutine } from "./routine.ts";
import { quantizedScores, referenceRunner } from "./run.ts";
import { packGraph, unpackGraph } from "./serialize.ts";

const inputScale = 1 / 32;
const window = { kernel: [3, 3], stride: [1, 1], padding: "same" } as const;

const conv = { op: "conv2d", filters: 2, bias: true, ...window } as const;

/**
 * Every layer that has an integer form: padding, stride, a branch that is pooled and one that is
 * flattened.
 */
const graph: Graph = {
  inputs: [
    { name: "a", shape: [9, 8, 1] },
    { name: "b", shape: [6, 6, 3] },
  ],
  classes: ["x", "y", "z"],
  layers: [
    {
      op: "conv2d",
      name: "a.conv",
      inputs: ["a"],
      filters: 8,
      bias: false,
      ...window,
      stride: [2, 2],
    },
    { op: "batchNorm", name: "a.norm", inputs: ["a.conv"], momentum: 0.1, epsilon: 1e-3 },
    { op: "relu", name: "a.relu", inputs: ["a.norm"] },
    { op: "depthwiseConv2d", name: "a.dw", inputs: ["a.relu"], bias: true, ...window },
    { op: "globalAveragePool", name: "a.pool", inputs: ["a.dw"] },
    {
      op: "conv2d",
      name: "b.conv",
      inputs: ["b"],
      filters: 6,
      bias: true,
      ...window,
      padding: "valid",
    },
    { op: "maxPool", name: "b.pool", inputs: ["b.conv"], size: [2, 2] },
    { op: "flatten", name: "b.flat", inputs: ["b.pool"] },
    { op: "dropout", name: "b.drop", inputs: ["b.flat"], rate: 0.3 },
    { op: "concat", name: "both", inputs: ["a.pool", "b.drop"] },
    { op: "dense", name: "out", inputs: ["both"], units: 3, bias: true },
  ],
};

function examples(count: number): Examples {
  const generator = random("examples");
  const noise = (size: number): Int8Array =>
    Int8Array.from({ length: count * size }, () =>
      Math.max(-128, Math.min(127, Math.round(generator.normal() * 32))),
    );
  return {
    count,
    inputs: { a: noise(72), b: noise(108) },
    labels: Int32Array.from({ length: count }, (_, i) => i % 3),
    groups: Array.from({ length: count }, (_, i) => `${i}`),
  };
}

/** Weights as after training: the running statistics are not the initial ones. */
function weights(): Weights {
  const generator = random("weights");
  const start = initialWeights(graph, 1);
  return Object.fromEntries(
    Object.entries(start).map(([name, values]) => [
      name,
      values.map((v) =>
        name.endsWith("variance") ? 0.5 + generator.next() : v + generator.normal() * 0.1,
      ),
    ]),
  );
}

const data = examples(96);
const trained = weights();
const at = (precision: Precision) =>
  compressGraph(graph, trained, data, { precision, inputScale }).graph;

test("folding batch normalisation changes no score", () => {
  const folded = fold(graph, trained);
  const before = predictor(graph, { inputScale }).scores(trained, data);
  const after = predictor(folded.graph, { inputScale }).scores(folded.weights, data);
  expect(folded.graph.layers.map(({ op }) => op)).not.toContain("batchNorm");
  // two orders of the same f32 operations
  before.forEach((score, i) => {
    expect(Math.abs(after[i] - score)).toBeLessThan(1e-4);
  });
});

test.each(["mixed", 8, 4] as const)(
  "the reference interpreter and WebAssembly agree at %s bits",
  (bits) => {
    const net = at(bits);
    const few = { ...data, count: 5 };
    expect(quantizedScores(net, few)).toEqual(quantizedScores(net, few, referenceRunner(net)));
  },
);

test("eight bits keep the scores of the float net, four bits roughly", () => {
  const float = predictor(graph, { inputScale }).scores(trained, data);
  const errors = ([8, 4] as const).map((bits) => {
    const net = at(bits);
    const { scale, zeroPoint } = net.layers[net.layers.length - 1].output;
    const real = Array.from(quantizedScores(net, data), (q) => (q - zeroPoint) * scale);
    const noise = real.reduce((sum, value, i) => sum + (value - float[i]) ** 2, 0);
    const signal = float.reduce((sum, value) => sum + value ** 2, 0);
    const same = predictions(real, 3).filter((p, i) => p === predictions(float, 3)[i]).length;
    return { snrDb: 10 * Math.log10(signal / noise), same: same / data.count };
  });
  expect(errors[0].snrDb).toBeGreaterThan(30);
  expect(errors[0].same).toBeGreaterThan(0.95);
  expect(errors[1].snrDb).toBeGreaterThan(10);
});

test("mixed precision stays within 60 % of the 8-bit weights", () => {
  const bytes = (bits: Precision): number =>
    at(bits)
      .layers.filter(isWeighted)
      .reduce((sum, layer) => sum + (layer.weights.length * layer.bits) / 8, 0);
  expect(bytes("mixed")).toBeLessThanOrEqual(0.6 * bytes(8));
  expect(bytes("mixed")).toBeGreaterThanOrEqual(bytes(4));
});

test("concatenation and flattening call nothing: the parts lie side by side", () => {
  const { calls, storage } = plan(quantizedRoutine(at(8)));
  expect(calls.map(({ label }) => label)).toEqual([
    "a.conv",
    "a.dw",
    "a.pool",
    "b.conv",
    "b.pool",
    "out",
  ]);
  const address = Object.fromEntries(storage.map((s) => [s.name, s.address]));
  expect(address["a.pool"]).toBe(address.both);
  expect(address["b.flat"]).toBe(address.both + 8);
});

test("an integer net survives being written and read", () => {
  const net = at("mixed");
  const { stored, bytes } = packGraph(net);
  const back = unpackGraph(JSON.parse(JSON.stringify(stored)), bytes, "compressed.weights");
  expect(quantizedScores(back, data)).toEqual(quantizedScores(net, data));
  expect(() => unpackGraph(stored, bytes.slice(0, -8), "compressed.weights")).toThrow("cut short");
});

test("a convolution equals 64-bit integer arithmetic written out by hand", () => {
  const net = at(8);
  const conv = net.layers.find(({ name }) => name === "b.conv");
  if (conv?.op !== "conv2d") throw new Error("b.conv must be a convolution");
  const runner = compile(plan(quantizedRoutine(net), { reuse: false }));
  runner.view("a.features").set(data.inputs.a.subarray(0, 72));
  runner.view("b.features").set(data.inputs.b.subarray(0, 108));
  runner.run();
  const x = data.inputs.b;
  const expected = Array.from({ length: 4 * 4 * 6 }, (_, i) => {
    const [oy, ox, n] = [Math.floor(i / 24), Math.floor(i / 6) % 4, i % 6];
    let acc = BigInt(conv.bias[n]);
    for (let tap = 0; tap < 27; tap++) {
      const [ky, kx, c] = [Math.floor(tap / 9), Math.floor(tap / 3) % 3, tap % 3];
      const value = x[((oy + ky) * 6 + ox + kx) * 3 + c];
      acc += BigInt(value * conv.weights[((ky * 3 + kx) * 3 + c) * 6 + n]);
    }
    const { shift, values } = conv.multipliers;
    const scaled = ((acc << BigInt(shift)) * BigInt(values[n]) + (1n << 30n)) >> 31n;
    return Math.max(-128, Math.min(127, Number(scaled) + conv.output.zeroPoint));
  });
  expect(Array.from(runner.view("b.conv"))).toEqual(expected);
});

test("a real factor becomes a fixed-point one within 2^-31 of it", () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 255, noNaN: true }), (factor) => {
      const { shift, values } = multipliersOf([factor]);
      const error = Math.abs(values[0] / 2 ** (31 - shift) - factor);
      return error <= 2 ** -(32 - shift) && values[0] > 0;
    }),
    { seed: 1 },
  );
  expect(() => multipliersOf([256])).toThrow(
    "requantize: real factor must be in (0, 256), got 256",
  );
});

test("the choice of bits is the best of all assignments that fit", () => {
  const layer = fc.record({
    bytes: fc.integer({ min: 1, max: 40 }),
    sensitivity: fc.integer({ min: 1, max: 1000 }),
  });
  fc.assert(
    fc.property(
      fc.array(layer, { minLength: 1, maxLength: 7 }),
      fc.double({ min: 0.55, max: 1, noNaN: true }),
      (list, share) => {
        const layers = list.map((l, i) => ({ ...l, name: `${i}` }));
        const sizeOf = (bits: (i: number) => number): number =>
          layers.reduce(
            (sum, { bytes }, i) => sum + (bits(i) === 4 ? Math.ceil(bytes / 2) : bytes),
            0,
          );
        const costOf = (bits: (i: number) => number): number =>
          layers.reduce((sum, { sensitivity }, i) => sum + (bits(i) === 4 ? sensitivity : 0), 0);
        const limit = Math.max(
          sizeOf(() => 4),
          Math.floor(sizeOf(() => 8) * share),
        );
        const all = Array.from(
          { length: 2 ** layers.length },
          (_, m) => (i: number) => ((m >> i) & 1 ? 4 : 8),
        );
        const best = Math.min(...all.filter((bits) => sizeOf(bits) <= limit).map(costOf));
        const chosen = chooseBits(layers, limit);
        const bits = (i: number): number => chosen.get(`${i}`) ?? 8;
        expect(sizeOf(bits)).toBeLessThanOrEqual(limit);
        expect(costOf(bits)).toBe(best);
      },
    ),
    { seed: 2 },
  );
});

test("a limit below 4 bits everywhere is refused with both numbers", () => {
  const layers = [{ name: "dense", bytes: 100, sensitivity: 1 }];
  expect(() => chooseBits(layers, 49)).toThrow(
    "weights need 50 bytes with 4 bits everywhere, limit 49",
  );
});

test("a channel whose weights are all but zero keeps its bias", () => {
  const inputs = [{ name: "x", shape: [2] }];
  const layers: Graph["layers"] = [
    { op: "dense", name: "out", inputs: ["x"], units: 3, bias: true },
  ];
  const net = { inputs, layers, classes: ["a", "b", "c"] };
  const values = {
    "out.weight": Float32Array.of(1e-9, 0, 0.02, 1e-9, 0, -0.01),
    "out.bias": Float32Array.of(0.41, -0.3, 0),
  };
  const few: Examples = {
    count: 16,
    inputs: { x: Int8Array.from({ length: 32 }, (_, i) => (i * 37) % 100) },
    labels: new Int32Array(16),
    groups: Array(16).fill("g"),
  };
  for (const precision of [8, 4] as const) {
    const { graph: integer } = compressGraph(net, values, few, { precision, inputScale });
    const { scale, zeroPoint } = integer.layers[0].output;
    const real = Array.from(quantizedScores(integer, few), (q) => (q - zeroPoint) * scale);
    expect(Math.abs(real[0] - 0.41)).toBeLessThan(scale);
    expect(Math.abs(real[1] + 0.3)).toBeLessThan(scale);
    expect(quantizedScores(integer, few)).toEqual(
      quantizedScores(integer, few, referenceRunner(integer)),
    );
  }
});

test("a ReLU6 is the largest integer of its layer, also where a wider range shares the scale", () => {
  const layers: Graph["layers"] = [
    { op: "dense", name: "wide", inputs: ["x"], units: 3, bias: true },
    { op: "dense", name: "bounded", inputs: ["x"], units: 3, bias: true },
    { op: "relu6", name: "six", inputs: ["bounded"] },
    { op: "concat", name: "out", inputs: ["wide", "six"] },
  ];
  const net = {
    inputs: [{ name: "x", shape: [4] }],
    layers,
    classes: ["a", "b", "c", "d", "e", "f"],
  };
  const values = {
    "wide.weight": Float32Array.from({ length: 12 }, (_, i) => i - 6),
    "wide.bias": new Float32Array(3),
    "bounded.weight": Float32Array.from({ length: 12 }, (_, i) => 4 - i),
    "bounded.bias": Float32Array.of(3, 9, -1),
  };
  const inputs = { x: data.inputs.a.subarray(0, 4 * data.count) };
  const few = { ...data, inputs };
  const { graph: integer } = compressGraph(net, values, few, { precision: 8, inputScale });
  const { scale, zeroPoint } = integer.layers[2].output;
  const scores = quantizedScores(integer, few);
  expect(scores).toEqual(quantizedScores(integer, few, referenceRunner(integer)));
  const real = Array.from(scores, (q) => (q - zeroPoint) * scale);
  const bounded = real.filter((_, i) => i % 6 >= 3);
  expect(Math.min(...bounded)).toBe(0);
  expect(Math.abs(Math.max(...bounded) - 6)).toBeLessThanOrEqual(scale / 2);
  expect(Math.max(...real)).toBeGreaterThan(9);
});

test.each<[string, Layer]>([
  ["add", { op: "add", name: "odd", inputs: ["one", "two"] }],
  ["averagePool", { op: "averagePool", name: "odd", inputs: ["two"], size: [2, 2] }],
  ["hardSwish", { op: "hardSwish", name: "odd", inputs: ["two"] }],
  ["conv2d", { ...conv, name: "odd", inputs: ["two"], groups: 2 }],
])("a layer without an integer form (%s) is refused by name", (op, odd) => {
  const layers: Graph["layers"] = [
    { ...conv, name: "one", inputs: ["x"] },
    { ...conv, name: "two", inputs: ["one"] },
    odd,
    { op: "globalAveragePool", name: "out", inputs: ["odd"] },
  ];
  const net = { inputs: [{ name: "x", shape: [6, 6, 3] }], layers, classes: ["a", "b"] };
  const few = { ...data, inputs: { x: data.inputs.b } };
  expect(() =>
    compressGraph(net, initialWeights(net, 1), few, { precision: 8, inputScale }),
  ).toThrow(`compress: layer odd (${op}) is not supported in this version`);
});

/** The test net with rounded weights everywhere. */
function rounded(step: "maxAbs" | "learned"): Graph {
  const layers = graph.layers.map((layer) =>
    layer.op === "conv2d" || layer.op === "depthwiseConv2d" || layer.op === "dense"
      ? { ...layer, quantize: { bits: 8, step } as const }
      : layer,
  );
  return { ...graph, layers };
}

test("weights rounded in training are the integers that compress stores", () => {
  const weight = trained["out.weight"];
  const [out] = rounded("maxAbs").layers.slice(-1);
  const net = {
    inputs: [{ name: "x", shape: [weight.length / 3] }],
    layers: [{ ...out, inputs: ["x"] }],
  };
  const runner = compileInference(net, { batch: 1, inputScale, keep: true });
  runner.view("out.weight").set(weight);
  runner.run();
  const { values } = quantizeWeights(weight, [0, 0, 0], 8);
  const steps = runner.view("out.step");
  const integers = Array.from(runner.view("out.quantized"), (q, i) => Math.round(q / steps[i % 3]));
  expect(integers).toEqual(Array.from(values));
});

test("a net trained with rounded weights compresses to the integers of its f32 weights", () => {
  const net = compressGraph(rounded("maxAbs"), trained, data, { precision: 8, inputScale });
  expect(packGraph(net.graph).bytes).toEqual(packGraph(at(8)).bytes);
  expect(() =>
    compressGraph(rounded("learned"), trained, data, { precision: 8, inputScale }),
  ).toThrow("compress: layer a.conv (learned steps) is not supported in this version");
});
