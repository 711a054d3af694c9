/**
 * The command line: verbs, options, exit codes. Verbs are loaded when they run, so that --help is
 * fast.
 *
 * stdout holds the result (text, or one object with --json), stderr the progress. Exit codes: 0 ok,
 * 1 failed, 2 wrong usage or input, 3 a check was not met, 4 an external tool is missing, 130
 * interrupted.
 */

import { basename, relative, resolve } from "node:path";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { UserError } from "../../src/errors.ts";
import { configured } from "./config.ts";
import type { Context } from "./context.ts";
import { asUserError, exitCodeOf, explain } from "./exit.ts";
import { parseFold } from "./fold.ts";
import { asInterrupted, listenForInterrupts } from "./interrupts.ts";
import { createReporter } from "./terminal/progress.ts";
import { toolVersion } from "./version.ts";

interface SharedOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

type Verb = (context: Context, options: never, argument: string) => Promise<object>;

/** Verbs that are planned: told apart from a misspelling. */
const LATER: readonly string[] = ["init", "search", "studio", "worker"];

/** Run a command line; returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  tolerateClosedPipe();
  const state = { exitCode: 0 };
  const program = commandLine(state);
  try {
    const [verb = ""] = argv;
    if (LATER.includes(verb)) throw new UserError(`${verb} is not in this version; see --help`);
    await program.parseAsync([...argv], { from: "user" });
    return state.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const told = asUserError(error);
    process.stderr.write(explain(told));
    return exitCodeOf(told);
  }
}

/** `tinym2net data x | head -1` is no failure: who reads has read enough. */
function tolerateClosedPipe(): void {
  if (process.stdout.listeners("error").includes(onPipeError)) return;
  process.stdout.on("error", onPipeError);
}

function onPipeError(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
}

function commandLine(state: { exitCode: number }): Command {
  const program = new Command("tinym2net")
    .description(
      "Multimodal learning for tiny devices: paired recordings in, a verified integer classifier out.",
    )
    .version(toolVersion())
    .exitOverride()
    .enablePositionalOptions() // what follows a verb is the verb's
    .showHelpAfterError("(add --help for usage)");
  const addTo = (parent: Command, usage: string, description: string, verb: Verb): Command =>
    shared(parent.command(usage).description(description)).action(async (...values: unknown[]) => {
      const command = values[values.length - 1] as Command;
      await run(state, command, verb, typeof values[0] === "string" ? values[0] : "");
    });
  const add = (usage: string, description: string, verb: Verb): Command =>
    addTo(program, usage, description, verb);
  add(
    "demo",
    "the main job on a synthetic dataset, in about a minute",
    async (context, options: DemoFlags) =>
      (await import("./verbs/demo.ts")).demo(context, { seed: 1, ...options }),
  )
    .option("--out <folder>", "where to put it (default: runs/demo, or the next that is free)")
    .option("--epochs <n>", "epochs of each arm", count, 12)
    .option("--force", "replace an earlier demo");
  const data = add(
    "data <folder>",
    "what is in a dataset, and what is wrong with it",
    async (context, options: DataFlags, folder) =>
      (await import("./verbs/data.ts")).data(context, folder, options),
  )
    .option("--modalities <names>", "columns to use, separated by commas", names)
    .option("--strict", "give 3 for findings that make scores doubtful")
    .option("--fold <i/k>", "as train would split it with the same option", fold);
  addDataVerbs(data.enablePositionalOptions(), addTo);
  add(
    "train <folder>",
    "train a net on a dataset",
    async (context, options: TrainFlags, folder) => {
      const { train } = await import("./verbs/train.ts");
      return train(context, folder, {
        ...options,
        out: options.out ?? defaultRun(folder, options),
      });
    },
  )
    .option("--out <run>", "run folder (default: runs/<dataset>[-<modalities>])")
    .option("--preset <name>", "tinym2net or ds-cnn (default: tinym2net)")
    .option("--modalities <names>", "columns to use, separated by commas (default: all)", names)
    .option("--epochs <n>", "passes over the training split (default: 30)", count)
    .option("--batch <n>", "samples a step (default: 16 to 64, by the size of the split)", count)
    .option("--optimizer <name>", "adamw, adam or sgd (default: adamw)")
    .option("--rate <number>", "peak learning rate (default: 0.001; sgd: 0.01)", positive)
    .option("--schedule <name>", "of the rate: cosine or step (default: cosine)")
    .option("--augment <name>", "standard, none or a JSON file (default: none)")
    .option("--size <pixels>", "side of the pictures the net sees (default: 32)", count)
    .option("--portable", "the same bytes on every machine, somewhat slower")
    .option(
      "--threads <n>",
      "threads; they change no byte of the run (default: all, at most 8)",
      count,
    )
    .option(
      "--fold <i/k>",
      "cross-validation: fold i of k is the test split, the next is val",
      fold,
    )
    .option("--no-cache", "compute all features and hashes anew, keep none")
    .option("--resume", "go on with a training that was stopped")
    .option("--force", "replace an earlier run");
  add(
    "evaluate <run>",
    "how good a net is on a split",
    async (context, options: EvaluateFlags, run) =>
      (await import("./verbs/evaluate.ts")).evaluate(context, run, options),
  )
    .option("--data <folder>", "dataset (default: the one trained on)")
    .option("--split <name>", "train, val or test", "test")
    .option("--precision <name>", "float or int", "float")
    .option("--no-cache", "compute all features and hashes anew, keep none");
  add(
    "compress <run>",
    "make an integer net of 8, 4 or mixed bits",
    async (context, options: CompressFlags, run) =>
      (await import("./verbs/compress.ts")).compress(context, run, options),
  )
    .option("--bits <bits>", "8, 4 or mixed", "mixed")
    .option("--flash <bytes>", "limit of weights, tables and code", count)
    .option("--ram <bytes>", "limit of arena, inputs and scores", count)
    .option("--data <folder>", "the training data, if it has moved")
    .option("--no-cache", "compute all features and hashes anew, keep none");
  add(
    "verify <run>",
    "check that every target gives the same integers",
    async (context, options: VerifyFlags, run) => {
      const { target, ...rest } = options;
      const targets = target === undefined ? {} : { targets: target };
      return (await import("./verbs/verify.ts")).verify(context, run, { ...rest, ...targets });
    },
  )
    .option("--target <names>", "portable, wasm (default: what this machine can run)", names)
    .option("--samples <n>", "samples to compare", count, 4)
    .option("--data <folder>", "the training data, if it has moved")
    .option("--no-cache", "compute all features and hashes anew, keep none");
  add(
    "deploy <run>",
    "write a package of C or WebAssembly",
    async (context, options: DeployFlags, run) =>
      (await import("./verbs/deploy.ts")).deploy(context, run, {
        ...options,
        target: given("deploy: --target", options.target),
        out: given("deploy: --out", options.out),
      }),
  )
    .option("--target <name>", "portable or wasm (must be given)")
    .option("--out <folder>", "where to put it (must be given)")
    .option("--streaming", "take sound hop by hop: RAM of one window")
    .option("--force", "replace what is there");
  add(
    "bench [run]",
    "time, instructions and memory; `bench training` for the trainer",
    async (context, options: BenchFlags, run) => {
      if (run === "training") {
        refuse("bench training", options, ["bits", "target"]);
        return (await import("./verbs/bench-training.ts")).benchTraining(context, options);
      }
      refuse("bench", options, ["quick", "peers", "out"]);
      const { target, ...rest } = options;
      const targets = target === undefined ? {} : { targets: target };
      const { bench } = await import("./verbs/bench.ts");
      return bench(context, run === "" ? undefined : run, { ...rest, ...targets });
    },
  )
    .option("--preset <name>", "a preset with random weights instead of a run")
    .option("--bits <bits>", "8 or 4, with --preset")
    .option("--target <names>", "portable, wasm (default: both)", names)
    .option("--quick", "training: fewer, shorter rounds, to see that it works")
    .option("--peers <names>", "training: what to compare with, or none (default: all)", names)
    .option("--out <file>", "training: write the JSON there too");
  add("report <run>", "write report.html", async (context, options: ReportFlags, run) =>
    (await import("./verbs/report.ts")).report(context, run, options),
  ).option("--arms <runs>", "runs to compare with, separated by commas", names);
  add("doctor", "what this machine can do", async (context) =>
    (await import("./verbs/doctor.ts")).doctor(context),
  );
  return program;
}

type AddTo = (parent: Command, usage: string, description: string, verb: Verb) => Command;

/** `data import` and `data pair`; a folder of such a name is written ./import. */
function addDataVerbs(data: Command, addTo: AddTo): void {
  const written = (command: Command): Command =>
    command
      .option("--out <folder>", "where to put the dataset")
      .option("--dry-run", "show what would be done, write nothing")
      .option("--link", "symbolic links instead of copies")
      .option("--force", "replace a dataset that is there");
  written(
    addTo(
      data,
      "import <source>",
      "make a dataset of recordings in a known layout",
      async (context, options: ImportFlags, source) =>
        (await import("./verbs/data-import.ts")).dataImport(context, source, options),
    ),
  )
    .option("--from <layout>", "the layout (default: recognised; docs/data.md has all)")
    .option("--modalities <names>", "folder names that are modalities, separated by commas", names)
    .option("--tolerance <seconds>", "pair by time stamps this near, not by file stem", positive)
    .option("--label <column>", "a column of information that is the label")
    .option("--classes <names>", "labels to take, as LABEL or LABEL=CLASS, by commas", names)
    .option("--group <rule>", "a column, or a regular expression with (...) on the path");
  written(
    addTo(
      data,
      "pair <folder>",
      "pair recordings made apart by class, within each split",
      async (context, options: PairFlags, folder) =>
        (await import("./verbs/data-pair.ts")).dataPair(context, folder, options),
    ),
  )
    .option("--modalities <names>", "columns to pair, separated by commas", names)
    .option("--fold <i/k>", "pair within the splits of this fold", fold)
    .option("--repeat", "use recordings of a smaller side again");
}

interface Cached {
  /** False with --no-cache. */
  readonly cache: boolean;
}
interface Seeded {
  readonly seed?: number;
}
type DemoFlags = Seeded & { out: string; epochs: number; force?: boolean };
type DataFlags = Seeded & { modalities?: string[]; fold?: string; strict?: boolean };
interface Written {
  out?: string;
  dryRun?: boolean;
  link?: boolean;
  force?: boolean;
}
type ImportFlags = Written & { from?: string; classes?: string[]; group?: string };
type PairFlags = Seeded & Written & { modalities?: string[]; fold?: string; repeat?: boolean };
type TrainFlags = Seeded &
  Cached & {
    fold?: string;
    out?: string;
    modalities?: string[];
    resume?: boolean;
    force?: boolean;
  };
type EvaluateFlags = Seeded & Cached & { data?: string; split: string; precision: string };
type CompressFlags = Seeded &
  Cached & { bits: string; flash?: number; ram?: number; data?: string };
type VerifyFlags = Seeded & Cached & { target?: string[]; samples: number; data?: string };
type DeployFlags = Seeded & { target?: string; out?: string; force?: boolean };
type BenchFlags = Seeded & {
  preset?: string;
  bits?: string;
  target?: string[];
  quick?: boolean;
  peers?: string[];
  out?: string;
};
type ReportFlags = Seeded & { arms?: string[] };

function shared(command: Command): Command {
  return command
    .option("--seed <n>", "seed of everything random (default: 1)", wholeNumber)
    .option("--config <file>", "JSON file with options of this verb")
    .option("--json", "one JSON object on stdout")
    .option("--quiet", "no progress")
    .exitOverride();
}

async function run(
  state: { exitCode: number },
  command: Command,
  verb: Verb,
  argument: string,
): Promise<void> {
  refuseEarlier(command);
  await configured(command);
  const { json = false, quiet = false, ...options } = command.opts<SharedOptions>();
  const interrupts = listenForInterrupts();
  const { signal, blocking } = interrupts;
  const { env: environment, stderr } = process;
  const now = (): number => performance.now();
  const reporter = createReporter({ output: stderr, now, environment, quiet });
  const context: Context = {
    reporter: { ...reporter, update: interrupts.stopping(reporter.update) },
    signal,
    blocking,
    environment,
    program: calledAs(process.argv[1] ?? ""),
    now,
    print: (text) => {
      if (!json && text !== "") process.stdout.write(`${text}\n`);
    },
  };
  try {
    const result = await verb(context, options as never, argument);
    const { exitCode = 0, ...fields } = result as { exitCode?: number };
    state.exitCode = exitCode;
    if (json) process.stdout.write(`${JSON.stringify({ schemaVersion: 1, ...fields })}\n`);
  } catch (error) {
    // a tool that the same Ctrl-C has ended looks like a failure
    if (signal.aborted && !(error instanceof UserError)) throw asInterrupted(error);
    throw error;
  } finally {
    reporter.stop();
    interrupts.close();
  }
}

/** `data --json import x` would lose the option: it belongs to `data`. */
function refuseEarlier({ parent }: Command): void {
  for (const option of parent?.options ?? []) {
    if (parent?.getOptionValueSource(option.attributeName()) !== "cli") continue;
    throw new UserError(`${parent.name()}: ${option.long} must come last, after what it is for`);
  }
}

/** An installed program is called by its name, one in a clone through node. */
function calledAs(script: string): string {
  const inClone = basename(script) === "tinym2net.js" && !script.includes("node_modules");
  return inClone ? `node ${relative("", script)}` : "tinym2net";
}

function defaultRun(folder: string, { modalities, fold }: TrainFlags): string {
  const parts = [basename(resolve(folder)), ...(modalities ?? [])];
  return `runs/${[...parts, ...(fold ? [`fold-${fold.replace("/", "-of-")}`] : [])].join("-")}`;
}

function given(option: string, value: string | undefined): string {
  if (value !== undefined) return value;
  throw new UserError(`${option} must be given`);
}

/** Options that mean nothing to what was asked for are a mistake. */
function refuse(what: string, options: object, names: readonly string[]): void {
  for (const name of names) {
    if (name in options) throw new UserError(`${what} takes no --${name}`);
  }
}

function names(text: string): string[] {
  const list = text.split(",").map((name) => name.trim());
  if (list.every((name) => name !== "")) return list;
  throw new InvalidArgumentError("must be names separated by commas.");
}

function fold(text: string): string {
  if (parseFold(text) !== undefined) return text;
  throw new InvalidArgumentError("must be a fold of three or more, such as 2/5.");
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError("must be a whole number, 0 or more.");
}

function count(text: string): number {
  const value = wholeNumber(text);
  if (value >= 1) return value;
  throw new InvalidArgumentError("must be 1 or more.");
}

function positive(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError("must be a number above 0.");
}
