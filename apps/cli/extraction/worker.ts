/**
 * A process that decodes and computes features for another one: it is told a dataset, then jobs,
 * and answers each. It ends with the one that started it.
 */

import { inParallel, openReader, type Reader, type Sample } from "../../../src/data/index.ts";
import { UserError } from "../../../src/errors.ts";
import { sampleExtractor, type Work } from "../../../src/features/index.ts";

/** The first message. */
export interface Setup {
  readonly folder: string;
  readonly samples: readonly Sample[];
  /** Of decoded recordings kept. */
  readonly cacheBytes: number;
}

/** Every other message. */
export interface Job {
  readonly modality: string;
  readonly work: Work;
  /** Into the samples of the setup. */
  readonly indices: readonly number[];
}

/** What went wrong with a sample. */
export interface Failure {
  readonly message: string;
  /** Whether the user can put it right. */
  readonly isUserError: boolean;
}

/** For each index of the job. */
export type Answer = readonly (Int32Array | Failure)[];

/** The picture decoder has threads of its own; while it works the next sample is prepared. */
const AT_ONCE = 2;

function serve(): void {
  let setup: Setup | undefined;
  let reader: Reader | undefined;
  const compiled = new Map<string, ReturnType<typeof sampleExtractor>>();
  const answer = async ({ modality, work, indices }: Job): Promise<Answer> => {
    if (setup === undefined || reader === undefined) throw new Error("internal: no setup");
    const { samples } = setup;
    const key = JSON.stringify([modality, work]);
    const one = compiled.get(key) ?? sampleExtractor(reader, modality, work);
    compiled.set(key, one);
    const attempt = (index: number) => one(samples[index]).catch(failureOf);
    return inParallel(indices, { limit: AT_ONCE, work: attempt });
  };
  process.on("message", async (message: Setup | Job) => {
    if ("folder" in message) {
      setup = message;
      reader = openReader(message, message);
      return;
    }
    process.send?.(await answer(message));
  });
  // Ctrl-C in a terminal reaches all processes: the one that started this one decides
  process.on("SIGINT", () => {});
  process.on("disconnect", () => process.exit());
}

function failureOf(error: unknown): Failure {
  if (error instanceof UserError) return { message: error.message, isUserError: true };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { message, isUserError: false };
}

if (process.send !== undefined) serve();
