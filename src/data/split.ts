/**
 * Splits made by group, balanced by label, from a seed.
 *
 * Samples that share a group, or a group of any modality, are one block, and a block is never
 * divided. First every class gets a block in train, then in val, then in test while it has blocks
 * left; then each remaining block, the largest first, goes where its labels are missed most.
 */

import { type Random, random, shuffle } from "../tensor/index.ts";
import { type Sample, SPLITS, type Split } from "./dataset.ts";

/**
 * Shares of a split made from nothing; train and val keep this proportion when only val is made.
 */
const SHARES: Readonly<Record<Split, number>> = { train: 0.7, val: 0.15, test: 0.15 };

type Grouped = Pick<Sample, "label" | "group" | "sources">;

interface Block {
  readonly members: readonly number[];
  readonly labelCounts: ReadonlyMap<string, number>;
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
  const blocks = shuffledBlocks(samples, random(`${seed}/split`));
  const need = labelNeeds(samples, splits);
  const result = new Array<Split>(samples.length);
  const waiting = new Set(blocks);
  const place = (block: Block, split: Split) => {
    waiting.delete(block);
    for (const member of block.members) result[member] = split;
    for (const [label, count] of block.labelCounts) {
      const missing = need[split].get(label);
      if (missing !== undefined) need[split].set(label, missing - count);
    }
  };
  const labels = [...new Set(samples.map(({ label }) => label))].sort();
  for (const split of splits) {
    for (const label of labels) {
      const holds = ({ labelCounts }: Block) => labelCounts.has(label);
      if (blocks.some((block) => holds(block) && result[block.members[0]] === split)) continue;
      const candidates = [...waiting].filter(holds); // largest first
      const block = split === "train" ? candidates[0] : candidates[candidates.length - 1];
      if (block !== undefined) place(block, split);
    }
  }
  for (const block of waiting) place(block, mostMissed(block, { need, splits }));
  return result;
}

/** Blocks in seeded order, the largest first. */
function shuffledBlocks(samples: readonly Grouped[], generator: Random): Block[] {
  const blocks = [...connectedBlocks(samples)].sort(([a], [b]) => (a < b ? -1 : 1));
  const shuffled = shuffle(blocks, generator).map(([, members]): Block => {
    const labelCounts = new Map<string, number>();
    for (const member of members) {
      const { label } = samples[member];
      labelCounts.set(label, (labelCounts.get(label) ?? 0) + 1);
    }
    return { members, labelCounts };
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

function labelNeeds(
  samples: readonly Grouped[],
  splits: readonly Split[],
): Record<Split, Map<string, number>> {
  const total = splits.reduce((sum, split) => sum + SHARES[split], 0);
  const need = { train: new Map(), val: new Map(), test: new Map() };
  for (const split of splits) {
    for (const { label } of samples) {
      need[split].set(label, (need[split].get(label) ?? 0) + SHARES[split] / total);
    }
  }
  return need;
}

function mostMissed(
  { labelCounts }: Block,
  { need, splits }: { need: Record<Split, Map<string, number>>; splits: readonly Split[] },
): Split {
  const missed = (split: Split) => {
    let sum = 0;
    for (const [label, count] of labelCounts) sum += count * (need[split].get(label) ?? 0);
    return sum;
  };
  return splits.reduce((best, split) => (missed(split) > missed(best) ? split : best));
}
