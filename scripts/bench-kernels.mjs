/**
 * How far the kernels of a training step are from what this machine can do: f32 operations a second
 * of each, alone and with what one sample needs in cache, beside the peak of 128-bit SIMD, measured
 * in the same run by a loop that only multiplies and adds in registers. Times are of the process,
 * the best of seven rounds.
 *
 *   node scripts/bench-kernels.mjs [--preset tinym2net|ds-cnn]
 */

import { parseArgs } from "node:util";
import { benchGraph } from "../dist/apps/cli/bench-nets.js";
import { features, kernel, tensor } from "../dist/src/index.js";

const { build: b } = kernel;
const BATCH = 64;
const ROUNDS = 7;
const ROUND_MS = 12;
const fused = kernel.hasFusedMultiplyAdd();

function processMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Milliseconds of the process that a run takes. */
function timeOf(run) {
  const timed = (count) => {
    const start = processMs();
    for (let i = 0; i < count; i++) run();
    return processMs() - start;
  };
  timed(3);
  let count = 1;
  while (timed(count) < ROUND_MS) count *= 2;
  return Math.min(...Array.from({ length: ROUNDS }, () => timed(count))) / count;
}

/** A kernel alone, on memory of its own. */
function alone(one) {
  const storage = one.buffers.map((buffer) => ({ ...buffer, role: "output" }));
  const bindings = Object.fromEntries(storage.map(({ name }) => [name, name]));
  const calls = [kernel.call(one.name, one, bindings)];
  return kernel.compile(kernel.plan({ storage, calls }), { fused });
}

const ARITHMETIC = new Set(["add", "sub", "mul", "div", "min", "max", "sqrt", "select"]);

/** f32 operations of an expression; addresses, conversions and comparisons are not counted. */
function operationsOf(expr) {
  const parts = [expr.a, expr.b, expr.condition].filter((part) => part !== undefined);
  const own = expr.type === "f32" && ARITHMETIC.has(expr.op) ? 1 : 0;
  return parts.reduce((sum, part) => sum + operationsOf(part), own);
}

/** f32 operations of statements; undefined where the data decide how many there are. */
function countOf(body, known = new Map()) {
  let total = 0;
  for (const statement of body) {
    if (statement.op === "when") return undefined;
    if (statement.op !== "for") total += operationsOf(statement.value);
    else {
      const { variable, step } = statement;
      const [from, to] = [statement.from, statement.to].map((bound) => boundOf(bound, known));
      if (from === undefined || to === undefined) return undefined;
      const changes = JSON.stringify(statement.body.filter(({ op }) => op === "for")).includes(
        `"name":"${variable.name}"`,
      );
      for (let i = from; i < to; i += step) {
        const inner = countOf(statement.body, new Map(known).set(variable.name, i));
        if (inner === undefined) return undefined;
        const times = changes ? 1 : Math.ceil((to - i) / step);
        total += inner * times;
        i += (times - 1) * step;
      }
    }
  }
  return total;
}

function boundOf(expr, known) {
  if (expr.op === "constant") return expr.value;
  if (expr.op === "variable") return known.get(expr.name);
  if (expr.b === undefined) return undefined;
  if (expr.op === "select") {
    const condition = boundOf(expr.condition, known);
    return condition === undefined ? undefined : boundOf(condition ? expr.a : expr.b, known);
  }
  const [x, y] = [boundOf(expr.a, known), boundOf(expr.b, known)];
  if (x === undefined || y === undefined) return undefined;
  const values = { add: x + y, sub: x - y, mul: x * y, min: Math.min(x, y), max: Math.max(x, y) };
  return { ...values, less: Number(x < y) }[expr.op];
}

/** Eight sums in registers, nothing loaded. */
function peakOf() {
  const [size, rounds] = [32, 4096];
  const y = b.buffer("y", "f32", [size]);
  const sum = b.variable("sum", "f32");
  const half = b.variable("half", "f32");
  const body = b.lanes(
    "i",
    size,
    (i) => [
      b.declare(sum, b.load(y, i)),
      b.declare(half, 0.5),
      b.loop("r", rounds, () => [b.set(sum, b.add(b.mul(sum, half), half))]),
      b.store(y, [i], sum),
    ],
    { vectors: 8 },
  );
  const runner = alone(b.kernel("peak", [y], [body]));
  return (2 * size * rounds) / timeOf(() => runner.run()) / 1e6;
}

const { values } = parseArgs({ options: { preset: { type: "string", default: "tinym2net" } } });
const graph = benchGraph(values.preset);
const peak = peakOf();
const routine = tensor.trainingRoutine(graph, {
  batch: BATCH,
  inputScale: features.FEATURE_SCALE,
});
const rows = new Map();
for (const { label, kernel: one, each } of routine.calls) {
  const key = kernel.kernelKey(one);
  const times = each?.items ?? 1;
  const known = rows.get(key);
  if (known !== undefined) known.times += times;
  else {
    const runner = alone(one);
    const count = countOf(one.body);
    rows.set(key, { name: one.name, label, times, count, ms: timeOf(() => runner.run()) });
  }
}
const bytesOf = new Map(routine.calls.map(({ kernel: one }) => [kernel.kernelKey(one), one]));
const all = [...rows].map(([key, row]) => {
  const { buffers } = bytesOf.get(key);
  const bytes = buffers.reduce((sum, buffer) => sum + kernel.bytesOf(buffer), 0);
  return { ...row, bytes, share: row.ms * row.times };
});
const step = all.reduce((sum, { share }) => sum + share, 0);
console.log(
  `${values.preset}, batch ${BATCH}, Node ${process.version}, ${process.platform} ${process.arch}, ` +
    `${fused ? "fused multiply-add" : "multiply and add"}: peak ${peak.toFixed(1)} GFLOP/s, one thread`,
);
console.log("\n| kernel | of layer | share of the step | kB | GFLOP/s | of the peak | GB/s |");
console.log("| --- | --- | --- | --- | --- | --- | --- |");
for (const { name, label, count, ms, bytes, share } of all.sort((x, y) => y.share - x.share)) {
  if (share / step < 0.005) continue;
  const rate = count === undefined ? undefined : count / ms / 1e6;
  const cells = [
    name,
    label,
    `${((100 * share) / step).toFixed(1)} %`,
    (bytes / 1000).toFixed(0),
    rate === undefined ? "–" : rate.toFixed(1),
    rate === undefined ? "–" : `${((100 * rate) / peak).toFixed(0)} %`,
    (bytes / ms / 1e6).toFixed(1),
  ];
  console.log(`| ${cells.join(" | ")} |`);
}
