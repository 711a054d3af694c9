/**
 * What a product costs where it really runs: time, instructions, code and stack.
 *
 * A number says on what it was taken; where the tool for it is missing there is none, and a reason
 * instead.
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { emitC, type Product, productName, streamProduct } from "../deploy/index.ts";
import { compile as compileWasm } from "../kernel/index.ts";
import { codeReading, type Reading, stackReading } from "./sections.ts";
import { bytesOfSample, type Inputs, runSample, type TargetName } from "./targets.ts";
import { type Environment, hasTool, inFolder, runTool } from "./tool.ts";
import {
  type Compiler,
  compile,
  compilerReason,
  findCompiler,
  STRICT_FLAGS,
  withDriver,
} from "./toolchain.ts";

export interface Latency {
  /** Median. */
  readonly latencyMs: Reading;
  readonly fastestMs: number | null;
  readonly slowestMs: number | null;
  readonly runs: number;
}

export interface Build {
  readonly cpu: "host" | "cortex-m4";
  /** Text and read-only data of the object at -Os, without the product's constants. */
  readonly codeBytes: Reading;
  /** The run function, its deepest kernel and the deepest support function, at -Os. */
  readonly stackBytes: Reading;
}

interface Options {
  readonly runs?: number;
  readonly environment?: Environment;
}

/**
 * Milliseconds of one inference on this machine, over `runs` runs after one that is not counted.
 */
export async function measureLatency(
  product: Product,
  target: TargetName,
  sample: Inputs,
  { runs = 50, environment = process.env }: Options = {},
): Promise<Latency> {
  if (target === "wasm") {
    return summary(wasmTimes(product, sample, runs), `WebAssembly, Node ${process.version}`);
  }
  const compiler = findCompiler(environment);
  if (compiler === undefined) {
    const latencyMs = { value: null, reason: compilerReason(environment) };
    return { latencyMs, fastestMs: null, slowestMs: null, runs: 0 };
  }
  const text = await withDriver(product, compiler, ({ run }) =>
    run(["time", `${runs}`], bytesOfSample(product, sample)),
  );
  const lines = new TextDecoder().decode(text).trim().split("\n");
  const times = lines.map((line) => Number(line) / 1e6);
  return summary(times, `host, ${process.arch}, ${compiler.command} -O2`);
}

function wasmTimes(product: Product, sample: Inputs, runs: number): number[] {
  const runner = compileWasm(product.program);
  runSample(product, runner, sample);
  return Array.from({ length: runs }, () => {
    const start = performance.now();
    runner.run();
    return performance.now() - start;
  });
}

function summary(times: readonly number[], on: string): Latency {
  const sorted = [...times].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median =
    sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return {
    latencyMs: { value: median, on },
    fastestMs: sorted[0],
    slowestMs: sorted[sorted.length - 1],
    runs: times.length,
  };
}

/** Instructions of one inference of the portable C on this host: the difference of two counts. */
export async function measureInstructions(
  product: Product,
  sample: Inputs,
  { environment = process.env }: Options = {},
): Promise<Reading> {
  const compiler = findCompiler(environment);
  if (compiler === undefined) return { value: null, reason: compilerReason(environment) };
  if (!hasTool("valgrind", environment)) return { value: null, reason: "no valgrind on PATH" };
  const input = bytesOfSample(product, sample);
  return withDriver(product, compiler, async ({ path }) => {
    const [once, twice] = [
      await countInstructions(path, 1, input),
      await countInstructions(path, 2, input),
    ];
    if (once === undefined || twice === undefined) {
      return { value: null, reason: "valgrind gave no count" };
    }
    return { value: twice - once, on: `host, ${process.arch}, ${compiler.command} -O2, callgrind` };
  });
}

async function countInstructions(
  path: string,
  runs: number,
  input: Uint8Array,
): Promise<number | undefined> {
  const flags = ["--tool=callgrind", `--callgrind-out-file=${path}.out`];
  const { stderr } = await runTool("valgrind", [...flags, path, "repeat", `${runs}`], { input });
  const [, count] = /Collected\s*:\s*(\d+)/.exec(stderr) ?? [];
  return count === undefined ? undefined : Number(count);
}

/** Bytes of code and stack as this host's compiler and, if installed, Arm's make them. */
export async function measureBuilds(
  product: Product,
  { environment = process.env }: Options = {},
): Promise<Build[]> {
  const host = findCompiler(environment);
  const arm = { command: "arm-none-eabi-gcc", leading: ["-mcpu=cortex-m4", "-mthumb"] };
  const hostBuild =
    host === undefined
      ? missingBuild("host", compilerReason(environment))
      : buildOf(product, "host", host, "size", environment);
  const armBuild = hasTool(arm.command, environment)
    ? buildOf(product, "cortex-m4", arm, "arm-none-eabi-size", environment)
    : missingBuild("cortex-m4", "no arm-none-eabi-gcc on PATH");
  return Promise.all([hostBuild, armBuild]);
}

function missingBuild(cpu: Build["cpu"], reason: string): Build {
  return { cpu, codeBytes: { value: null, reason }, stackBytes: { value: null, reason } };
}

function buildOf(
  product: Product,
  cpu: Build["cpu"],
  compiler: Compiler,
  sizeTool: string,
  environment: Environment,
): Promise<Build> {
  const on = `${cpu}, ${[compiler.command, ...compiler.leading].join(" ")} -Os`;
  return inFolder(emitC(product), async (folder) => {
    const units = unitsOf(product);
    for (const { name } of units) {
      const flags = [...STRICT_FLAGS, "-Os", "-c", `${name}.c`, "-o", `${name}.o`];
      await compile(compiler, flags, folder);
    }
    const objects = units.map(({ name }) => `${name}.o`);
    const codeBytes = hasTool(sizeTool, environment)
      ? codeReading(product, await runTool(sizeTool, ["-A", ...objects], { folder }), on)
      : { value: null, reason: `no ${sizeTool} on PATH` };
    return { cpu, codeBytes, stackBytes: await measureStack(units, compiler, folder, on) };
  });
}

/** A source file of the package and the function that others call. */
interface Unit {
  readonly name: string;
  readonly entry: string;
}

function unitsOf(product: Product): Unit[] {
  const streams = (product.streams ?? []).map((stream) => streamProduct(product, stream).name);
  const name = productName(product.name);
  return [
    { name, entry: `${name}_run` },
    ...streams.map((stream) => ({ name: stream, entry: `${stream}_push` })),
  ];
}

/**
 * The deepest of all sources. clang of some versions and other compilers know no -fstack-usage: that
 * is a reason, not a failure.
 */
async function measureStack(
  units: readonly Unit[],
  { command, leading }: Compiler,
  folder: string,
  on: string,
): Promise<Reading> {
  const readings: Reading[] = [];
  for (const { name, entry } of units) {
    const flags = [...leading, ...STRICT_FLAGS, "-Os", "-fstack-usage", "-c", `${name}.c`];
    const { code } = await runTool(command, [...flags, "-o", "stack.o"], { folder });
    const usage = await readFile(join(folder, "stack.su"), "utf8").catch(() => undefined);
    if (code !== 0 || usage === undefined) {
      return { value: null, reason: `${command} has no -fstack-usage` };
    }
    readings.push(stackReading(entry, usage, on));
  }
  return readings.reduce((a, c) => ((a.value ?? Infinity) >= (c.value ?? Infinity) ? a : c));
}
