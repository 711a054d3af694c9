/**
 * A list of problems that stays readable: so many of a kind are told in full, the others are
 * counted.
 */

import type { Problem } from "./dataset.ts";

/** More of one kind teach nobody anything; the count says the rest. */
const LISTED_PER_KIND = 20;

/** What makes every score on a dataset doubtful: with these `data --strict` is not content. */
export const SERIOUS_KINDS: readonly string[] = [
  "group in two splits",
  "overlapping segments in two splits",
  "same content in two splits",
  "near copy in two splits",
  "same content under two labels",
  "label follows file property",
];

/** The sample that a problem is about, or samples, of which one may be the one to look at. */
export type About = string | { readonly sample?: string; readonly samples: readonly string[] };

export interface Problems {
  error(kind: string, message: string, about?: About): void;
  warning(kind: string, message: string, about?: About): void;
  /** Errors first, each kind together, in the order in which the kinds appeared. */
  list(): Problem[];
}

/** An empty list. */
export function collectProblems(): Problems {
  const kinds = new Map<
    string,
    { severity: Problem["severity"]; listed: Problem[]; more: number }
  >();
  const add = (severity: Problem["severity"], kind: string, message: string, about?: About) => {
    const key = `${severity} ${kind}`;
    const entry = kinds.get(key) ?? { severity, listed: [], more: 0 };
    kinds.set(key, entry);
    if (entry.listed.length === LISTED_PER_KIND) entry.more++;
    else {
      const samples = typeof about === "string" ? { sample: about } : about;
      entry.listed.push({ severity, kind, ...samples, message });
    }
  };
  return {
    error: (kind, message, about) => add("error", kind, message, about),
    warning: (kind, message, about) => add("warning", kind, message, about),
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
