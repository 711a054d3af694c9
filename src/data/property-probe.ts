/**
 * Whether a label follows from one property of the files: a rate, a length, a level.
 *
 * Recordings, not samples, are the units: what a group has under one label counts once, by the median
 * (numbers) or the commonest value (words). Numbers are cut into up to eight bins of equal counts. The
 * best guess by the bin b among C classes has the balanced accuracy
 *
 *   A = (1 / C) sum_b max_c p(b | c)                                                               (6)
 *
 * which is above chance for any property, as the bins were fitted. So labels are dealt anew 999
 * times: a property is told where no deal gives as much, and where A is at least 0.35 of the way
 * from the mean of the deals to 1.
 *
 * Source: Good, "Permutation, Parametric and Bootstrap Tests of Hypotheses", 2005, chapter 3.
 */

import { random, shuffle } from "../tensor/index.ts";

const DEALS = 999;
const LEAST_GAIN = 0.35;
const MOST_BINS = 8;
const UNITS_PER_BIN = 6;
/** Units of a class below which nothing can be said of it. */
const LEAST_UNITS = 5;

/** What one sample has. */
export interface Observation {
  readonly label: string;
  readonly group: string;
  readonly id: string;
  readonly properties: Readonly<Record<string, number | string>>;
}

export interface Shortcut {
  readonly property: string;
  /** A of equation 6, and its mean over the deals. */
  readonly balancedAccuracy: number;
  readonly chance: number;
  readonly units: number;
  /** One sample of each class, the first of its fullest bin, with its value. */
  readonly examples: readonly { id: string; label: string; value: number | string }[];
}

/** Properties that give the label away, the surest first. */
export function probeProperties(observations: readonly Observation[]): Shortcut[] {
  const units = unitsOf(observations);
  const labels = units.map(({ label }) => label);
  const classes = [...new Set(labels)].sort();
  const counts = classes.map((label) => labels.filter((other) => other === label).length);
  if (classes.length < 2 || Math.min(...counts) < LEAST_UNITS) return [];
  const names = Object.keys(observations[0].properties);
  const columns = names
    .map((property) => ({ property, bins: binsOf(units.map((unit) => unitValue(unit, property))) }))
    .filter(({ bins }) => bins.some((bin) => bin !== bins[0]));
  const own = labels.map((label) => classes.indexOf(label));
  const observed = columns.map(({ bins }) => accuracy(bins, own, counts));
  const [sums, tops] = [columns.map(() => 0), columns.map(() => 0)];
  const generator = random("property probe");
  for (let deal = 0; deal < DEALS && columns.length > 0; deal++) {
    const dealt = shuffle(own, generator);
    for (const [i, { bins }] of columns.entries()) {
      const value = accuracy(bins, dealt, counts);
      sums[i] += value;
      tops[i] = Math.max(tops[i], value);
    }
  }
  return columns
    .map(({ property, bins }, i) => ({
      property,
      balancedAccuracy: observed[i],
      chance: sums[i] / DEALS,
      units: units.length,
      isSure: observed[i] > tops[i],
      examples: examplesOf(units, { property, bins, own, classes }),
    }))
    .filter(
      ({ isSure, balancedAccuracy: A, chance }) =>
        isSure && A - chance >= LEAST_GAIN * (1 - chance),
    )
    .sort((s, t) => t.balancedAccuracy - s.balancedAccuracy)
    .map(({ isSure: _, ...shortcut }) => shortcut);
}

interface Unit {
  readonly label: string;
  readonly members: readonly Observation[];
}

function unitsOf(observations: readonly Observation[]): Unit[] {
  const units = new Map<string, { label: string; members: Observation[] }>();
  for (const observation of observations) {
    const key = JSON.stringify([observation.group, observation.label]);
    const unit = units.get(key) ?? { label: observation.label, members: [] };
    units.set(key, unit);
    unit.members.push(observation);
  }
  return [...units.values()];
}

function unitValue({ members }: Unit, property: string): number | string {
  const values = members.map(({ properties }) => properties[property]);
  const numbers = values.filter((value) => typeof value === "number").sort((a, b) => a - b);
  if (numbers.length === values.length) return numbers[numbers.length >> 1];
  const count = (value: number | string) => values.filter((other) => other === value).length;
  return values.reduce((most, value) => (count(value) > count(most) ? value : most));
}

/** Words and few numbers have a bin each; many numbers are cut where ranks are equal parts. */
function binsOf(values: readonly (number | string)[]): number[] {
  const distinct = [...new Set(values)];
  if (distinct.length <= MOST_BINS || values.some((value) => typeof value === "string")) {
    return values.map((value) => distinct.indexOf(value));
  }
  const numbers = values.map(Number);
  const sorted = [...numbers].sort((a, b) => a - b);
  const bins = Math.max(2, Math.min(MOST_BINS, Math.floor(numbers.length / UNITS_PER_BIN)));
  const cuts = Array.from(
    { length: bins - 1 },
    (_, i) => sorted[Math.floor(((i + 1) * sorted.length) / bins)],
  );
  return numbers.map((value) => cuts.filter((cut) => value >= cut).length);
}

/** Equation 6. */
function accuracy(
  bins: readonly number[],
  own: readonly number[],
  counts: readonly number[],
): number {
  const C = counts.length;
  const shares: number[] = [];
  for (let i = 0; i < bins.length; i++) {
    const at = bins[i] * C + own[i];
    shares[at] = (shares[at] ?? 0) + 1 / counts[own[i]];
  }
  let sum = 0;
  for (let first = 0; first < shares.length; first += C) {
    let most = 0;
    for (let c = 0; c < C; c++) most = Math.max(most, shares[first + c] ?? 0);
    sum += most;
  }
  return sum / C;
}

function examplesOf(
  units: readonly Unit[],
  {
    property,
    bins,
    own,
    classes,
  }: {
    property: string;
    bins: readonly number[];
    own: readonly number[];
    classes: readonly string[];
  },
): Shortcut["examples"] {
  return classes.map((label, c) => {
    const counts = new Map<number, number>();
    for (const [i, bin] of bins.entries()) {
      if (own[i] === c) counts.set(bin, (counts.get(bin) ?? 0) + 1);
    }
    const [[fullest]] = [...counts].sort((a, b) => b[1] - a[1]);
    const unit = units[bins.findIndex((bin, i) => bin === fullest && own[i] === c)];
    return { id: unit.members[0].id, label, value: unitValue(unit, property) };
  });
}
