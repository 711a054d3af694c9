/** What a verb gets besides its arguments: where to print, how to tell progress, when to stop. */

import type { Reporter } from "./terminal/progress.ts";

export interface Context {
  readonly reporter: Reporter;
  /** Text for people, on stdout; nothing with --json. */
  print(text: string): void;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  /**
   * Work of seconds that lets no signal through: Ctrl-C ends the program at once while it runs, so
   * it must not write.
   */
  blocking<T>(work: () => T): Promise<T>;
  /** How the user calls this program, for the commands that are suggested. */
  readonly program: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Milliseconds of a monotonic clock. */
  now(): number;
}

/** The first Ctrl-C, after everything worth keeping was saved; exit code 130. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** Let signals and timers through, then stop if asked to. */
export async function pause({ signal }: Context): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
  if (signal.aborted) throw new Interrupted("interrupted");
}
