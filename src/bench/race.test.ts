/** The order of turns, what a failure does, and what is computed from rates. */

import { expect, test } from "vitest";
import { type Candidate, median, NotInstalled, race, ratioOf, stepsFor } from "./race.ts";

const settings = { batch: 10, rounds: 3, burstSeconds: 0.5, settleMs: 0 };

/** A candidate that takes a given time a step, writes its turns down, and may fail in one. */
function candidate(
  engine: string,
  { turns, secondsAStep = 0.1, failsAt = -1 }: Setting,
): Candidate & { readonly stopped: () => boolean } {
  let count = 0;
  let isStopped = false;
  const burst = async (seconds: number) => {
    turns.push(engine);
    if (count++ === failsAt) throw new Error("out of memory");
    const steps = Math.max(1, Math.round(seconds / secondsAStep));
    return { steps, seconds: steps * secondsAStep };
  };
  const stop = async (): Promise<void> => {
    isStopped = true;
  };
  return {
    ...{ engine, setting: "", variant: "float", task: "train", threads: 1 },
    start: async () => ({ version: engine, firstStepMs: 1, burst, stop }),
    stopped: () => isStopped,
  };
}

interface Setting {
  readonly turns: string[];
  readonly secondsAStep?: number;
  /** 0 is the warm-up. */
  readonly failsAt?: number;
}

test("candidates take turns, every other round in reverse, after all have warmed up", async () => {
  const turns: string[] = [];
  const { entrants } = await race(
    ["a", "b", "c"].map((name) => candidate(name, { turns })),
    settings,
  );
  expect(turns.join("")).toBe("abc" + "abc" + "cba" + "abc");
  expect(entrants.map(({ rates }) => rates.length)).toEqual([3, 3, 3]);
});

test("ten samples in a tenth of a second are a hundred a second, and half as fast is 2 x", async () => {
  const turns: string[] = [];
  const { entrants } = await race(
    [candidate("ours", { turns }), candidate("other", { turns, secondsAStep: 0.2 })],
    settings,
  );
  const [ours, other] = entrants;
  expect(median(ours.rates)).toBeCloseTo(100, 9);
  expect(ratioOf(ours, other)).toBeCloseTo(2, 9);
});

test("a candidate that fails in its second round is out, is stopped, and harms nobody", async () => {
  const turns: string[] = [];
  const good = candidate("good", { turns });
  const bad = candidate("bad", { turns, failsAt: 2 });
  const { entrants, dropouts } = await race([bad, good], settings);
  expect(entrants.map(({ candidate }) => candidate.engine)).toEqual(["good"]);
  expect(entrants[0].rates).toHaveLength(3);
  expect(dropouts).toMatchObject([{ candidate: bad, isMissing: false, reason: "out of memory" }]);
  expect([bad.stopped(), good.stopped()]).toEqual([true, true]);
});

test("one that is not installed is told apart from one that failed", async () => {
  const absent = {
    ...candidate("absent", { turns: [] }),
    start: () => Promise.reject(new NotInstalled("torch")),
  };
  const { dropouts } = await race([absent], settings);
  expect(dropouts).toEqual([{ candidate: absent, isMissing: true, reason: "torch" }]);
});

test("a candidate that computes something else never gets a turn", async () => {
  const turns: string[] = [];
  const options = { ...settings, objection: () => "another net" };
  const { dropouts } = await race([candidate("other", { turns })], options);
  expect(dropouts).toMatchObject([{ reason: "another net" }]);
  expect(turns).toEqual([]);
});

test("what stops the race stops everything that was started", async () => {
  const first = candidate("first", { turns: [] });
  const onTurn = async (done: number): Promise<void> => {
    if (done === 2) throw new Error("interrupted");
  };
  await expect(race([first], { ...settings, onTurn })).rejects.toThrow("interrupted");
  expect(first.stopped()).toBe(true);
});

test("even no time at all is one step", () => {
  let steps = 0;
  const burst = stepsFor(0, () => steps++);
  expect([steps, burst.steps]).toEqual([1, 1]);
});

test("the median of an even number of values is the mean of the middle two", () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([5, 1, 3])).toBe(3);
});
