/**
 * Work on all cores: processes that each take a few samples at a time.
 *
 * Processes and not threads, because the picture decoder runs in the four threads that Node has for
 * such work in one process, however many cores there are; and a decoder that crashes on a file ends
 * its own process only. Segments of one recording stay together, so that it is decoded once or
 * twice and not by everyone. Memory is bounded: a lane has one job, a job has few samples.
 */

import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Dataset, Reader, Sample } from "../../../src/data/index.ts";
import { UserError } from "../../../src/errors.ts";
import { type Extract, type Extraction, extractHere } from "../../../src/features/index.ts";
import type { Answer, Failure, Job, Setup } from "./worker.ts";

/** Only where it is built: Node 20 runs no TypeScript. */
const WORKER: string = fileURLToPath(new URL("./worker.js", import.meta.url));

/** Samples of a job: many enough to be worth a message, few enough to share the last ones well. */
const JOB_SAMPLES = 32;

/** A process takes a tenth of a second to start: fewer samples for each are not worth one. */
const LEAST_SAMPLES = 128;

/** Decoded recordings kept, by all processes together. */
const CACHE_BYTES = 256 * 2 ** 20;

export interface Lanes {
  readonly extract: Extract;
  /** End the processes; they are started again when needed. */
  close(): void;
}

/**
 * Lanes for a dataset; nothing is started before there is enough to do.
 *
 * reader    does small work in this process
 * threads   processes at most; the values do not depend on them
 */
export function openLanes(
  dataset: Dataset,
  { reader, threads }: { reader: Reader; threads: number },
): Lanes {
  let children: ChildProcess[] = [];
  const indices = new Map(dataset.samples.map((sample, i) => [sample, i]));
  const here = extractHere(reader);
  return {
    extract: async (samples, extraction) => {
      const count = Math.min(threads, Math.floor(samples.length / LEAST_SAMPLES));
      if (count < 2 || !existsSync(WORKER)) return here(samples, extraction);
      while (children.length < count) children.push(startChild(dataset, threads));
      await share(children.slice(0, count), samples, { indices, ...extraction });
    },
    close: () => {
      for (const child of children) child.kill();
      children = [];
    },
  };
}

function startChild({ folder, samples }: Dataset, threads: number): ChildProcess {
  const child = fork(WORKER, [], {
    serialization: "advanced",
    execArgv: [],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const slim = samples.map((sample) => ({ ...sample, columns: {} }));
  const setup: Setup = { folder, samples: slim, cacheBytes: CACHE_BYTES / threads };
  child.send(setup);
  idle(child);
  return child;
}

/** An idle process keeps nothing alive; one that is to answer does. */
function idle(child: ChildProcess): void {
  child.unref();
  child.channel?.unref();
}

function ask(child: ChildProcess, job: Job): Promise<Answer> {
  child.ref();
  child.channel?.ref();
  return new Promise((resolve, reject) => {
    const ended = (reason: unknown): void => {
      settle();
      reject(new Error(`a process that decodes has ended (${reason}); try again with --threads 1`));
    };
    const answered = (answer: unknown): void => {
      settle();
      resolve(answer as Answer); // from our own worker
    };
    const settle = (): void => {
      child.off("exit", ended).off("error", ended).off("message", answered);
      idle(child);
    };
    child.on("exit", ended).on("error", ended).on("message", answered);
    child.send(job);
  });
}

interface Shared extends Extraction {
  /** Of samples in the dataset. */
  readonly indices: ReadonlyMap<Sample, number>;
}

/**
 * Jobs to whoever is free. Of several samples that fail the first one is told, whoever found it: so
 * the error does not depend on the number of processes either.
 */
async function share(
  children: readonly ChildProcess[],
  samples: readonly Sample[],
  { modality, work, take, indices }: Shared,
): Promise<void> {
  let waiting = byFile(samples, modality);
  let first: (Failure & { readonly index: number }) | undefined;
  let isStopped = false;
  const lane = async (child: ChildProcess): Promise<void> => {
    while (!isStopped && waiting.length > 0) {
      const mine = waiting.slice(0, JOB_SAMPLES);
      waiting = waiting.slice(JOB_SAMPLES);
      const job = { modality, work, indices: mine.map((i) => indices.get(samples[i]) ?? -1) };
      for (const [n, value] of (await ask(child, job)).entries()) {
        const index = mine[n];
        if (value instanceof Int32Array) take(index, value);
        else if (first === undefined || index < first.index) first = { ...value, index };
      }
      const limit = first?.index ?? samples.length;
      waiting = waiting.filter((i) => i < limit);
    }
  };
  const stopping = async (child: ChildProcess): Promise<void> => {
    try {
      await lane(child);
    } catch (error) {
      isStopped = true;
      throw error;
    }
  };
  for (const end of await Promise.allSettled(children.map(stopping))) {
    if (end.status === "rejected") throw end.reason;
  }
  if (first !== undefined) throw asError(first);
}

/** Indices of samples, those of one file side by side. */
function byFile(samples: readonly Sample[], modality: string): number[] {
  const paths = samples.map(({ sources }) => sources[modality]?.path ?? "");
  return [...paths.keys()].sort((a, b) =>
    paths[a] < paths[b] ? -1 : paths[a] > paths[b] ? 1 : a - b,
  );
}

function asError({ message, isUserError }: Failure): Error {
  return isUserError ? new UserError(message) : new Error(message);
}
