/**
 * Fake quantization. A rounded value has no derivative to compare with: the definition is the
 * straight-through one, in which what rounding adds is a constant.
 */

import { describe, expect, test } from "vitest";
import { interpret } from "../kernel/index.ts";
import { compileTraining } from "./compile.ts";
import { activationLevels, type Levels, weightLevels } from "./kernels/levels.ts";
import { quantizeValues, quantizeValuesGradient, stepGradient } from "./kernels/quantize-values.ts";
import {
  maxAbsSteps,
  quantizeWeights,
  quantizeWeightsGradient,
} from "./kernels/quantize-weights.ts";
import type { Layer, WeightQuantization } from "./layer.ts";
import { type Net, parametersOf } from "./net.ts";
import { random } from "./random.ts";

const clamp = (v: number, { low, high }: Levels): number => Math.min(high, Math.max(low, v));

/** step * (clamp(value / step) + what rounding added at the origin), differentiated in doubles. */
function slopes(value: number, step: number, levels: Levels): { value: number; step: number } {
  const v = clamp(value / step, levels);
  const added = Math.round(v) - v;
  const y = (x: number, s: number): number => s * (clamp(x / s, levels) + added);
  const h = 1e-6;
  return {
    value: (y(value + h, step) - y(value - h, step)) / (2 * h),
    step: (y(value, step + h) - y(value, step - h)) / (2 * h),
  };
}

function noise(size: number, scale: number, seed: string): Float32Array {
  const generator = random(seed);
  return Float32Array.from({ length: size }, () => generator.normal() * scale);
}

test("weights are rounded as in compress: ties upward, 8 bits symmetric, 4 bits from -8", () => {
  const weight = Float32Array.of(0.5, -0.5, 1.5, -1.5, 6.6, 7.6, -7.6, -9, 127.6, -127.6);
  const run = (bits: 8 | 4): number[] => {
    const quantized = new Float32Array(10);
    const shape = { rows: 10, channels: 1 };
    const step = Float32Array.of(1);
    interpret(quantizeWeights(shape, weightLevels(bits)), { weight, step, quantized });
    return Array.from(quantized, (q) => q + 0);
  };
  expect(run(8)).toEqual([1, 0, 2, -1, 7, 8, -8, -9, 127, -127]);
  expect(run(4)).toEqual([1, 0, 2, -1, 7, 7, -8, -8, 7, -8]);
});

test("activations have the levels of s8: from -128, or from 0 with the zero point -128", () => {
  const round = (x: readonly number[], signed: boolean): number[] => {
    const y = new Float32Array(x.length);
    const buffers = { x: Float32Array.from(x), step: Float32Array.of(0.5), y };
    const shape = { rows: 1, C: x.length };
    interpret(quantizeValues(shape, activationLevels({ bits: 8, signed })), buffers);
    return Array.from(y, (value) => value + 0);
  };
  expect(round([-70, -0.75, 0.25, 63.6, 70], true)).toEqual([-64, -0.5, 0.5, 63.5, 63.5]);
  expect(round([-70, -0.3, 0.25, 127.2, 200], false)).toEqual([0, 0, 0.5, 127, 127.5]);
});

test("the largest weight of a channel is the largest integer, and zeros stay zeros", () => {
  const shape = { rows: 3, channels: 2 };
  const weight = Float32Array.of(-1.27, 0, 0.64, 0, 0.01, 0);
  const [step, quantized] = [new Float32Array(2), new Float32Array(6)];
  interpret(maxAbsSteps(shape, weightLevels(8)), { weight, step });
  interpret(quantizeWeights(shape, weightLevels(8)), { weight, step, quantized });
  expect(step[0]).toBeCloseTo(0.01, 7);
  quantized.forEach((value, i) => {
    expect(value).toBeCloseTo(weight[i], 6);
  });
});

test.each([8, 4] as const)("gradients of %i-bit weights and steps are straight through", (bits) => {
  const [shape, levels] = [{ rows: 40, channels: 5 }, weightLevels(bits)];
  // each channel reaches beyond its largest integer
  const step = Float32Array.of(1, 0.5, 0.3, 2, 0.7).map((s) => s / levels.high);
  const [weight, dquantized] = [noise(200, 0.6, "weight"), noise(200, 1, "gradient")];
  const [dweight, dstep] = [new Float32Array(200), new Float32Array(5)];
  const buffers = { weight, step, dquantized, dweight, dstep };
  interpret(quantizeWeightsGradient(shape, levels), buffers);
  const sums = new Float64Array(5);
  let outside = 0;
  weight.forEach((w, i) => {
    const slope = slopes(w, step[i % 5], levels);
    expect(dweight[i]).toBeCloseTo(dquantized[i] * slope.value, 5);
    sums[i % 5] += dquantized[i] * slope.step;
    if (slope.value < 0.5) outside += 1;
  });
  expect(outside).toBeGreaterThan(10);
  sums.forEach((sum, c) => {
    expect(dstep[c]).toBeCloseTo(sum / Math.sqrt(40 * levels.high), 4);
  });
});

test.each([
  [8, true],
  [8, false],
  [4, false],
] as const)("gradients of %i-bit activations, signed %s, are straight through", (bits, signed) => {
  const shape = { rows: 24, C: 5 };
  const levels = activationLevels({ bits, signed });
  const step = Float32Array.of(1 / levels.high);
  const [x, dy] = [noise(120, 1, "x"), noise(120, 1, "dy")];
  const [dx, partial, dstep] = [120, 5, 1].map((size) => new Float32Array(size));
  interpret(quantizeValuesGradient(shape, levels), { x, step, dy, dx, partial });
  interpret(stepGradient(5, 0.25), { shares: partial, dstep });
  let sum = 0;
  x.forEach((value, i) => {
    const slope = slopes(value, step[0], levels);
    expect(dx[i]).toBeCloseTo(dy[i] * slope.value, 5);
    sum += dy[i] * slope.step;
  });
  expect(dstep[0] / (sum / 4)).toBeCloseTo(1, 4);
});

const window = { kernel: [3, 3], stride: [1, 1], padding: "same" } as const;

/** Every layer that has weights, all of them quantized alike. */
function netOf(quantize?: WeightQuantization): Net {
  const conv = { op: "conv2d", bias: true, ...window } as const;
  const layers: Layer[] = [
    { ...conv, name: "conv", inputs: ["x"], filters: 5 },
    { ...window, op: "depthwiseConv2d", name: "depthwise", inputs: ["conv"], bias: true },
    { ...conv, name: "point", inputs: ["depthwise"], filters: 6, kernel: [1, 1] },
    { op: "globalAveragePool", name: "pool", inputs: ["point"] },
    { op: "dense", name: "out", inputs: ["pool"], units: 3, bias: true },
  ];
  const quantized = layers.map((layer) =>
    layer.op !== "globalAveragePool" && quantize !== undefined
      ? ({ ...layer, quantize } as Layer)
      : layer,
  );
  return { inputs: [{ name: "x", shape: [5, 4, 3] }], layers: quantized };
}

type Runner = ReturnType<typeof compileTraining>;

/** A step that learns nothing, with given parameters. */
function runnerOf(net: Net, parameters: (name: string, size: number) => Float32Array): Runner {
  const runner = compileTraining(net, { batch: 4, inputScale: 1 / 32 });
  const generator = random("inputs");
  runner.view("x").forEach((_, i, x) => {
    x[i] = Math.round(generator.normal() * 32);
  });
  for (const { name } of parametersOf(net)) {
    const view = runner.view(name);
    view.set(parameters(name, view.length));
  }
  runner.view("$labels").set([0, 2, 1, 2]);
  runner.view("$weight").set([0.4, 0.3, 0.2, 0.1]);
  runner.view("$hyper").set([0, 1, 1, 0]);
  runner.run();
  return runner;
}

const LAYERS = ["conv", "depthwise", "point", "out"];

describe.each([8, 4] as const)("a net of %i-bit weights", (bits) => {
  const weights = (name: string, size: number): Float32Array => noise(size, 0.4, name);
  const quantized = runnerOf(netOf({ bits, step: "maxAbs" }), weights);

  test("computes what the float net computes with the rounded weights, gradients too", () => {
    const float = runnerOf(netOf(), (name, size) => {
      const values = noise(size, 0.4, name);
      if (!name.endsWith(".weight")) return values;
      const [{ shape }] = parametersOf(netOf()).filter((parameter) => parameter.name === name);
      const channels = shape[shape.length - 1];
      const sizes = { rows: size / channels, channels };
      const [step, rounded] = [new Float32Array(channels), new Float32Array(size)];
      interpret(maxAbsSteps(sizes, weightLevels(bits)), { weight: values, step });
      const buffers = { weight: values, step, quantized: rounded };
      interpret(quantizeWeights(sizes, weightLevels(bits)), buffers);
      expect(rounded).not.toEqual(values);
      return rounded;
    });
    for (const name of ["$loss", "$logits", "$gradients"]) {
      expect(quantized.view(name)).toEqual(float.view(name));
    }
  });

  test("learned steps have the gradient of central differences where all is out of range", () => {
    const net = netOf({ bits, step: "learned" });
    const far = (name: string, size: number): Float32Array =>
      name.endsWith(".step")
        ? noise(size, 0, name).fill(0.3 / weightLevels(bits).high)
        : weights(name, size).map((w) => w + Math.sign(w));
    const runner = runnerOf(net, far);
    for (const layer of LAYERS) {
      const gradient = runner.view(`d.${layer}.step`)[1];
      const rows = runner.view(`${layer}.weight`).length / runner.view(`${layer}.step`).length;
      const step = runner.view(`${layer}.step`);
      const [value, h] = [step[1], step[1] / 16];
      const [up, down] = [value + h, value - h].map((moved) => {
        step[1] = moved;
        runner.run();
        return runner.view("$loss")[0];
      });
      step[1] = value;
      runner.run();
      const scale = 1 / Math.sqrt(rows * weightLevels(bits).high);
      const numeric = ((up - down) / (2 * h)) * scale;
      expect(Math.abs(numeric)).toBeGreaterThan(1e-4);
      expect(gradient / numeric).toBeCloseTo(1, 2);
    }
  });
});

describe("a net with quantized activations", () => {
  const [conv, depthwise, point, ...rest] = netOf().layers;
  const netWith = (learned: boolean): Net => {
    const shared = { bits: 8, signed: true, learned } as const;
    const rounded = {
      op: "fakeQuantize",
      name: "rounded",
      inputs: ["depthwise"],
      ...shared,
    } as const;
    const layers = [conv, depthwise, rounded, { ...point, inputs: ["rounded"] }, ...rest];
    return { ...netOf(), layers };
  };
  const runner = runnerOf(netWith(true), (name, size) =>
    name.endsWith(".step") ? Float32Array.of(0.02) : noise(size, 0.4, name),
  );
  const lossAt = (name: string, i: number, value: number): number => {
    const view = runner.view(name);
    const kept = view[i];
    view[i] = value;
    runner.run();
    view[i] = kept;
    return runner.view("$loss")[0];
  };

  test("has a step that is trained only if it is learned", () => {
    const isTrained = (learned: boolean) =>
      parametersOf(netWith(learned)).find(({ name }) => name === "rounded.step")?.trainable;
    expect([isTrained(true), isTrained(false)]).toEqual([true, false]);
  });

  test("has the gradients of central differences behind the rounding", () => {
    const [value, h] = [runner.view("point.bias")[0], 2 ** -7];
    const numeric = lossAt("point.bias", 0, value + h) - lossAt("point.bias", 0, value - h);
    runner.run();
    expect(runner.view("d.point.bias")[0] / (numeric / (2 * h))).toBeCloseTo(1, 2);
  });

  test("has the step's gradient of central differences where all is out of range", () => {
    const step = 1e-5; // no value lies within 127 of it
    const numeric = lossAt("rounded.step", 0, 1.5 * step) - lossAt("rounded.step", 0, 0.5 * step);
    lossAt("rounded.step", 0, step);
    const gradient = runner.view("d.rounded.step")[0] * Math.sqrt(5 * 4 * 5 * 127);
    expect(gradient / (numeric / step)).toBeCloseTo(1, 1);
  });
});

test("a pointwise convolution merged with the layers after it computes with its rounded weights", () => {
  const layers = (quantize?: WeightQuantization): Layer[] => [
    {
      op: "conv2d",
      name: "point",
      inputs: ["x"],
      filters: 6,
      bias: true,
      ...window,
      kernel: [1, 1],
      ...(quantize === undefined ? {} : { quantize }),
    },
    { op: "relu", name: "active", inputs: ["point"] },
    { op: "maxPool", name: "tiles", inputs: ["active"], size: [2, 2] },
    { op: "globalAveragePool", name: "pool", inputs: ["tiles"] },
    { op: "dense", name: "out", inputs: ["pool"], units: 3, bias: true },
  ];
  const weights = (name: string, size: number): Float32Array => noise(size, 0.4, name);
  const [float, coarse] = [undefined, { bits: 4, step: "maxAbs" } as const].map((quantize) =>
    runnerOf({ ...netOf(), layers: layers(quantize) }, weights),
  );
  expect(coarse.view("$loss")).not.toEqual(float.view("$loss"));
  expect(coarse.view("$loss")[0]).toBeCloseTo(float.view("$loss")[0], 1);
});
