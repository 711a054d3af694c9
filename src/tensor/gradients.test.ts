/** Every operation: gradient against central differences, through a whole compiled step. */

import { expect, test } from "vitest";
import { compile, interpreter, plan } from "../kernel/index.ts";
import { compileTraining } from "./compile.ts";
import type { Layer } from "./layer.ts";
import { type Net, parametersOf } from "./net.ts";
import { random } from "./random.ts";
import { trainingRoutine } from "./routine.ts";

const BATCH = 4;
const SCALE = 1 / 32;

type Runner = ReturnType<typeof compileTraining>;

/** Random inputs, labels and parameters, no learning. */
function prepare(net: Net, runner: Runner): void {
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

/**
 * Largest difference between the compiled gradient and central differences, relative to the largest
 * gradient.
 */
function gradientError(
  net: Net,
  { smoothing = 0, step = 2 ** -7, share2 = [0, 0, 0, 0] } = {},
): number {
  const runner = compileTraining(net, { batch: BATCH, inputScale: SCALE, smoothing });
  prepare(net, runner);
  runner.view("$labels2").set([1, 1, 1, 2]);
  runner.view("$share2").set(share2);
  runner.run();
  const gradient = Float32Array.from(runner.view("$gradients") as Float32Array);
  const parameters = runner.view("$parameters");
  const generator = random(3);
  const largest = gradient.reduce((max, g) => Math.max(max, Math.abs(g)), 0);
  let worst = 0;
  for (let probe = 0; probe < 60; probe++) {
    const i = generator.integer(parameters.length);
    const value = parameters[i];
    const at = (shift: number): number => {
      parameters[i] = value + shift;
      runner.run();
      return runner.view("$loss")[0];
    };
    const numeric = (at(step) - at(-step)) / (2 * step);
    parameters[i] = value;
    worst = Math.max(worst, Math.abs(numeric - gradient[i]) / largest);
  }
  expect(largest).toBeGreaterThan(1e-3);
  return worst;
}

const input = { name: "x", shape: [7, 6, 3] };
const window = { kernel: [3, 3], stride: [1, 1], padding: "same" } as const;
const conv = (name: string, from: string, filters: number): Layer => ({
  op: "conv2d",
  name,
  inputs: [from],
  filters,
  bias: true,
  ...window,
});
const head: Layer[] = [
  { op: "globalAveragePool", name: "pool", inputs: ["last"] },
  { op: "dense", name: "out", inputs: ["pool"], units: 3, bias: true },
];

const CASES: Readonly<Record<string, readonly Layer[]>> = {
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

test.each(Object.entries(CASES))(
  "the gradient of %s equals central differences",
  (_name, layers) => {
    // f32 losses carry about 1e-7: a step of 2^-7 keeps that and the third-order term far below
    // 2e-3 of the largest
    // gradient. Where a maximum has kinks the step must be too small to cross one, and rounding
    // takes up to 5e-3.
    const hasKinks = layers.some(({ op }) =>
      ["relu", "relu6", "hardSwish", "maxPool"].includes(op),
    );
    const [step, tolerance] = hasKinks ? [2 ** -12, 5e-3] : [2 ** -7, 2e-3];
    expect(gradientError({ inputs: [input], layers }, { step })).toBeLessThan(tolerance);
  },
);

/** Two outputs at a time: see kernels/winograd.ts. */
const wide = { name: "x", shape: [6, 12, 3] };
const even: readonly Layer[] = [
  conv("first", "x", 5),
  { op: "batchNorm", name: "norm", inputs: ["first"], epsilon: 1e-3, momentum: 0.9 },
  { ...conv("last", "norm", 6), padding: "valid" } as Layer,
  ...head,
];

test("the gradient of convolutions by pairs of outputs equals central differences", () => {
  expect(gradientError({ inputs: [wide], layers: even })).toBeLessThan(2e-3);
  const valid = even.map((layer) =>
    layer.op === "conv2d" ? ({ ...layer, padding: "valid" } as Layer) : layer,
  );
  expect(gradientError({ inputs: [wide], layers: valid })).toBeLessThan(2e-3);
  for (const [layers, sums] of [
    [even, "lag_sums"],
    [valid, "gram"],
  ] as const) {
    const { calls } = trainingRoutine(
      { inputs: [wide], layers },
      { batch: BATCH, inputScale: SCALE },
    );
    const count = (name: string) => calls.filter(({ kernel }) => kernel.name === name).length;
    // both layers, and the second one's input
    expect([count("winograd"), count("winograd_weights")]).toEqual([3, 2]);
    expect(count(sums)).toBe(1);
  }
});

const MERGED = [
  "batch normalisation and relu",
  "batch normalisation in the middle",
  "pointwise convolution, relu, maximum and dropout in one",
];

const ROUNDED = { none: {}, ...both("maxAbs"), ...both("learned") };

function both(step: "maxAbs" | "learned") {
  return {
    [`8 bits ${step}`]: { quantize: { bits: 8, step } },
    [`4 bits ${step}`]: { quantize: { bits: 4, step } },
  };
}

const VARIANTS = MERGED.flatMap((name) =>
  Object.entries(ROUNDED).map(([rounding, quantize]) => ({ name, rounding, quantize })),
);

test.each(VARIANTS)(
  "$name have the gradients of the layers one by one, rounding: $rounding",
  ({ name, quantize }) => {
    const layers = CASES[name].map(
      (layer) => (layer.op === "conv2d" ? { ...layer, ...quantize } : layer) as Layer,
    );
    const net = { inputs: [input], layers };
    const [together, apart] = [true, false].map((merge) => {
      const routine = trainingRoutine(net, { batch: BATCH, inputScale: SCALE, merge });
      const runner = compile(plan(routine));
      prepare(net, runner);
      runner.run();
      return { calls: routine.calls.length, gradients: [...runner.view("$gradients")] };
    });
    expect(together.calls).toBeLessThan(apart.calls);
    const largest = Math.max(...apart.gradients.map(Math.abs));
    // sums in another order differ by their rounding
    together.gradients.forEach((gradient, i) => {
      expect(Math.abs(gradient - apart.gradients[i]) / largest).toBeLessThan(1e-5);
    });
  },
);

test("label smoothing has the right gradient", () => {
  expect(
    gradientError({ inputs: [input], layers: CASES["dense alone"] }, { smoothing: 0.1 }),
  ).toBeLessThan(2e-3);
});

test("two labels a sample have the right gradient, with smoothing as well", () => {
  const net = { inputs: [input], layers: CASES["dense alone"] };
  const share2 = [0.25, 0.5, 1, 0.75];
  expect(gradientError(net, { share2 })).toBeLessThan(2e-3);
  expect(gradientError(net, { share2, smoothing: 0.1 })).toBeLessThan(2e-3);
});

test("the loss of two labels is the mean of their losses by their shares", () => {
  const net = { inputs: [input], layers: CASES["dense alone"] };
  const runner = compileTraining(net, { batch: BATCH, inputScale: SCALE });
  prepare(net, runner);
  const lossOf = (labels: number[], labels2: number[], share2: number): number => {
    runner.view("$labels").set(labels);
    runner.view("$labels2").set(labels2);
    runner.view("$share2").fill(share2);
    runner.run();
    return runner.view("$loss")[0];
  };
  const [a, c] = [
    [0, 2, 1, 2],
    [1, 1, 1, 0],
  ];
  const [first, second] = [lossOf(a, c, 0), lossOf(c, a, 0)];
  expect(lossOf(a, c, 1)).toBeCloseTo(second, 5);
  expect(lossOf(a, c, 0.25)).toBeCloseTo(0.75 * first + 0.25 * second, 5);
});

test("a whole training step equals the interpreter to the bit", () => {
  const layers = [...CASES["batch normalisation and relu"]];
  const net = { inputs: [input], layers };
  const options = { batch: BATCH, inputScale: SCALE };
  const runners = [compileTraining(net, options), interpreter(plan(trainingRoutine(net, options)))];
  for (const runner of runners) {
    prepare(net, runner);
    runner.view("$hyper").set([0.01, 0.1, 0.001, 0]);
    runner.run();
  }
  const [wasm, reference] = runners.map((runner) => runner.view("$parameters"));
  expect(wasm).toEqual(reference);
  expect(runners[0].view("$running")).toEqual(runners[1].view("$running"));
});

test("a net with a layer that nothing reads, or that ends in a view, is refused", () => {
  const dead = [...CASES["dense alone"], { op: "relu", name: "dead", inputs: ["x"] } as Layer];
  const reordered = [dead[4], ...dead.slice(0, 4)];
  const options = { batch: BATCH, inputScale: SCALE };
  expect(() => compileTraining({ inputs: [input], layers: reordered }, options)).toThrow(
    "net: layer dead must be read by a later one",
  );
  const view = [CASES["dense alone"][0]];
  expect(() => compileTraining({ inputs: [input], layers: view }, options)).toThrow(
    "net: last layer must be one that computes",
  );
});

test("a ReLU over a view leaves the map alone for its other reader", () => {
  const layers: Layer[] = [
    conv("last", "x", 4),
    { op: "flatten", name: "flat", inputs: ["last"] },
    { op: "relu", name: "active", inputs: ["flat"] },
    { op: "globalAveragePool", name: "mean", inputs: ["last"] },
    { op: "concat", name: "both", inputs: ["active", "mean"] },
    { op: "dense", name: "out", inputs: ["both"], units: 3, bias: true },
  ];
  expect(gradientError({ inputs: [input], layers }, { step: 2 ** -12 })).toBeLessThan(5e-3);
});

test("a convolution in groups is one of zeros outside its groups", () => {
  const layers = (groups: number): Layer[] => [
    { ...conv("first", "x", 4), groups: 1 } as Layer,
    { ...conv("last", "first", 6), groups } as Layer,
    ...head,
  ];
  const runners = [1, 2].map((groups) => {
    const net = { inputs: [input], layers: layers(groups) };
    const runner = compileTraining(net, { batch: BATCH, inputScale: SCALE });
    prepare(net, runner);
    return runner;
  });
  const [whole, grouped] = runners.map((runner) => runner.view("last.weight"));
  whole.fill(0);
  grouped.forEach((value, i) => {
    // [kh, kw, 2, 6]: filters 0 to 2 read channels 0 and 1, filters 3 to 5 channels 2 and 3
    const [tap, c, f] = [Math.floor(i / 12), Math.floor(i / 6) % 2, i % 6];
    whole[(tap * 4 + c + (f < 3 ? 0 : 2)) * 6 + f] = value;
  });
  for (const name of ["first.weight", "first.bias", "last.bias", "out.weight", "out.bias"]) {
    runners[1].view(name).set(runners[0].view(name));
  }
  for (const runner of runners) runner.run();
  const [expected, logits] = runners.map((runner) => runner.view("$logits"));
  logits.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i], 4); // another order of the same sums
  });
  const odd = { inputs: [input], layers: layers(3) };
  expect(() => compileTraining(odd, { batch: BATCH, inputScale: SCALE })).toThrow(
    "last: groups must be a divisor of 4 channels and 6 filters, got 3",
  );
});
