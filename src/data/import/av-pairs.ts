/**
 * Recordings made together, in files of their own: paired by the stem of their names, or by the
 * time stamps in them.
 *
 * Convention: `[split/][modality/]class/[session/...]file`. Files are paired within a split, a class
 * and a session only. Without a folder that names the modality it is the kind of file, audio or
 * image. What finds no partner is refused, not guessed.
 */

import type { FoundSample } from "../collect.ts";
import { fileKind } from "../manifest.ts";
import { type Importer, type ImportHints, isMedia, type Refusal } from "./importer.ts";
import { type Place, placeOf } from "./place.ts";
import { timeStampOf } from "./time-stamp.ts";
import type { SourceTree } from "./tree.ts";

/** Pairs further apart than this in time were recorded on another occasion. */
const SESSION_GAP_S = 60;

interface Recording extends Place {
  readonly path: string;
  readonly modality: string;
  readonly label: string;
  /** Seconds; undefined where it is paired by stem. */
  readonly timeS: number | undefined;
}

/** Recordings of one sample, the first of the reference modality. */
type Match = readonly Recording[];

export const avPairs: Importer = {
  name: "av-pairs",
  layout: "[split/][modality/]class/[session/...]file: paired by stem, or by time stamp",
  matches: (tree, hints) => {
    const { recordings } = readRecordings(tree, hints);
    const names = new Set(recordings.map(({ modality }) => modality));
    if (names.size < 2) return false;
    return hints.toleranceS !== undefined || matchesOf(recordings, names.size, undefined).size > 0;
  },
  async find(tree, hints) {
    const { recordings, refused } = readRecordings(tree, hints);
    const modalities = [...new Set(recordings.map(({ modality }) => modality))].sort();
    const matches = matchesOf(recordings, Math.max(2, modalities.length), hints.toleranceS);
    const paired = new Set([...matches].flat());
    const reason =
      hints.toleranceS === undefined
        ? `has no partner of the same stem for each of ${modalities.join(", ")}`
        : `has no free partner within ${hints.toleranceS} s for each of ${modalities.join(", ")}`;
    const alone = recordings.filter((recording) => !paired.has(recording));
    return {
      samples: samplesOf([...matches]),
      refused: [...refused, ...alone.map(({ path }) => ({ path, reason }))],
      read: [],
    };
  },
};

function readRecordings(
  { files }: SourceTree,
  { modalities, toleranceS }: ImportHints,
): { recordings: Recording[]; refused: Refusal[] } {
  const recordings: Recording[] = [];
  const refused: Refusal[] = [];
  for (const path of files.filter(isMedia)) {
    const place = placeOf(path, modalities);
    const kind = fileKind(path);
    const timeS = toleranceS === undefined ? undefined : timeStampOf(place.stem);
    if (kind === undefined) continue;
    if (place.label === undefined) refused.push({ path, reason: "lies in no folder of a class" });
    else if (toleranceS !== undefined && timeS === undefined) {
      refused.push({ path, reason: "has no time stamp in its name" });
    } else {
      const { label, modality = kind } = place;
      recordings.push({ ...place, path, label, modality, timeS });
    }
  }
  return { recordings, refused };
}

/** What belongs together, complete ones only. */
function matchesOf(
  recordings: readonly Recording[],
  modalityCount: number,
  toleranceS: number | undefined,
): Set<Match> {
  const matches = new Set<Match>();
  const byTime = ({ split, label, group }: Recording) => JSON.stringify([split, label, group]);
  const byStem = (one: Recording) => JSON.stringify([byTime(one), one.stem]);
  for (const bucket of bucketsOf(recordings, toleranceS === undefined ? byStem : byTime)) {
    const sides = bucketsOf(bucket, ({ modality }) => modality);
    if (sides.length < modalityCount) continue;
    if (toleranceS !== undefined) for (const one of nearest(sides, toleranceS)) matches.add(one);
    // of two files of one modality and stem, the first in order of names
    else matches.add(sides.map(([first]) => first));
  }
  return matches;
}

/** Items of equal key together, keys in the order of first appearance. */
function bucketsOf<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[][] {
  const buckets = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const bucket = buckets.get(key);
    if (bucket === undefined) buckets.set(key, [item]);
    else bucket.push(item);
  }
  return [...buckets.values()];
}

/**
 * Match by time: the modality with the fewest recordings leads, and of all pairs within the
 * tolerance the nearest are made first; no recording is used twice.
 */
function nearest(sides: readonly Recording[][], toleranceS: number): Match[] {
  const [lead, ...others] = sides.toSorted((a, b) => a.length - b.length);
  const partners = others.map((side) => partnersOf(lead, side, toleranceS));
  return lead.flatMap((recording): Match[] => {
    const found = partners.flatMap((partner) => partner.get(recording) ?? []);
    return found.length === others.length ? [[recording, ...found]] : [];
  });
}

function partnersOf(
  lead: readonly Recording[],
  side: readonly Recording[],
  toleranceS: number,
): Map<Recording, Recording> {
  const inOrder = side.toSorted((a, b) => (a.timeS ?? 0) - (b.timeS ?? 0));
  const gaps = lead.flatMap((one) =>
    within(inOrder, one.timeS ?? 0, toleranceS).map((other) => ({
      one,
      other,
      gapS: Math.abs((one.timeS ?? 0) - (other.timeS ?? 0)),
    })),
  );
  const partner = new Map<Recording, Recording>();
  const used = new Set<Recording>();
  for (const { one, other } of gaps.sort((a, b) => a.gapS - b.gapS)) {
    if (partner.has(one) || used.has(other)) continue;
    partner.set(one, other);
    used.add(other);
  }
  return partner;
}

/** Recordings of a sorted list within a tolerance of a time. */
function within(inOrder: readonly Recording[], timeS: number, toleranceS: number): Recording[] {
  let low = 0;
  let high = inOrder.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((inOrder[middle].timeS ?? 0) < timeS - toleranceS) low = middle + 1;
    else high = middle;
  }
  while (high < inOrder.length && (inOrder[high].timeS ?? 0) <= timeS + toleranceS) high++;
  return inOrder.slice(low, high);
}

function samplesOf(matches: readonly Match[]): FoundSample[] {
  const sessions = sessionsOf(matches);
  return matches.map((match, i) => {
    const [{ split, label, group, stem, timeS }] = match;
    const id = [split, label, group, stem].filter((part) => part !== "").join("/");
    const own = timeS === undefined ? id : `session ${sessions[i]}`;
    const sources = match
      .toSorted((a, b) => (a.modality < b.modality ? -1 : 1))
      .map(({ modality, path }) => [modality, { path }] as const);
    return {
      ...{ id, label, split, group: group || own },
      sources: Object.fromEntries(sources),
      columns: {},
    };
  });
}

/** Neighbours in time are one occasion: a number for each match, by gaps between them. */
function sessionsOf(matches: readonly Match[]): number[] {
  const times = matches
    .map(([{ timeS = 0 }], i) => ({ timeS, i }))
    .sort((a, b) => a.timeS - b.timeS);
  const sessions = new Array<number>(matches.length);
  let session = 1;
  for (const [k, { timeS, i }] of times.entries()) {
    if (k > 0 && timeS - times[k - 1].timeS > SESSION_GAP_S) session++;
    sessions[i] = session;
  }
  return sessions;
}
