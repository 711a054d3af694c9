/**
 * Candidates for the same work, measured in turn.
 *
 * Convention: every candidate is started and has done its first step before the clock of any runs;
 * then all do a short burst in turn, round after round, every other round in reverse order, and only
 * one works at a time. A slow minute of the machine so hits all of them, and what is compared is the
 * ratio within a round (docs/bench.md).
 */

/** Steps done in one go, and the time they took. */
export interface Burst {
  readonly steps: number;
  readonly seconds: number;
  /** Loss of the last step; undefined for inference. */
  readonly loss?: number;
}

/** A candidate that is ready to work. */
export interface Racer {
  /** Name and version of the engine. */
  readonly version: string;
  /** From the net's description to the end of the first step; loading the library is not in it. */
  readonly firstStepMs: number;
  /** The part of it that compiles, where that is apart. */
  readonly compileMs?: number;
  /** Scores of the whole batch, inference only. */
  readonly logits?: Float32Array;
  /** At least one step, and on until the time is over. */
  burst(seconds: number): Promise<Burst>;
  stop(): Promise<void>;
}

export interface Candidate {
  readonly engine: string;
  /** What was asked of the engine beyond its defaults: "channels last"; else "". */
  readonly setting: string;
  /** "float", or later "quantization-aware". */
  readonly variant: string;
  readonly task: Task;
  readonly threads: number;
  start(): Promise<Racer>;
}

export type Task = "train" | "infer";

/** Thrown by `start` if the engine is not there. */
export class NotInstalled extends Error {
  override readonly name = "NotInstalled";
}

export interface Entrant extends Pick<Racer, "version" | "firstStepMs" | "compileMs"> {
  readonly candidate: Candidate;
  /** Samples a second of each round. */
  readonly rates: readonly number[];
}

export interface Dropout {
  readonly candidate: Candidate;
  readonly isMissing: boolean;
  readonly reason: string;
}

export interface RaceOptions {
  readonly batch: number;
  readonly rounds: number;
  readonly burstSeconds: number;
  /** Pause before a burst: threads of the one before may still spin. */
  readonly settleMs: number;
  /** Refuses a candidate that computes something else: the reason, or undefined. */
  readonly objection?: (racer: Racer, candidate: Candidate) => string | undefined;
  /** Called before each piece of work; may throw to stop. */
  readonly onTurn?: (done: number, total: number, who: Candidate) => Promise<void>;
}

interface Runner {
  readonly candidate: Candidate;
  readonly racer: Racer;
  readonly rates: number[];
}

/**
 * Start all candidates, then measure those that started; a failure takes out that candidate alone.
 *
 * throws   only what onTurn throws; everything that was started is stopped either way
 */
export async function race(
  candidates: readonly Candidate[],
  options: RaceOptions,
): Promise<{ readonly entrants: readonly Entrant[]; readonly dropouts: readonly Dropout[] }> {
  const runners: Runner[] = [];
  const dropouts: Dropout[] = [];
  const { rounds, onTurn = async () => {} } = options;
  const total = candidates.length * (rounds + 1);
  let done = 0;
  const attempt = async (candidate: Candidate, work: () => Promise<void>): Promise<void> => {
    await onTurn(done++, total, candidate);
    try {
      await work();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      dropouts.push({ candidate, isMissing: error instanceof NotInstalled, reason });
    }
  };
  const isIn = ({ candidate }: Runner): boolean =>
    dropouts.every((dropout) => dropout.candidate !== candidate);
  try {
    for (const candidate of candidates) {
      await attempt(candidate, async () => {
        const racer = await candidate.start();
        runners.push({ candidate, racer, rates: [] });
        const objection = options.objection?.(racer, candidate);
        if (objection !== undefined) throw new Error(objection);
        await racer.burst(0);
      });
    }
    for (let round = 0; round < rounds; round++) {
      const inTurn = runners.filter(isIn);
      if (round % 2 === 1) inTurn.reverse();
      for (const runner of inTurn) await attempt(runner.candidate, () => turn(runner, options));
    }
  } finally {
    await Promise.allSettled(runners.map(({ racer }) => racer.stop()));
  }
  const entrants = runners.filter(isIn).map(({ candidate, racer, rates }) => {
    const { version, firstStepMs, compileMs } = racer;
    const compiled = compileMs === undefined ? {} : { compileMs };
    return { candidate, version, firstStepMs, ...compiled, rates };
  });
  return { entrants, dropouts };
}

async function turn({ racer, rates }: Runner, options: RaceOptions): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, options.settleMs));
  const { steps, seconds } = await racer.burst(options.burstSeconds);
  rates.push((steps * options.batch) / seconds);
}

/** Steps until the time is over, at least one, by the caller's clock. */
export function stepsFor(seconds: number, step: () => void): Burst {
  const started = performance.now();
  let steps = 0;
  let passed: number;
  do {
    step();
    steps++;
    passed = (performance.now() - started) / 1000;
  } while (passed < seconds);
  return { steps, seconds: passed };
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
}

/** How many times faster `ours` is, by the median over rounds. */
export function ratioOf(ours: Entrant, other: Entrant): number {
  return median(ours.rates.map((rate, round) => rate / other.rates[round]));
}
