/**
 * What is wrong with samples taken together: groups across splits, classes, pairing. Nothing is
 * decoded.
 */

import { nearest } from "../errors.ts";
import { type Modality, type Sample, SPLITS, type Split } from "./dataset.ts";
import { MANIFEST } from "./manifest.ts";
import { CLASS_MATCHED, PAIRING } from "./pair.ts";
import type { Problems } from "./problems.ts";

/** Largest over smallest class in train above which a user should weight classes. */
const IMBALANCE = 3;

/** Samples that a finding about many of them names. */
const NAMED = 20;

interface Audited {
  readonly samples: readonly Sample[];
  readonly classes: readonly string[];
  readonly modalities: readonly Modality[];
}

/** Check samples whose splits are known; `problems` gets what is wrong. */
export function auditSamples(dataset: Audited, problems: Problems): void {
  auditGroups(dataset, problems);
  auditSegments(dataset, problems);
  if (dataset.samples.length === 0) return;
  auditSplits(dataset, problems);
  auditClasses(dataset, problems);
  auditPairing(dataset, problems);
  auditMissing(dataset, problems);
}

/** A net that fuses modalities learns only from samples that have all of them: say how many do not. */
function auditMissing({ samples, modalities }: Audited, problems: Problems): void {
  // an unusable file is told as such; only then do the empty cells matter
  if (problems.list().some(({ severity }) => severity === "error")) return;
  for (const { name } of modalities) {
    const without = samples.filter(({ sources }) => sources[name] === undefined);
    if (without.length === 0) continue;
    const count = `${without.length} of ${samples.length} samples, first in row ${without[0].row}`;
    const told = `${name} is missing (${count}); nets that use it leave them out`;
    problems.warning("missing modality", `${MANIFEST}: ${told}`, firstOf(without));
  }
}

function auditGroups({ samples, modalities }: Audited, problems: Problems): void {
  const columns = ["group", ...modalities.map(({ name }) => `${name}_group`)];
  for (const column of columns) {
    const modality = column.slice(0, -"_group".length);
    const first = new Map<string, Sample>();
    const told = new Set<string>();
    for (const sample of samples) {
      const group = column === "group" ? sample.group : sample.sources[modality]?.group;
      if (group === undefined) continue;
      const other = first.get(group);
      if (other === undefined) first.set(group, sample);
      if (other === undefined || other.split === sample.split || told.has(group)) continue;
      told.add(group); // one line a group, not one a row
      const rows = `row ${other.row} (${other.split}) and row ${sample.row} (${sample.split})`;
      const message = `${MANIFEST}: ${column} ${group} is in two splits, ${rows}`;
      const samples = [other.id, sample.id];
      problems.error("group in two splits", message, { sample: sample.id, samples });
    }
  }
}

/** Whoever cuts overlapping windows and then deals them out tests on what was trained on. */
function auditSegments({ samples, modalities }: Audited, problems: Problems): void {
  for (const { name } of modalities) {
    const spans = samples
      .flatMap((sample) => {
        const { path, startS = 0, durationS } = sample.sources[name] ?? {};
        // whole files that are equal are found by their content, whatever they are called
        return path === undefined || durationS === undefined
          ? []
          : [{ sample, path, startS, endS: startS + durationS }];
      })
      .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.startS - b.startS));
    const furthest = new Map<Split, (typeof spans)[number]>();
    for (const [i, span] of spans.entries()) {
      if (span.path !== spans[i - 1]?.path) furthest.clear();
      const { sample, path, startS, endS } = span;
      const other = [...furthest.values()].find(
        (earlier) => earlier.sample.split !== sample.split && earlier.endS > startS,
      );
      if (endS > (furthest.get(sample.split)?.endS ?? 0)) furthest.set(sample.split, span);
      if (other === undefined) continue;
      const pair = [other.sample, sample];
      const rows = pair.map(({ row, split }) => `row ${row} (${split})`).join(" and ");
      const message = `${MANIFEST}: ${path} is used in two splits at one time, ${rows}`;
      const about = { sample: sample.id, samples: pair.map(({ id }) => id) };
      problems.error("overlapping segments in two splits", message, about);
    }
  }
}

function auditSplits({ samples }: Audited, problems: Problems): void {
  const present = new Set(samples.map(({ split }) => split));
  if (!present.has("train")) problems.error("empty split", `${MANIFEST} has no train samples`);
  else if (!present.has("val")) {
    problems.warning(
      "empty split",
      `${MANIFEST} has no val samples and too few groups to make some`,
    );
  }
  if (!present.has("test")) {
    problems.warning("empty split", `${MANIFEST} has no test samples: no final score can be given`);
  }
}

function auditClasses({ samples, classes }: Audited, problems: Problems): void {
  if (classes.length === 1) {
    const message = `${MANIFEST} has one class, ${classes[0]}; a classifier needs two or more`;
    problems.error("one class", message);
  }
  const counts = countLabels(samples, "train");
  if (counts.size === 0) return;
  const trained = [...counts.keys()];
  for (const label of classes.filter((name) => !counts.has(name))) {
    const sample = samples.find((candidate) => candidate.label === label);
    const near = nearest(label, trained);
    const hint = near === undefined ? "" : `; did you mean ${near}?`;
    const message = `${MANIFEST} row ${sample?.row}: label ${label} never occurs in train${hint}`;
    problems.error("class without training", message, sample?.id);
  }
  for (const split of ["val", "test"] as const) {
    const own = countLabels(samples, split);
    const missing = classes.filter((label) => !own.has(label) && counts.has(label));
    if (own.size === 0 || missing.length === 0) continue;
    const message = `${MANIFEST}: ${split} has no samples of ${missing.join(", ")}`;
    problems.warning("class without samples", message);
  }
  const ranked = [...counts].sort((a, b) => b[1] - a[1]);
  const [most, least] = [ranked[0], ranked[ranked.length - 1]];
  if (most[1] > IMBALANCE * least[1]) {
    const counted = `${most[1]} of ${most[0]}, but ${least[1]} of ${least[0]}`;
    const message = `${MANIFEST}: train has ${counted}; judge by balanced accuracy`;
    problems.warning("class imbalance", message);
  }
}

/** Samples of each label in one split. */
export function countLabels(samples: readonly Sample[], split: Split): Map<string, number> {
  const counts = new Map<string, number>();
  for (const sample of samples) {
    if (sample.split === split) counts.set(sample.label, (counts.get(sample.label) ?? 0) + 1);
  }
  return counts;
}

/** Pairs put together by class say less about fusion than pairs recorded together: say so. */
function auditPairing({ samples }: Audited, problems: Problems): void {
  const isMatched = ({ group, sources, columns }: Sample) => {
    if (columns[PAIRING] === CLASS_MATCHED) return true;
    const groups = Object.values(sources).map((source) => source.group ?? group);
    return new Set(groups).size > 1;
  };
  const matched = samples.filter(isMatched);
  if (matched.length === 0) return;
  const count = `${matched.length} of ${samples.length} samples, first in row ${matched[0].row}`;
  const told = `modalities come from different recordings, paired by class (${count})`;
  problems.warning("class-matched pairs", `${MANIFEST}: ${told}`, firstOf(matched));
}

/** The first of many samples. */
function firstOf(samples: readonly Sample[]): { samples: string[] } {
  return { samples: samples.slice(0, NAMED).map(({ id }) => id) };
}

/** Distinct groups in each split. */
export function countGroups(samples: readonly Sample[]): Record<Split, number> {
  const count = (split: Split) =>
    new Set(samples.filter((sample) => sample.split === split).map(({ group }) => group)).size;
  return Object.fromEntries(SPLITS.map((split) => [split, count(split)])) as Record<Split, number>;
}
