/** bench RUN | --preset NAME: time, instructions and memory of a product on targets. */

import {
  measureBuilds,
  measureFrontend,
  measureInstructions,
  measureLatency,
  requireAvailable,
  targetNames,
  target as targetOf,
} from "../../../src/bench/index.ts";
import { compressGraph } from "../../../src/compress/index.ts";
import { constantBytes, lower, type Product } from "../../../src/deploy/index.ts";
import { UserError, unknown } from "../../../src/errors.ts";
import {
  channelCount,
  defaultAudioSpec,
  FEATURE_SCALE,
  type FeatureSpec,
  type Frontend,
  featureShape,
} from "../../../src/features/index.ts";
import { encodeModule, type TypedArray, viewOf } from "../../../src/kernel/index.ts";
import { costOf, type Graph, initialWeights } from "../../../src/model/index.ts";
import { random } from "../../../src/tensor/index.ts";
import { benchGraph, randomExamples } from "../bench-nets.ts";
import { type Context, pause } from "../context.ts";
import { memoryOf, readProduct } from "../product.ts";
import { readModel } from "../run.ts";
import { writeJson } from "../run-folder.ts";
import { quoted } from "../shell.ts";
import { formatBytes, formatCount } from "../terminal/format.ts";
import { renderTable } from "../terminal/table.ts";

export interface BenchOptions {
  readonly preset?: string;
  readonly bits?: string;
  readonly targets?: readonly string[];
  readonly seed?: number;
}

export interface TargetBench {
  /** null with a reason where this machine cannot count them. */
  readonly instructions: number | null;
  readonly macs: number;
  readonly flashBytes: number;
  readonly arenaBytes: number;
  readonly ramBytes: number;
  readonly stackBytes: number | null;
  /** Median, measured on this machine; null if it cannot run here. */
  readonly latencyMs: number | null;
  readonly measuredOn: string;
  readonly notes: readonly string[];
}

/** A front-end on a Cortex-M4, emulated. */
export interface FrontendBench {
  readonly kind: string;
  /** What the instructions are for: a second of sound, a picture. */
  readonly per: "second" | "picture" | "window";
  readonly instructions: number | null;
  readonly ramBytes: number;
  /** Tables, and code where a compiler says. */
  readonly flashBytes: number;
  readonly notes: readonly string[];
}

export interface BenchResult {
  readonly net: string;
  readonly targets: Readonly<Record<string, TargetBench>>;
  /** By modality. */
  readonly frontends: Readonly<Record<string, FrontendBench>>;
}

export async function bench(
  context: Context,
  run: string | undefined,
  options: BenchOptions,
): Promise<BenchResult> {
  const { environment, reporter } = context;
  const wanted = (options.targets ?? targetNames).map((name) => targetOf(name, { environment }));
  if (options.targets !== undefined) for (const target of wanted) await requireAvailable(target);
  const { product, macs, frontend, ...source } =
    run === undefined
      ? await context.blocking(() => presetProduct(options))
      : await runProduct(run, options);
  const targets: Record<string, TargetBench> = {};
  for (const { name } of wanted) {
    reporter.stage(`bench ${name}`);
    targets[name] = await benchTarget(context, product, macs, name);
    await pause(context);
    reporter.done();
  }
  const frontends: Record<string, FrontendBench> = {};
  for (const [modality, spec] of Object.entries(frontend)) {
    reporter.stage(`bench front-end ${modality}`);
    frontends[modality] = await benchFrontend(context, spec);
    reporter.done();
  }
  const result = { net: product.name, targets, frontends };
  if (run !== undefined) await writeJson(run, "bench.json", { ...source, ...result });
  print(context, result);
  context.print(run === undefined ? "" : `Next: ${context.program} report ${quoted(run)}`);
  return result;
}

async function runProduct(run: string, { preset, bits }: BenchOptions) {
  if (preset !== undefined || bits !== undefined) {
    throw new UserError("bench: a run has its own net and bits; give RUN or --preset, not both");
  }
  const { graph, frontend } = await readModel(run);
  return { ...(await readProduct(run)), macs: costOf(graph).macs, frontend };
}

/** A preset with seeded random weights; the features are its inputs. */
function presetProduct({ preset: name, bits = "8", seed = 1 }: BenchOptions) {
  if (name === undefined)
    throw new UserError("bench: give a RUN folder, --preset NAME or `training`");
  const precision = bits === "8" ? 8 : bits === "4" ? 4 : undefined;
  if (precision === undefined) throw unknown("bits", bits, ["8", "4"]);
  const graph: Graph = benchGraph(name);
  const examples = randomExamples(graph, 32, seed);
  const weights = initialWeights(graph, seed);
  const options = { precision, inputScale: FEATURE_SCALE } as const;
  const compressed = compressGraph(graph, weights, examples, options);
  const product = lower(compressed.graph, {}, { name: `${name}-${bits}-bit` });
  return { product, macs: costOf(graph).macs, frontend: presetFrontend(graph) };
}

/** The default front-end of each input that has its shape, at 16 kHz, with any scaling. */
function presetFrontend({ inputs }: Graph): Frontend {
  const sound = defaultAudioSpec({ sampleRateHz: 16000 });
  const offset = new Array<number>(channelCount(sound)).fill(0);
  const spec = { ...sound, scaling: { offset, multiplier: offset.map(() => 2 ** 20) } };
  const fitting = inputs.filter(({ shape }) => `${shape}` === `${featureShape(sound)}`);
  return Object.fromEntries(fitting.map(({ name }) => [name, spec]));
}

async function benchFrontend({ environment }: Context, spec: FeatureSpec): Promise<FrontendBench> {
  const { kind, per, instructions, codeBytes, tableBytes, ramBytes } = await measureFrontend(spec, {
    environment,
  });
  const notes = [
    instructions.value === null
      ? `instructions: ${instructions.reason}`
      : `instructions counted on ${instructions.on}`,
    codeBytes.value === null ? `flash without code: ${codeBytes.reason}` : `code: ${codeBytes.on}`,
  ];
  const flashBytes = tableBytes + (codeBytes.value ?? 0);
  return { kind, per, instructions: instructions.value, ramBytes, flashBytes, notes };
}

/** The first golden vector, or seeded noise. */
function sampleOf(product: Product): Readonly<Record<string, TypedArray>> {
  const [example] = product.examples;
  if (example !== undefined) return example.inputs;
  const generator = random("bench");
  return Object.fromEntries(
    product.inputs.map(({ name }) => {
      const { type = "s8", shape = [1] } =
        product.program.storage.find((s) => s.name === name) ?? {};
      const values = viewOf(type, shape, new ArrayBuffer(shape.reduce((a, b) => a * b, 4)), 0);
      return [name, values.map(() => Math.round(generator.normal() * 32))];
    }),
  );
}

async function benchTarget(
  { environment }: Context,
  product: Product,
  macs: number,
  name: "portable" | "wasm",
): Promise<TargetBench> {
  const sample = sampleOf(product);
  const latency = await measureLatency(product, name, sample, { environment });
  const notes: string[] = [];
  const noted = (
    reading: { value: number | null; reason?: string },
    what: string,
  ): number | null => {
    if (reading.value === null) notes.push(`${what}: ${reading.reason ?? "not measured"}`);
    return reading.value;
  };
  const memory = memoryOf(product);
  const latencyMs = noted(latency.latencyMs, "latency");
  const measuredOn = "on" in latency.latencyMs ? latency.latencyMs.on : "";
  const { arenaBytes, ramBytes } = memory;
  if (name === "wasm") {
    notes.push("instructions: WebAssembly has no counter");
    // the module holds constants and code; exact
    const flashBytes = encodeModule(product.program).length;
    const rest = { flashBytes, arenaBytes, ramBytes, stackBytes: null };
    return { instructions: null, macs, ...rest, latencyMs, measuredOn, notes };
  }
  const instructions = noted(
    await measureInstructions(product, sample, { environment }),
    "instructions",
  );
  const builds = await measureBuilds(product, { environment });
  const build = builds.find(({ cpu }) => cpu === "cortex-m4") ?? builds[0];
  const code = build === undefined ? null : noted(build.codeBytes, "code");
  const stackBytes = build === undefined ? null : noted(build.stackBytes, "stack");
  if (code !== null) notes.push(`code and stack: measured for ${build?.cpu ?? ""}`);
  const flashBytes = code === null ? memory.flashBytes : constantBytes(product) + code;
  return {
    instructions,
    macs,
    flashBytes,
    arenaBytes,
    ramBytes,
    stackBytes,
    latencyMs,
    measuredOn,
    notes,
  };
}

function print(context: Context, { net, targets, frontends }: BenchResult): void {
  const orDash = (value: number | null, format: (value: number) => string): string =>
    value === null ? "-" : format(value);
  const rows = Object.entries(targets).map(([name, t]) => [
    name,
    orDash(t.latencyMs, (ms) => ms.toFixed(2)),
    orDash(t.instructions, formatCount),
    orDash(t.instructions, (n) => (n / t.macs).toFixed(2)),
    formatBytes(t.flashBytes),
    formatBytes(t.arenaBytes),
    orDash(t.stackBytes, formatBytes),
  ]);
  context.print(`${net}\n`);
  const header = ["target", "latency ms", "instructions", "per MAC", "flash", "arena", "stack"];
  context.print(`${renderTable(header, rows)}\n`);
  printFrontends(context, frontends);
  for (const [name, { measuredOn, notes }] of Object.entries(targets)) {
    context.print(
      `${name}: ${[measuredOn && `latency measured on ${measuredOn}`, ...notes].filter(Boolean).join("; ")}`,
    );
  }
}

function printFrontends(context: Context, frontends: BenchResult["frontends"]): void {
  const entries = Object.entries(frontends);
  if (entries.length === 0) return;
  const rows = entries.map(([name, { kind, per, instructions, flashBytes, ramBytes }]) => [
    name,
    kind,
    instructions === null ? "-" : `${formatCount(instructions)} a ${per}`,
    formatBytes(flashBytes),
    formatBytes(ramBytes),
  ]);
  const header = ["front-end", "kind", "instructions, Cortex-M4", "flash", "RAM"];
  context.print(`${renderTable(header, rows)}\n`);
  const notes = new Set(entries.flatMap(([, frontend]) => frontend.notes));
  context.print(`front-ends: ${[...notes].join("; ")}`);
}
