/**
 * Another engine as a child process, told what to do in lines of JSON.
 *
 *   to the peer     {"graph": ..., "weights": ..., ...}     once: Setup below
 *   from the peer   {"ready": {"version", "firstStepMs", "logits"?}} or {"missing": "package"}
 *   to the peer     {"run": {"seconds": 0.5}}
 *   from the peer   {"steps": 12, "seconds": 0.51, "loss"?}
 *
 * Between lines a peer is blocked on its standard input, and ends with it. What it says on stderr is
 * kept for the message if it fails.
 */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { packWeights } from "../model/index.ts";
import { parametersOf } from "../tensor/index.ts";
import { type Burst, type Candidate, NotInstalled, type Racer } from "./race.ts";
import { ADAM, type Workload } from "./workload.ts";

/** How a peer is started. */
export interface Command {
  readonly command: string;
  readonly parameters: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A library may take half a minute to load from a cold disk. */
const START_MS = 180_000;
/** The slowest peer takes seconds a step. */
const BURST_MS = 120_000;
const STDERR_CHARACTERS = 2000;

type Work = Pick<Candidate, "task" | "setting" | "threads">;

/**
 * Start a peer and let it do its first step.
 *
 * throws   NotInstalled if the command or a package of it is not there; an Error that says what the
 *          peer said last, if it ends, answers nonsense or nothing
 */
export async function startPeer(
  { command, parameters, environment }: Command,
  workload: Workload,
  work: Work,
): Promise<Racer> {
  const child = spawn(command, parameters, { env: environment, windowsHide: true });
  const line = conversation(child);
  try {
    const answer = await line.ask(setupOf(workload, work), START_MS);
    if ("missing" in answer) throw new NotInstalled(String(answer.missing));
    const { version, firstStepMs, logits } = objectOf(answer, "ready");
    const scores = Array.isArray(logits) ? { logits: Float32Array.from(logits) } : {};
    return {
      version: String(version),
      firstStepMs: positiveOf(firstStepMs, "firstStepMs"),
      ...scores,
      burst: async (seconds) => burstOf(await line.ask({ run: { seconds } }, BURST_MS)),
      stop: () => line.end(),
    };
  } catch (error) {
    await line.end();
    throw error;
  }
}

/** The first line a peer gets. Arrays are little endian in base64. */
export function setupOf(workload: Workload, { task, setting, threads }: Work): object {
  const { graph, weights, batch, inputScale, inputs, labels } = workload;
  const parameters = parametersOf(graph).map(({ name, shape, trainable }) => {
    return { name, shape, trainable };
  });
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
  return {
    ...{ task, setting, threads, batch, graph, inputScale, adam: ADAM, parameters },
    weights: base64(packWeights(graph, weights)),
    inputs: Object.fromEntries(
      graph.inputs.map(({ name }) => [name, base64(new Uint8Array(inputs[name].buffer))]),
    ),
    labels: [...labels],
  };
}

function burstOf(answer: Answer): Burst {
  const { loss } = answer;
  return {
    steps: positiveOf(answer.steps, "steps"),
    seconds: positiveOf(answer.seconds, "seconds"),
    ...(typeof loss === "number" ? { loss } : {}),
  };
}

type Answer = Readonly<Record<string, unknown>>;

function objectOf(answer: Answer, key: string): Answer {
  const value = answer[key];
  if (typeof value === "object" && value !== null) return value as Answer;
  throw new Error(`peer: answer must have ${key}, got ${JSON.stringify(answer).slice(0, 200)}`);
}

function positiveOf(value: unknown, what: string): number {
  if (typeof value === "number" && value > 0 && Number.isFinite(value)) return value;
  throw new Error(`peer: ${what} must be a number above 0, got ${JSON.stringify(value)}`);
}

interface Conversation {
  ask(message: object, patienceMs: number): Promise<Answer>;
  end(): Promise<void>;
}

/** One line out, one line in; a peer that ends or is silent for too long rejects what was asked. */
function conversation(child: ChildProcessWithoutNullStreams): Conversation {
  let said = "";
  let ended: Error | undefined;
  let settle: { resolve(text: string): void; reject(error: Error): void } | undefined;
  const failed = (error: Error): void => {
    ended ??= error;
    settle?.reject(ended);
  };
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.stderr.on("data", (chunk: Buffer) => {
    said = `${said}${chunk.toString("utf8")}`.slice(-STDERR_CHARACTERS);
  });
  child.stdin.on("error", () => {}); // told by close
  child.once("error", (error: NodeJS.ErrnoException) => {
    failed(error.code === "ENOENT" ? new NotInstalled(child.spawnfile) : error);
  });
  child.once("close", (code, signal) => {
    const lines = said.trim().split("\n");
    const told = lines.findLast((text) => /\bError\b|Error:/.test(text)) ?? lines.at(-1) ?? "";
    failed(new Error(`ended with ${signal ?? `code ${code}`}${told === "" ? "" : `: ${told}`}`));
  });
  createInterface({ input: child.stdout }).on("line", (text) => settle?.resolve(text));
  return {
    async ask(message, patienceMs) {
      if (ended !== undefined) throw ended;
      const answer = new Promise<string>((resolve, reject) => {
        settle = { resolve, reject };
      });
      const slow = setTimeout(
        () => failed(new Error(`no answer in ${patienceMs / 1000} s`)),
        patienceMs,
      );
      child.stdin.write(`${JSON.stringify(message)}\n`);
      try {
        return parsed(await answer);
      } finally {
        clearTimeout(slow);
        settle = undefined;
      }
    },
    async end() {
      if (child.pid === undefined) return;
      child.stdin.end();
      child.kill("SIGKILL");
      await gone;
    },
  };
}

function parsed(text: string): Answer {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value === "object" && value !== null) return value as Answer;
  throw new Error(`peer: answer must be a line of JSON, got ${text.slice(0, 200)}`);
}
