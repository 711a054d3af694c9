/**
 * Splits and folds made by group, balanced by label, from a seed.
 *
 * Samples that share a group, or a group of any modality, are one block, and a block is never
 * divided. Samples of one label are a stratum (and of one sensor, where those were recorded apart).
 * Blocks are dealt into bins (splits, folds) that each want a share of every stratum: first every
 * stratum gets a block in each bin as long as it has any, then each remaining block, the largest
 * first, goes where it is missed most, and last blocks move wherever that brings the shares nearer
 * to what is wanted.
 */

import { mismatch } from "../errors.ts";
import { type Random, random, shuffle } from "../tensor/index.ts";
import { type Sample, SPLITS, type Split } from "./dataset.ts";

/**
 * Shares of a split made from nothing; train and val keep this proportion when only val is made.
 */
const SHARES: Readonly<Record<Split, number>> = { train: 0.7, val: 0.15, test: 0.15 };

/** Rounds of moving blocks; on real data two or three change anything. */
const ROUNDS = 16;

type Grouped = Pick<Sample, "label" | "group" | "sources">;

interface Block {
  readonly members: readonly number[];
  /** How many members each stratum has. */
  readonly strata: ReadonlyMap<string, number>;
}

/**
 * Choose a split for each sample.
 *
 * samples  in any order; the result does not depend on it as long as groups are the same
 * splits   the ones to fill
 * seed     of the choice
 * returns  one split a sample; every label occurs in the first of `splits`
 */
export function splitByGroup(
  samples: readonly Grouped[],
  { seed, splits = SPLITS }: { seed: number; splits?: readonly Split[] },
): Split[] {
  const total = splits.reduce((sum, split) => sum + SHARES[split], 0);
  const shares = splits.map((split) => SHARES[split] / total);
  const generator = random(`${seed}/split`);
  return deal(samples, { generator, shares }).map((bin) => splits[bin]);
}

/** One fold of several, such as the second of five. */
export interface Fold {
  /** From 1. */
  readonly index: number;
  readonly count: number;
}

/**
 * Choose splits for cross-validation: the fold is the test split, the next one (after the last, the
 * first) is for validation, and all others are for training.
 *
 * fold     over all folds of one seed, every sample is in test once and in val once
 * throws   MismatchError if there are fewer than three folds, or no such fold
 */
export function splitByFold(
  samples: readonly Grouped[],
  { seed, fold: { index, count } }: { seed: number; fold: Fold },
): Split[] {
  if (!(Number.isInteger(count) && count >= 3)) {
    throw mismatch("folds", "count", { expected: "an integer of 3 or more", got: count });
  }
  if (!(Number.isInteger(index) && index >= 1 && index <= count)) {
    throw mismatch("folds", "index", { expected: `an integer in [1, ${count}]`, got: index });
  }
  const shares = new Array<number>(count).fill(1 / count);
  const folds = deal(samples, { generator: random(`${seed}/folds/${count}`), shares });
  return folds.map((bin) => (bin === index - 1 ? "test" : bin === index % count ? "val" : "train"));
}

/** A bin for each sample; `shares` of every stratum are wanted in each. */
function deal(
  samples: readonly Grouped[],
  { generator, shares }: { generator: Random; shares: readonly number[] },
): number[] {
  const blocks = shuffledBlocks(samples, generator);
  const bins = openBins(samples, shares);
  const place = new Map<Block, number>();
  const put = (block: Block, bin: number) => {
    place.set(block, bin);
    bins.add(block, bin);
  };
  const strata = [...new Set(strataOf(samples))].sort();
  for (const [bin, share] of shares.entries()) {
    for (const stratum of strata) {
      if (bins.has(stratum, bin)) continue;
      // largest first; what is measured on little must not be one block alone
      const candidates = blocks.filter((b) => b.strata.has(stratum) && !place.has(b));
      const block = candidates.at(share >= 0.5 ? 0 : -1);
      if (block !== undefined) put(block, bin);
    }
  }
  for (const block of blocks) if (!place.has(block)) put(block, bins.best(block));
  for (let round = 0; round < ROUNDS; round++) {
    if (!moveBlocks(blocks, place, bins)) break;
  }
  const result = new Array<number>(samples.length);
  for (const [block, bin] of place) for (const member of block.members) result[member] = bin;
  return result;
}

/** Move each block that another bin would have better; returns whether any was. Writes `place`. */
function moveBlocks(blocks: readonly Block[], place: Map<Block, number>, bins: Bins): boolean {
  let isMoved = false;
  for (const block of blocks) {
    const from = place.get(block) ?? 0;
    bins.remove(block, from);
    const isLast = [...block.strata.keys()].some((stratum) => !bins.has(stratum, from));
    const bin = isLast ? from : bins.best(block, from);
    bins.add(block, bin);
    place.set(block, bin);
    isMoved ||= bin !== from;
  }
  return isMoved;
}

interface Bins {
  add(block: Block, bin: number): void;
  remove(block: Block, bin: number): void;
  has(stratum: string, bin: number): boolean;
  /** The bin that would gain most; `preferred` unless another is truly better. */
  best(block: Block, preferred?: number): number;
}

/**
 * Counts of strata in bins. How far they are from what is wanted is, over strata l of n_l samples
 * and bins b of share s_b,
 *
 *     E = sum_l sum_b (count_lb / n_l - s_b)^2                                                  (8)
 *
 * so that a rare class weighs as much as a frequent one.
 */
function openBins(samples: readonly Grouped[], shares: readonly number[]): Bins {
  const totals = new Map<string, number>();
  for (const stratum of strataOf(samples)) increase(totals, stratum, 1);
  const filled = shares.map(() => new Map<string, number>());
  const change = ({ strata }: Block, bin: number, sign: number) => {
    for (const [stratum, n] of strata) increase(filled[bin], stratum, sign * n);
  };
  /** By how much E changes, but for what is the same in all bins. */
  const cost = ({ strata }: Block, bin: number) => {
    let sum = 0;
    for (const [stratum, n] of strata) {
      const total = totals.get(stratum) ?? 1;
      sum += (n / total) * ((filled[bin].get(stratum) ?? 0) / total - shares[bin] + n / total / 2);
    }
    return sum;
  };
  return {
    add: (block, bin) => change(block, bin, 1),
    remove: (block, bin) => change(block, bin, -1),
    has: (stratum, bin) => (filled[bin].get(stratum) ?? 0) > 0,
    best(block, preferred = 0) {
      let best = preferred;
      for (const bin of shares.keys()) {
        if (cost(block, bin) < cost(block, best) - 1e-12) best = bin; // a tie moves nothing
      }
      return best;
    },
  };
}

/**
 * The stratum of a sample: its label, and where sensors were recorded apart (no two samples share
 * some of their modalities only) its modalities, so that each sensor is in every split.
 *
 * Cells that are missing here and there do not count: every choice of modalities then gives the
 * same splits.
 */
function strataOf(samples: readonly Grouped[]): string[] {
  const sets = new Set(samples.map(({ sources }) => Object.keys(sources).sort().join("/")));
  const modalities = [...sets].flatMap((set) => set.split("/"));
  const areApart = new Set(modalities).size === modalities.length;
  return samples.map(({ label, sources }) =>
    areApart ? JSON.stringify([label, ...Object.keys(sources).sort()]) : label,
  );
}

function increase(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

/** Blocks in seeded order, the largest first. */
function shuffledBlocks(samples: readonly Grouped[], generator: Random): Block[] {
  const all = strataOf(samples);
  const blocks = [...connectedBlocks(samples)].sort(([a], [b]) => (a < b ? -1 : 1));
  const shuffled = shuffle(blocks, generator).map(([, members]): Block => {
    const strata = new Map<string, number>();
    for (const member of members) increase(strata, all[member], 1);
    return { members, strata };
  });
  return shuffled.sort((a, b) => b.members.length - a.members.length);
}

/** Sample indices by the least of the group names that connect them (union-find). */
function connectedBlocks(samples: readonly Grouped[]): Map<string, number[]> {
  const parent = new Map<string, string>();
  const root = (key: string): string => {
    let at = key;
    for (let up = parent.get(at); up !== undefined && up !== at; up = parent.get(at)) at = up;
    parent.set(key, at);
    return at;
  };
  for (const sample of samples) {
    const [first, ...others] = groupKeys(sample);
    for (const other of others) {
      const [low, high] = [root(first), root(other)].sort();
      parent.set(high, low);
    }
  }
  const blocks = new Map<string, number[]>();
  for (const [i, sample] of samples.entries()) {
    const key = root(groupKeys(sample)[0]);
    blocks.set(key, [...(blocks.get(key) ?? []), i]);
  }
  return blocks;
}

/** A group's name counts within its own column only. */
function groupKeys({ group, sources }: Grouped): string[] {
  const own = Object.entries(sources).flatMap(([modality, source]) =>
    source.group === undefined ? [] : [`${modality}/${source.group}`],
  );
  return [`/${group}`, ...own];
}
