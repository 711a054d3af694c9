/** Small nets of every operation, and random values for them: what tests of compiled steps share. */

import type { compileTraining } from "../src/tensor/compile.ts";
import type { Layer } from "../src/tensor/layer.ts";
import { type Net, parametersOf } from "../src/tensor/net.ts";
import { random } from "../src/tensor/random.ts";

export const BATCH = 4;
export const SCALE: number = 1 / 32;

type Runner = ReturnType<typeof compileTraining>;

/** Random inputs, labels and parameters, no learning. */
export function prepare(net: Net, runner: Runner): void {
  const generator = random(7);
  for (const { name } of net.inputs) {
    const x = runner.view(name);
    for (let i = 0; i < x.length; i++) x[i] = Math.round(generator.normal() * 32);
  }
  for (const { name } of parametersOf(net)) {
    const p = runner.view(name);
    for (let i = 0; i < p.length; i++)
      p[i] = name.endsWith("step")
        ? 0.05 + Math.abs(generator.normal()) / 20
        : generator.normal() * 0.4 + (name.endsWith("gamma") ? 1 : 0);
  }
  runner.view("$labels").set([0, 2, 1, 2]);
  runner.view("$weight").set([0.4, 0.3, 0.2, 0.1]);
  runner.view("$hyper").set([0, 1, 1, 0]);
  runner.view("$counter").set([1, 1]);
}

export const input: { name: string; shape: readonly number[] } = { name: "x", shape: [7, 6, 3] };
const window = { kernel: [3, 3], stride: [1, 1], padding: "same" } as const;
export const conv = (name: string, from: string, filters: number): Layer => ({
  op: "conv2d",
  name,
  inputs: [from],
  filters,
  bias: true,
  ...window,
});
export const head: Layer[] = [
  { op: "globalAveragePool", name: "pool", inputs: ["last"] },
  { op: "dense", name: "out", inputs: ["pool"], units: 3, bias: true },
];

export const CASES: Readonly<Record<string, readonly Layer[]>> = {
  "dense alone": [
    { op: "flatten", name: "flat", inputs: ["x"] },
    { op: "dense", name: "hidden", inputs: ["flat"], units: 9, bias: true },
    { op: "relu", name: "active", inputs: ["hidden"] },
    { op: "dense", name: "out", inputs: ["active"], units: 3, bias: false },
  ],
  "dense of many blocks of inputs": [
    { ...conv("wide", "x", 32), kernel: [1, 1] } as Layer,
    { op: "flatten", name: "flat", inputs: ["wide"] },
    { op: "dense", name: "out", inputs: ["flat"], units: 3, bias: true },
  ],
  "convolution after convolution": [conv("first", "x", 5), conv("last", "first", 6), ...head],
  "strided valid convolution": [
    conv("first", "x", 5),
    { ...conv("last", "first", 6), stride: [2, 2], padding: "valid", kernel: [2, 3] } as Layer,
    ...head,
  ],
  "pointwise convolution": [
    conv("first", "x", 5),
    { ...conv("last", "first", 6), kernel: [1, 1] } as Layer,
    ...head,
  ],
  "convolution in groups": [
    conv("first", "x", 4),
    { ...conv("last", "first", 6), groups: 2 } as Layer,
    ...head,
  ],
  "strided convolution in groups": [
    { ...conv("first", "x", 6), groups: 3 } as Layer,
    {
      ...conv("last", "first", 6),
      groups: 3,
      stride: [2, 2],
      kernel: [3, 2],
      bias: false,
    } as Layer,
    ...head,
  ],
  "depthwise convolution": [
    conv("first", "x", 5),
    { op: "depthwiseConv2d", name: "last", inputs: ["first"], bias: true, ...window },
    ...head,
  ],
  "strided depthwise convolution": [
    conv("first", "x", 5),
    {
      op: "depthwiseConv2d",
      name: "last",
      inputs: ["first"],
      bias: true,
      ...window,
      stride: [2, 2],
    },
    ...head,
  ],
  "batch normalisation and relu": [
    conv("first", "x", 5),
    { op: "batchNorm", name: "norm", inputs: ["first"], momentum: 0.1, epsilon: 1e-3 },
    { op: "relu", name: "active", inputs: ["norm"] },
    conv("last", "active", 4),
    ...head,
  ],
  "batch normalisation in the middle": [
    conv("first", "x", 5),
    { op: "depthwiseConv2d", name: "deep", inputs: ["first"], bias: false, ...window },
    { op: "batchNorm", name: "norm", inputs: ["deep"], momentum: 0.1, epsilon: 1e-3 },
    { op: "relu", name: "active", inputs: ["norm"] },
    conv("last", "active", 4),
    ...head,
  ],
  "maximum pooling of odd extents": [
    conv("first", "x", 5),
    { op: "maxPool", name: "last", inputs: ["first"], size: [2, 2] },
    ...head,
  ],
  "pointwise convolution, relu, maximum and dropout in one": [
    conv("first", "x", 5),
    { ...conv("point", "first", 6), kernel: [1, 1] } as Layer,
    { op: "relu", name: "active", inputs: ["point"] },
    { op: "maxPool", name: "tiles", inputs: ["active"], size: [2, 2] },
    { op: "dropout", name: "last", inputs: ["tiles"], rate: 0.3 },
    ...head,
  ],
  "average pooling of odd extents": [
    conv("first", "x", 5),
    { op: "averagePool", name: "last", inputs: ["first"], size: [2, 4] },
    ...head,
  ],
  hardSwish: [
    conv("first", "x", 5),
    conv("second", "first", 5),
    { op: "hardSwish", name: "active", inputs: ["second"] },
    conv("last", "active", 4),
    ...head,
  ],
  relu6: [
    conv("first", "x", 5),
    conv("second", "first", 5), // so that values spread beyond both bends
    { op: "relu6", name: "active", inputs: ["second"] },
    conv("last", "active", 4),
    ...head,
  ],
  "a residual sum whose inputs are read again, one through a relu": [
    conv("first", "x", 4),
    conv("second", "first", 4),
    { op: "relu", name: "active", inputs: ["second"] },
    conv("third", "active", 4),
    { op: "add", name: "sum", inputs: ["first", "active", "third"] },
    { op: "relu", name: "last", inputs: ["sum"] },
    ...head,
  ],
  dropout: [
    conv("first", "x", 5),
    { op: "dropout", name: "last", inputs: ["first"], rate: 0.3 },
    ...head,
  ],
  "a value read twice, and concatenation": [
    conv("last", "x", 4),
    { op: "globalAveragePool", name: "a", inputs: ["last"] },
    { op: "maxPool", name: "tiles", inputs: ["last"], size: [3, 3] },
    { op: "flatten", name: "b", inputs: ["tiles"] },
    { op: "concat", name: "both", inputs: ["a", "b"] },
    { op: "dense", name: "out", inputs: ["both"], units: 3, bias: true },
  ],
};
