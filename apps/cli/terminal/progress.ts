/**
 * Progress of a long job, told on stderr while results go to stdout.
 *
 * One interface, three renderers: a bar that rewrites its line (terminal), plain lines at a calm
 * pace (log file, CI), nothing (--quiet). Cursor escapes are written only by the bar, and the bar
 * is chosen only for a terminal outside CI. An unfinished stage is closed by the next `stage`.
 */
import pc from "picocolors";
import { drawBar } from "./bar.ts";
import { formatCount, formatDuration } from "./format.ts";
import { printable } from "./text.ts";

export interface Reporter {
  /** Begins a stage, such as "train image + audio". */
  stage(name: string): void;
  /** `done` of `total` steps are behind; `note` is a short state such as "loss 0.31". */
  update(done: number, total: number, note?: string): void;
  /** Prints a line that stays, above the bar. */
  line(text: string): void;
  /** Ends the stage. */
  done(note?: string): void;
  /**
   * Leaves the stage as it is, before an error or an interrupt is told; nothing if none is open.
   */
  stop(): void;
}

/** What a reporter needs of a stream; `process.stderr` is one. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface ReporterOptions {
  readonly output: Output;
  /** Milliseconds of a monotonic clock, such as `performance.now`. */
  readonly now: () => number;
  /** `CI`, `NO_COLOR`, `FORCE_COLOR` and `TERM` are looked at. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly quiet?: boolean;
}

/** Redraws of the bar at most every 100 ms. */
const REDRAW_MS = 100;
/** A plain line at least after 5 s; on a new tenth of the work not before 1 s. */
const LINE_MS = 5000;
const TENTH_MS = 1000;

/** The reporter that suits the stream: silent, bar or plain lines. */
export function createReporter(options: ReporterOptions): Reporter {
  if (options.quiet === true) return { stage() {}, update() {}, line() {}, done() {}, stop() {} };
  return isInteractive(options) ? createBar(options) : createLines(options);
}

/** Whether cursor escapes are welcome: a terminal that is neither dumb nor a CI job's. */
export function isInteractive({ output, environment }: ReporterOptions): boolean {
  return output.isTTY === true && !isSet(environment.CI) && environment.TERM !== "dumb";
}

/** Whether colours are welcome (no-color.org; FORCE_COLOR overrides the kind of stream). */
export function hasColours(options: ReporterOptions): boolean {
  const { NO_COLOR, FORCE_COLOR } = options.environment;
  if (isSet(NO_COLOR) || FORCE_COLOR === "0") return false;
  return isSet(FORCE_COLOR) || isInteractive(options);
}

/** Where a stage stands; times in milliseconds. */
interface Stage {
  readonly name: string;
  readonly startMs: number;
  done: number;
  total: number;
  note: string;
  /** The first update seen: what was done before it (a resumed run) says nothing about speed. */
  first?: { readonly done: number; readonly ms: number };
  shownMs: number;
  shownTenth: number;
}

function beginStage(name: string, ms: number): Stage {
  return {
    name: printable(name),
    startMs: ms,
    done: 0,
    total: 0,
    note: "",
    shownMs: ms,
    shownTenth: 0,
  };
}

function advance(stage: Stage, ms: number, done: number, total: number, note = ""): void {
  stage.done = done;
  stage.total = total;
  stage.note = printable(note);
  stage.first ??= { done, ms };
}

/** Seconds that the rest will take at the pace so far; undefined while the pace is unknown. */
function remainingSeconds({ first, done, total }: Stage, ms: number): number | undefined {
  if (first === undefined || done <= first.done || done >= total) return undefined;
  const elapsedMs = ms - first.ms;
  if (elapsedMs < 1000) return undefined;
  return ((total - done) * elapsedMs) / (done - first.done) / 1000;
}

function createBar(options: ReporterOptions): Reporter {
  const { output, now } = options;
  const colours = pc.createColors(hasColours(options));
  const clear = "\r\u001b[K";
  let stage: Stage | undefined;
  const draw = (current: Stage): void => {
    const ms = now();
    current.shownMs = ms;
    // One cell stays free: writing into the last one wraps on some terminals.
    const columns = (output.columns ?? 80) - 1;
    const remaining = remainingSeconds(current, ms);
    output.write(clear + drawBar({ ...current, remaining, columns, colours }));
  };
  const finish = (note?: string): void => {
    if (stage === undefined) return;
    const took = formatDuration((now() - stage.startMs) / 1000);
    const tail = colours.dim(note === undefined ? took : `${printable(note)}  ${took}`);
    output.write(`${clear}${colours.green("✓")} ${stage.name}  ${tail}\n`);
    stage = undefined;
  };
  return {
    stage(name) {
      finish();
      stage = beginStage(name, now());
      draw(stage);
    },
    update(done, total, note) {
      if (stage === undefined) return;
      const ms = now();
      advance(stage, ms, done, total, note);
      if (ms - stage.shownMs >= REDRAW_MS || done >= total) draw(stage);
    },
    line(text) {
      output.write(stage === undefined ? `${text}\n` : `${clear}${text}\n`);
      if (stage !== undefined) draw(stage);
    },
    done: finish,
    stop() {
      if (stage !== undefined) {
        draw(stage);
        output.write("\n");
      }
      stage = undefined;
    },
  };
}

function createLines({ output, now }: ReporterOptions): Reporter {
  let stage: Stage | undefined;
  const write = (parts: readonly string[]): void => {
    output.write(`${parts.filter((part) => part !== "").join("  ")}\n`);
  };
  const finish = (note = ""): void => {
    if (stage === undefined) return;
    const took = formatDuration((now() - stage.startMs) / 1000);
    write([`${stage.name}: done in ${took}`, printable(note)]);
    stage = undefined;
  };
  return {
    stage(name) {
      finish();
      stage = beginStage(name, now());
      write([`${stage.name}: started`]);
    },
    update(done, total, note) {
      if (stage === undefined) return;
      const ms = now();
      advance(stage, ms, done, total, note);
      const tenth = total > 0 ? Math.floor((10 * done) / total) : 0;
      const sinceMs = ms - stage.shownMs;
      if (sinceMs < (tenth > stage.shownTenth ? TENTH_MS : LINE_MS)) return;
      stage.shownMs = ms;
      stage.shownTenth = tenth;
      const remaining = remainingSeconds(stage, ms);
      const left = remaining === undefined ? "" : `${formatDuration(remaining)} left`;
      const percent = total > 0 ? `${Math.floor((100 * done) / total)} %` : "running";
      write([`${stage.name}: ${percent}`, stepsOf(stage), stage.note, left]);
    },
    line(text) {
      output.write(`${text}\n`);
    },
    done: finish,
    stop() {
      if (stage !== undefined) write([`${stage.name}: stopped`, stepsOf(stage)]);
      stage = undefined;
    },
  };
}

function stepsOf({ done, total }: Stage): string {
  return total > 0 ? `${formatCount(done)}/${formatCount(total)}` : "";
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "" && value !== "false";
}
