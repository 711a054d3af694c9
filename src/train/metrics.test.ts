import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { accuracy, areaUnderRoc, balancedAccuracy, confusionMatrix, perClass } from "./metrics.ts";

const HAND = [
  [3, 1, 0],
  [0, 2, 2],
  [0, 0, 2],
];

describe("confusion matrix", () => {
  test("counts truth in rows and predictions in columns", () => {
    const labels = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2];
    const predictions = [0, 0, 0, 1, 1, 1, 2, 2, 2, 2];
    expect(confusionMatrix(labels, predictions, 3)).toEqual(HAND);
  });

  test("refuses lists of different length, naming both", () => {
    expect(() => confusionMatrix([0, 1], [0], 2)).toThrow(
      "confusionMatrix: predictions must be as long as labels (2), got 1",
    );
  });

  test("refuses a class outside the range, naming the sample", () => {
    expect(() => confusionMatrix([0, 1], [0, 2], 2)).toThrow(
      "confusionMatrix: predictions[1] must be a class of 0 .. 1, got 2",
    );
    expect(() => confusionMatrix([0, Number.NaN], [0, 1], 2)).toThrow("got NaN");
  });

  test("holds every sample exactly once", () => {
    const pair = fc.tuple(fc.nat(4), fc.nat(4));
    fc.assert(
      fc.property(fc.array(pair), (pairs) => {
        const confusion = confusionMatrix(
          pairs.map(([label]) => label),
          pairs.map(([, prediction]) => prediction),
          5,
        );
        expect(confusion.flat().reduce((a, b) => a + b, 0)).toBe(pairs.length);
      }),
    );
  });
});

describe("accuracy", () => {
  test("is the share on the diagonal; balanced accuracy is the mean recall", () => {
    expect(accuracy(HAND)).toBeCloseTo(7 / 10, 15);
    expect(balancedAccuracy(HAND)).toBeCloseTo((3 / 4 + 2 / 4 + 2 / 2) / 3, 15);
  });

  test("a class that does not occur is left out of balanced accuracy", () => {
    expect(
      balancedAccuracy([
        [1, 1, 0],
        [0, 4, 0],
        [0, 0, 0],
      ]),
    ).toBe(0.75);
  });

  test("always answering the commonest class scores 1 / classes when balanced", () => {
    const confusion = [
      [90, 0],
      [10, 0],
    ];
    expect(accuracy(confusion)).toBe(0.9);
    expect(balancedAccuracy(confusion)).toBe(0.5);
  });

  test("an empty matrix has no score", () => {
    expect(() => accuracy([[0]])).toThrow("accuracy: samples must be at least 1, got 0");
    expect(() => balancedAccuracy([])).toThrow("balancedAccuracy: samples must be at least 1");
  });

  test("repeating every sample changes neither score", () => {
    const row = fc.array(fc.nat(9), { minLength: 3, maxLength: 3 });
    const matrix = fc
      .array(row, { minLength: 3, maxLength: 3 })
      .filter((rows) => rows.flat().some((n) => n > 0));
    fc.assert(
      fc.property(matrix, fc.integer({ min: 2, max: 9 }), (confusion, times) => {
        const repeated = confusion.map((counts) => counts.map((n) => n * times));
        expect(accuracy(repeated)).toBeCloseTo(accuracy(confusion), 12);
        expect(balancedAccuracy(repeated)).toBeCloseTo(balancedAccuracy(confusion), 12);
      }),
    );
  });
});

describe("scores per class", () => {
  test("follow from rows and columns", () => {
    const [a, b, c] = perClass(HAND, ["a", "b", "c"]);
    expect(a).toEqual({
      label: "a",
      n: 4,
      precision: 1,
      recall: 3 / 4,
      f1: 6 / 7,
    });
    expect(b).toEqual({
      label: "b",
      n: 4,
      precision: 2 / 3,
      recall: 2 / 4,
      f1: 4 / 7,
    });
    expect(c).toEqual({
      label: "c",
      n: 2,
      precision: 2 / 4,
      recall: 1,
      f1: 4 / 6,
    });
  });

  test("a class that neither occurs nor is predicted scores 0, not NaN", () => {
    const [, absent] = perClass(
      [
        [1, 0],
        [0, 0],
      ],
      ["here", "absent"],
    );
    expect(absent).toEqual({
      label: "absent",
      n: 0,
      precision: 0,
      recall: 0,
      f1: 0,
    });
  });

  test("need one name a class", () => {
    expect(() => perClass(HAND, ["a"])).toThrow(
      "perClass: names must be one for each of 3 classes, got 1",
    );
  });
});

describe("area under the ROC curve", () => {
  test("counts the pairs in the right order, ties by half", () => {
    expect(areaUnderRoc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])).toBe(0.75);
    expect(areaUnderRoc([1, 1, 1], [0, 1, 1])).toBe(0.5);
    expect(areaUnderRoc([1, 2, 2, 3], [0, 0, 1, 1])).toBe(7 / 8);
  });

  test("equals the 0.893 of Hanley and McNeil's 109 rated CT images", () => {
    // Table I: ratings 1 .. 5 of 58 normal and 51 abnormal images.
    const normal = [33, 6, 6, 11, 2];
    const abnormal = [3, 2, 2, 11, 33];
    const scores: number[] = [];
    const labels: number[] = [];
    [normal, abnormal].forEach((counts, label) => {
      counts.forEach((n, rating) => {
        scores.push(...new Array<number>(n).fill(rating));
        labels.push(...new Array<number>(n).fill(label));
      });
    });
    expect(areaUnderRoc(scores, labels)).toBeCloseTo(0.893, 3);
  });

  test("equals the count over all pairs, and mirrors when scores change sign", () => {
    const sample = fc.tuple(fc.integer({ min: -4, max: 4 }), fc.nat(1));
    const samples = fc
      .array(sample, { minLength: 2 })
      .filter((list) => new Set(list.map(([, label]) => label)).size === 2);
    fc.assert(
      fc.property(samples, (list) => {
        const scores = list.map(([score]) => score);
        const labels = list.map(([, label]) => label);
        const positive = list.filter(([, label]) => label === 1);
        const negative = list.filter(([, label]) => label === 0);
        let wins = 0;
        for (const [p] of positive) {
          for (const [q] of negative) wins += p > q ? 1 : p === q ? 0.5 : 0;
        }
        const area = areaUnderRoc(scores, labels);
        expect(area).toBeCloseTo(wins / (positive.length * negative.length), 12);
        const mirrored = scores.map((score) => -score);
        expect(areaUnderRoc(mirrored, labels)).toBeCloseTo(1 - area, 12);
      }),
    );
  });

  test("refuses one class, a score that is not a number and lists of different length", () => {
    expect(() => areaUnderRoc([1, 2], [1, 1])).toThrow(
      "areaUnderRoc: labels must be some 0 and some 1, got 1",
    );
    expect(() => areaUnderRoc([Number.NaN, 2], [0, 1])).toThrow("scores[0] must be finite");
    expect(() => areaUnderRoc([1], [0, 1])).toThrow("scores must be as long as labels (2), got 1");
  });
});
