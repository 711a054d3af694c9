import { describe, expect, test } from "vitest";
import { drawBar } from "./bar.ts";
import { createReporter, type Output, type Reporter } from "./progress.ts";

const ESCAPE = "\u001b";
const CLEAR = `\r${ESCAPE}[K`;

interface Stage {
  readonly reporter: Reporter;
  readonly written: string[];
  wait(ms: number): void;
}

/** A reporter on a stream that remembers, and a clock that moves when told. */
function stage(
  output: Partial<Output>,
  environment: Record<string, string> = { NO_COLOR: "1" },
  quiet = false,
): Stage {
  const written: string[] = [];
  let ms = 0;
  const stream = { write: (text: string) => written.push(text), ...output };
  const reporter = createReporter({ output: stream, now: () => ms, environment, quiet });
  return {
    reporter,
    written,
    wait(step) {
      ms += step;
    },
  };
}

describe("the bar of a terminal", () => {
  test("rewrites one line and ends it with a tick and the time it took", () => {
    const { reporter, written, wait } = stage({ isTTY: true, columns: 80 });
    reporter.stage("train");
    wait(200);
    reporter.update(1, 4, "loss 1.20");
    wait(2000);
    reporter.update(2, 4, "loss 0.31");
    reporter.done("93.8 %");
    expect(written).toEqual([
      `${CLEAR}train …`,
      `${CLEAR}train  ━━━━━━──────────────────   25 %  1/4  loss 1.20`,
      `${CLEAR}train  ━━━━━━━━━━━━────────────   50 %  2/4  loss 0.31  4.0 s left`,
      `${CLEAR}✓ train  93.8 %  2.2 s\n`,
    ]);
  });

  test("is drawn at most ten times a second, and always when complete", () => {
    const { reporter, written, wait } = stage({ isTTY: true, columns: 80 });
    reporter.stage("train");
    for (let done = 1; done <= 1000; done++) {
      wait(1);
      reporter.update(done, 1000);
    }
    // One at the start, one each 100 ms; the tenth is also the complete one.
    expect(written.length).toBe(11);
    expect(written.at(-1)).toContain("100 %  1000/1000");
  });

  test("makes room for a line that stays", () => {
    const { reporter, written } = stage({ isTTY: true, columns: 80 });
    reporter.stage("train");
    reporter.line("recording 7 is silent");
    expect(written.slice(1)).toEqual([`${CLEAR}recording 7 is silent\n`, `${CLEAR}train …`]);
  });

  test("is left on its line when the job stops", () => {
    const { reporter, written } = stage({ isTTY: true, columns: 80 });
    reporter.stage("train");
    reporter.stop();
    reporter.stop();
    expect(written.slice(1)).toEqual([`${CLEAR}train …`, "\n"]);
  });

  test("has colours unless NO_COLOR is set", () => {
    const draw = (environment: Record<string, string>) => {
      const { reporter, written } = stage({ isTTY: true }, environment);
      reporter.stage("train");
      reporter.done();
      return written.join("").replaceAll(CLEAR, "");
    };
    expect(draw({})).toContain(`${ESCAPE}[32m✓`);
    expect(draw({ NO_COLOR: "1" })).toBe("train …✓ train  0.0 s\n");
  });

  test.each(Array.from({ length: 90 }, (_, columns) => columns + 1))(
    "never takes more than %i cells",
    (columns) => {
      const plain = (text: unknown) => String(text);
      const line = drawBar({
        name: "train image + audio",
        done: 9,
        total: 20,
        note: "loss 0.31",
        remaining: 12,
        columns,
        colours: { cyan: plain, dim: plain },
      });
      expect(line.length).toBeLessThanOrEqual(columns);
    },
  );

  test("loses the note first, then the time left, then the bar", () => {
    const plain = (text: unknown) => String(text);
    const state = { name: "train", done: 9, total: 20, note: "loss 0.31", remaining: 12 };
    const at = (columns: number) =>
      drawBar({ ...state, columns, colours: { cyan: plain, dim: plain } });
    expect(at(70)).toBe("train  ━━━━━━━━━━━─────────────   45 %  9/20  loss 0.31  12 s left");
    expect(at(45)).toBe("train  ━━━━━━────────   45 %  9/20  12 s left");
    expect(at(30)).toBe("train  ━━━━━─────   45 %  9/20");
    expect(at(12)).toBe("train  45 %");
  });
});

describe("plain lines", () => {
  test("come without escapes to a pipe, to a dumb terminal and in CI", () => {
    for (const [output, environment] of [
      [{ isTTY: false }, {}],
      [{ isTTY: true }, { CI: "true" }],
      [{ isTTY: true }, { TERM: "dumb" }],
    ] as const) {
      const { reporter, written, wait } = stage(output, environment);
      reporter.stage("train");
      wait(6000);
      reporter.update(1, 10, "loss 1.20");
      reporter.line("note");
      reporter.done();
      const text = written.join("");
      expect(text).not.toContain(ESCAPE);
      expect(text).not.toContain("\r");
      expect(text).toBe(
        "train: started\ntrain: 10 %  1/10  loss 1.20\nnote\ntrain: done in 6.0 s\n",
      );
    }
  });

  test("keep a calm pace: one a tenth of the work, or one in five seconds", () => {
    const { reporter, written, wait } = stage({});
    reporter.stage("train");
    for (let done = 1; done <= 2000; done++) {
      wait(50);
      reporter.update(done, 2000);
    }
    reporter.done();
    // 100 s: a line each 5 s (twice a tenth), and the first and last.
    expect(written.length).toBeLessThanOrEqual(2 + 2 * 20);
    expect(written.length).toBeGreaterThanOrEqual(2 + 19);
  });

  test("a quick stage says only that it began and ended", () => {
    const { reporter, written, wait } = stage({});
    reporter.stage("compress");
    for (let done = 1; done <= 10; done++) {
      wait(50);
      reporter.update(done, 10);
    }
    reporter.done("mixed 8/4");
    expect(written.join("")).toBe("compress: started\ncompress: done in 0.5 s  mixed 8/4\n");
  });

  test("say where a job stopped", () => {
    const { reporter, written } = stage({});
    reporter.stage("train");
    reporter.update(3, 20);
    reporter.stop();
    expect(written.at(-1)).toBe("train: stopped  3/20\n");
  });

  test("the time left of a resumed job counts only what was done since", () => {
    const { reporter, written, wait } = stage({});
    reporter.stage("train");
    reporter.update(10, 20);
    wait(6000);
    reporter.update(12, 20);
    expect(written.at(-1)).toBe("train: 60 %  12/20  24 s left\n");
  });

  test("a name cannot send control sequences", () => {
    const { reporter, written } = stage({});
    reporter.stage(`${ESCAPE}[2J`);
    expect(written.join("")).toBe("?[2J: started\n");
  });
});

test("a quiet reporter writes nothing", () => {
  const { reporter, written } = stage({ isTTY: true }, {}, true);
  reporter.stage("train");
  reporter.update(1, 2);
  reporter.line("text");
  reporter.done();
  reporter.stop();
  expect(written).toEqual([]);
});
