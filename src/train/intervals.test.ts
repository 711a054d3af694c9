import { describe, expect, test } from "vitest";
import { random } from "../tensor/index.ts";
import { bootstrap, type Grouped, pairedGain, wilson } from "./intervals.ts";

describe("Wilson's interval", () => {
  // Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3.
  test.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])("of %i in %i equals Newcombe's table", (successes, n, low, high) => {
    const interval = wilson(successes, n);
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });

  test("stays within 0 .. 1, and is not empty at the ends", () => {
    expect(wilson(12, 12)).toEqual({ low: expect.closeTo(0.7575, 4), high: 1 });
    expect(wilson(0, 1).high).toBeLessThan(1);
  });

  test("refuses counts that no trial can give", () => {
    expect(() => wilson(0, 0)).toThrow("wilson: n must be at least 1, got 0");
    expect(() => wilson(3, 2)).toThrow("wilson: successes must be 0 .. 2, got 3");
    expect(() => wilson(Number.NaN, 2)).toThrow("got NaN");
  });
});

/** `hits` of `n` samples of one class right, every sample its own group. */
function independent(n: number, hits: number): { test: Grouped; predictions: number[] } {
  const indices = Array.from({ length: n }, (_, i) => i);
  return {
    test: { labels: indices.map(() => 0), groups: indices },
    predictions: indices.map((i) => (i < hits ? 0 : 1)),
  };
}

describe("bootstrap of balanced accuracy", () => {
  test("of independent samples gives the quantiles of the binomial distribution", () => {
    const { test: samples, predictions } = independent(100, 80);
    const { low, high } = bootstrap(samples, predictions, { seed: 1 });
    // Binomial(100, 0.8) has these quantiles at 72 and 87; chance may move each by one count.
    expect(Math.abs(low - 0.72)).toBeLessThanOrEqual(0.011);
    expect(Math.abs(high - 0.87)).toBeLessThanOrEqual(0.011);
  });

  test("draws the same for the same seed and differs for another", () => {
    const { test: samples, predictions } = independent(997, 700);
    const first = bootstrap(samples, predictions, { seed: "a" });
    expect(bootstrap(samples, predictions, { seed: "a" })).toEqual(first);
    expect(bootstrap(samples, predictions, { seed: "b" })).not.toEqual(first);
  });

  test("a group that is drawn brings all its samples, so equal groups leave no spread", () => {
    const test = { labels: [0, 0, 0, 0], groups: ["x", "x", "y", "y"] };
    expect(bootstrap(test, [0, 1, 0, 1], { seed: 1 })).toEqual({
      low: 0.5,
      high: 0.5,
    });
  });

  test("a perfect score of few groups is not certain", () => {
    const test = {
      labels: [0, 0, 0, 1, 1, 1],
      groups: ["a", "b", "c", "d", "e", "f"],
    };
    const interval = bootstrap(test, [0, 0, 0, 1, 1, 1], { seed: 1 });
    expect(interval).toEqual(wilson(6, 6));
  });

  test("a class with a single group keeps a spread: its samples are drawn", () => {
    const test = {
      labels: [0, 0, 0, 0, 1, 1],
      groups: ["x", "x", "x", "x", "y", "z"],
    };
    const { low, high } = bootstrap(test, [0, 0, 1, 1, 1, 1], { seed: 1 });
    expect(low).toBe(0.5);
    expect(high).toBe(1);
  });

  test("groups of several classes are drawn whole", () => {
    const labels = [0, 1, 0, 1, 0, 1];
    const groups = ["x", "x", "y", "y", "z", "z"];
    // Every group scores 1/2, whichever are drawn.
    expect(bootstrap({ labels, groups }, [0, 0, 1, 1, 0, 0], { seed: 1 })).toEqual({
      low: 0.5,
      high: 0.5,
    });
  });

  test("refuses an empty test set and lists of different length", () => {
    expect(() => bootstrap({ labels: [], groups: [] }, [], { seed: 1 })).toThrow(
      "bootstrap: samples must be at least 1, got 0",
    );
    expect(() => bootstrap({ labels: [0, 1], groups: ["a"] }, [0, 1], { seed: 1 })).toThrow(
      "bootstrap: groups and predictions must be as long as labels (2), got 1",
    );
  });
});

describe("coverage on simulated recordings", () => {
  const clips = 20;
  const recordingsPerClass = 15;
  const repetitions = 200;

  /** Recordings are easy (every clip 95 % right) or hard (55 %), evenly: true UAR is 0.75. */
  function simulate(seed: number): { test: Grouped; predictions: number[] } {
    const source = random(`recordings ${seed}`);
    const labels: number[] = [];
    const groups: number[] = [];
    const predictions: number[] = [];
    for (let recording = 0; recording < 2 * recordingsPerClass; recording++) {
      const label = recording % 2;
      const right = source.next() < 0.5 ? 0.95 : 0.55;
      for (let clip = 0; clip < clips; clip++) {
        labels.push(label);
        groups.push(recording);
        predictions.push(source.next() < right ? label : 1 - label);
      }
    }
    return { test: { labels, groups }, predictions };
  }

  function coverage(groupsOf: (test: Grouped) => Grouped["groups"]): number {
    let covered = 0;
    for (let seed = 0; seed < repetitions; seed++) {
      const { test, predictions } = simulate(seed);
      const grouped = { labels: test.labels, groups: groupsOf(test) };
      const { low, high } = bootstrap(grouped, predictions, {
        seed,
        resamples: 300,
      });
      if (low <= 0.75 && 0.75 <= high) covered++;
    }
    return covered / repetitions;
  }

  test("drawing recordings holds the truth about 95 % of the time, drawing clips far less", () => {
    const byRecording = coverage(({ groups }) => groups);
    const byClip = coverage(({ labels }) => Array.from(labels, (_, i) => i));
    // 200 repetitions of 95 % have a standard deviation of 1.5 points; percentile intervals of 15
    // groups a class are known to fall a few points short.
    expect(byRecording).toBeGreaterThanOrEqual(0.9);
    expect(byRecording).toBeLessThanOrEqual(0.99);
    expect(byClip).toBeLessThan(0.75);
  }, 60_000);
});

describe("paired gain", () => {
  const labels = Array.from({ length: 60 }, (_, i) => i % 2);
  const groups = labels.map((_, i) => `g${i >> 2}`);
  const flip = (i: number) => 1 - labels[i];

  test("of a classifier over itself is exactly 0", () => {
    const predictions = labels.map((label, i) => (i % 5 === 0 ? flip(i) : label));
    expect(pairedGain({ labels, groups }, predictions, predictions, { seed: 1 })).toEqual({
      difference: 0,
      interval: { low: 0, high: 0 },
    });
  });

  test("is the difference of balanced accuracies, and changes sign when swapped", () => {
    const a = labels.map((label, i) => (i % 10 === 0 ? flip(i) : label));
    const b = labels.map((label, i) => (i % 3 === 0 ? flip(i) : label));
    const forth = pairedGain({ labels, groups }, a, b, { seed: 7 });
    const back = pairedGain({ labels, groups }, b, a, { seed: 7 });
    expect(forth.difference).toBeCloseTo(54 / 60 - 40 / 60, 12);
    expect(forth.interval.low).toBeLessThan(forth.difference);
    expect(forth.interval.high).toBeGreaterThan(forth.difference);
    expect(back.difference).toBeCloseTo(-forth.difference, 12);
    expect(back.interval.low).toBeCloseTo(-forth.interval.high, 12);
    expect(back.interval.high).toBeCloseTo(-forth.interval.low, 12);
  });

  test("is narrower than the two scores' own intervals where the errors are shared", () => {
    const hard = (i: number) => i % 4 === 0 || groups[i] === "g3" || groups[i] === "g7";
    const b = labels.map((label, i) => (hard(i) ? flip(i) : label));
    const a = b.map((prediction, i) => (i % 12 === 0 ? labels[i] : prediction));
    const width = ({ low, high }: { low: number; high: number }) => high - low;
    const gain = pairedGain({ labels, groups }, a, b, { seed: 3 });
    const own = bootstrap({ labels, groups }, b, { seed: 3 });
    expect(gain.interval.low).toBeGreaterThan(0);
    expect(width(gain.interval)).toBeLessThan(width(own));
  });
});

test("accuracy resampled by group is wider than if samples were independent", () => {
  const labels = Array.from({ length: 200 }, (_, i) => (i < 100 ? 0 : 1));
  const groups = labels.map((_, i) => `recording ${Math.floor(i / 20)}`);
  // whole recordings are right or wrong
  const predictions = labels.map((label, i) => (Math.floor(i / 20) % 3 === 0 ? 1 - label : label));
  const grouped = bootstrap({ labels, groups }, predictions, { seed: 1, score: "accuracy" });
  const independent = wilson(120, 200);
  expect(grouped.high - grouped.low).toBeGreaterThan(2 * (independent.high - independent.low));
});

test("a perfect classifier over a constant one gains with an interval that is not a point", () => {
  const labels = [0, 0, 0, 1, 1, 1];
  const groups = ["a", "b", "c", "d", "e", "f"];
  const { difference, interval } = pairedGain({ labels, groups }, labels, [0, 0, 0, 0, 0, 0], {
    seed: 1,
  });
  expect(difference).toBe(0.5);
  expect(interval.low).toBeLessThan(0.5);
  expect(interval.high).toBeGreaterThan(0.4);
});
