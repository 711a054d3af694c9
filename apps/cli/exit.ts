/** Errors as a person sees them, and the exit code of each. */

import { CheckError, MismatchError, MissingToolError, UserError } from "../../src/errors.ts";
import { Interrupted } from "./context.ts";
import { explained } from "./run-folder.ts";

export function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return 130;
  if (error instanceof CheckError) return 3;
  if (error instanceof MissingToolError) return 4;
  if (error instanceof UserError || error instanceof MismatchError) return 2;
  return 1;
}

/** A failed write that no verb has put into words, such as into the folder of temporary files. */
export function asUserError(error: unknown): unknown {
  const path = error instanceof Error && "path" in error ? String(error.path) : "a file";
  return explained(error, path);
}

/** One sentence for what a user can put right; the stack for what only we can. */
export function explain(error: unknown): string {
  if (
    error instanceof Interrupted ||
    error instanceof UserError ||
    error instanceof MismatchError
  ) {
    return `tinym2net: ${error.message}\n`;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `tinym2net failed, which is a bug: please report it with this text.\n${text}\n`;
}
