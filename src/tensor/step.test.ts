/** A compiled step beside other ways to the same numbers: layers one by one, the interpreter, zeros. */

import { expect, test } from "vitest";
import { BATCH, CASES, conv, head, input, prepare, SCALE } from "../../test/small-nets.ts";
import { compile, interpreter, plan } from "../kernel/index.ts";
import { compileTraining } from "./compile.ts";
import type { Layer } from "./layer.ts";
import { trainingRoutine } from "./routine.ts";

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
