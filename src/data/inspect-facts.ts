/** What the samples of a modality are together: rates, sizes, durations, and how many lack what. */

import type { Finding, Report } from "./inspect-finding.ts";
import { MANIFEST } from "./manifest.ts";

export interface AudioFacts {
  readonly kind: "audio";
  readonly present: number;
  readonly missing: number;
  readonly unreadable: number;
  /** How many recordings have each rate. */
  readonly sampleRatesHz: Readonly<Record<string, number>>;
  readonly shortestS: number;
  readonly longestS: number;
  readonly totalS: number;
  readonly silent: number;
  readonly clipped: number;
}

export interface ImageFacts {
  readonly kind: "image";
  readonly present: number;
  readonly missing: number;
  readonly unreadable: number;
  /** How many pictures have each size, as "height x width x channels". */
  readonly sizes: Readonly<Record<string, number>>;
  readonly blank: number;
}

export interface SeriesFacts {
  readonly kind: "series";
  readonly present: number;
  readonly missing: number;
  readonly unreadable: number;
  /** How many series have each rate and number of channels, as "Hz x channels". */
  readonly forms: Readonly<Record<string, number>>;
  readonly shortestS: number;
  readonly longestS: number;
  readonly totalS: number;
  readonly constant: number;
}

/** Rates or sizes that differ. */
export function reportForms(findings: readonly Finding[], { modality, problems }: Report): void {
  const forms = census(findings);
  if (Object.keys(forms).length < 2) return;
  const unit = modality.kind === "audio" ? " Hz" : "";
  const list = Object.entries(forms).map(([form, count]) => `${count} of ${form}${unit}`);
  const kind = modality.kind === "image" ? "mixed picture sizes" : "mixed sample rates";
  problems.warning(kind, `${MANIFEST}: ${modality.name} has ${list.join(", ")}; all are resampled`);
}

/** The counts of one modality. */
export function facts(
  findings: readonly Finding[],
  { modality, missing }: { modality: Report["modality"]; missing: number },
): AudioFacts | ImageFacts | SeriesFacts {
  const readable = findings.flatMap(({ content }) => (content === undefined ? [] : [content]));
  const counts = {
    present: findings.length,
    missing,
    unreadable: findings.length - readable.length,
  };
  const empty = readable.filter(({ isEmpty }) => isEmpty).length;
  if (modality.kind === "image") {
    return { kind: "image", ...counts, sizes: census(findings), blank: empty };
  }
  const durations = readable.map(({ durationS }) => durationS);
  const lengths = {
    shortestS: durations.reduce((least, value) => Math.min(least, value), durations[0] ?? 0),
    longestS: durations.reduce((most, value) => Math.max(most, value), 0),
    totalS: durations.reduce((sum, value) => sum + value, 0),
  };
  if (modality.kind === "series") {
    return { kind: "series", ...counts, forms: census(findings), ...lengths, constant: empty };
  }
  return {
    kind: "audio",
    ...counts,
    sampleRatesHz: census(findings),
    ...lengths,
    silent: empty,
    clipped: readable.filter(({ isClipped }) => isClipped).length,
  };
}

/** How many readable findings have each form. */
function census(findings: readonly Finding[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { content } of findings) {
    if (content !== undefined) counts.set(content.form, (counts.get(content.form) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
