/**
 * Ctrl-C and SIGTERM: the first one asks the verb to save and stop, the second one kills.
 *
 * Signals reach JavaScript only between two turns of the event loop. Verbs stop where they tell
 * progress or pause; around synchronous work of seconds nothing listens, so that the system ends
 * the program at once.
 */

import { setImmediate } from "node:timers/promises";
import { Interrupted } from "./context.ts";

export interface Interrupts {
  readonly signal: AbortSignal;
  /** See Context. */
  blocking<T>(work: () => T): Promise<T>;
  /** The same function, but throwing Interrupted once a signal has come. */
  stopping<P extends unknown[]>(tell: (...values: P) => void): (...values: P) => void;
  close(): void;
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

export function listenForInterrupts(): Interrupts {
  const abort = new AbortController();
  const { signal } = abort;
  const onSignal = (): void => {
    if (signal.aborted) process.exit(130);
    abort.abort();
  };
  const listen = (): void => {
    for (const name of SIGNALS) process.on(name, onSignal);
  };
  const close = (): void => {
    for (const name of SIGNALS) process.off(name, onSignal);
  };
  const check = (): void => {
    if (signal.aborted) throw new Interrupted("interrupted");
  };
  listen();
  return {
    signal,
    close,
    blocking: async (work) => {
      // a signal that waits to be told would be lost with its listener: let it through first
      await setImmediate(); // may follow this turn's look for signals,
      await setImmediate(); // so that only the next turn has looked again
      check();
      close();
      try {
        return work();
      } finally {
        listen();
      }
    },
    stopping:
      (tell) =>
      (...values) => {
        tell(...values);
        check();
      },
  };
}

/** The error of a verb that was stopped. */
export function asInterrupted(error: unknown): Interrupted {
  return error instanceof Interrupted ? error : new Interrupted("interrupted");
}
