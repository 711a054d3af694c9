/**
 * A list of problems that stays readable: so many of a kind are told in full, the others are
 * counted.
 */

import type { Problem } from "./dataset.ts";

/** More of one kind teach nobody anything; the count says the rest. */
const LISTED_PER_KIND = 20;

export interface Problems {
  error(kind: string, message: string, sample?: string): void;
  warning(kind: string, message: string, sample?: string): void;
  /** Errors first, each kind together, in the order in which the kinds appeared. */
  list(): Problem[];
}

/** An empty list. */
export function collectProblems(): Problems {
  const kinds = new Map<
    string,
    { severity: Problem["severity"]; listed: Problem[]; more: number }
  >();
  const add = (severity: Problem["severity"], kind: string, message: string, sample?: string) => {
    const key = `${severity} ${kind}`;
    const entry = kinds.get(key) ?? { severity, listed: [], more: 0 };
    kinds.set(key, entry);
    if (entry.listed.length === LISTED_PER_KIND) entry.more++;
    else {
      entry.listed.push({ severity, kind, ...(sample === undefined ? {} : { sample }), message });
    }
  };
  return {
    error: (kind, message, sample) => add("error", kind, message, sample),
    warning: (kind, message, sample) => add("warning", kind, message, sample),
    list: () => [...listed(kinds.values(), "error"), ...listed(kinds.values(), "warning")],
  };
}

function* listed(
  kinds: Iterable<{ severity: Problem["severity"]; listed: Problem[]; more: number }>,
  wanted: Problem["severity"],
): Iterable<Problem> {
  for (const { severity, listed, more } of kinds) {
    if (severity !== wanted) continue;
    yield* listed;
    const { kind } = listed[0];
    if (more > 0) yield { severity, kind, message: `... and ${more} more of the kind: ${kind}` };
  }
}
