/**
 * Class-matched pairs: recordings that were made apart, put together by class, within a split only.
 *
 * Such a pair says that a net can use both sensors, not that they agree in time; so it carries in
 * its row how it came about (`pairing`, `pairing_seed`), each modality's own group and the ids it was
 * made from. A recording is used once, or with `repeat` as often as the largest side needs.
 */

import { UserError } from "../errors.ts";
import { random, shuffle } from "../tensor/index.ts";
import type { FoundSample } from "./collect.ts";
import { type Sample, type Source, SPLITS } from "./dataset.ts";

/** Column of the manifest that says how modalities came together, and its value here. */
export const PAIRING = "pairing";
export const CLASS_MATCHED = "class-matched";

export interface Pairing {
  readonly pairs: readonly FoundSample[];
  /** Samples that found no partner, or no free one. */
  readonly alone: readonly Sample[];
}

/**
 * Pair samples that have different modalities.
 *
 * samples  each with its split; all that have the same modalities are one side
 * seed     of who is paired with whom
 * repeat   use the recordings of a smaller side again until the largest is used up
 * throws   UserError if there is one side only, or two share a modality
 */
export function pairByClass(
  samples: readonly Sample[],
  { seed, repeat = false }: { seed: number; repeat?: boolean },
): Pairing {
  const sides = sidesOf(samples);
  const labels = [...new Set(samples.map(({ label }) => label))].sort();
  const pairs: FoundSample[] = [];
  const used = new Set<Sample>();
  for (const split of SPLITS) {
    for (const label of labels) {
      const pools = [...sides].map(([name, side]) => {
        const own = side.filter((sample) => sample.split === split && sample.label === label);
        return shuffle(own, random(`${seed}/pair/${split}/${label}/${name}`));
      });
      const sizes = pools.map((pool) => pool.length);
      const smallest = Math.min(...sizes);
      const count = repeat && smallest > 0 ? Math.max(...sizes) : smallest;
      for (let i = 0; i < count; i++) {
        const members = pools.map((pool) => pool[i % pool.length]);
        for (const member of members) used.add(member);
        pairs.push(pairOf(members, { id: `${split}/${label}/${i + 1}`, seed }));
      }
    }
  }
  return { pairs, alone: samples.filter((sample) => !used.has(sample)) };
}

/** Samples by the modalities they have. */
function sidesOf(samples: readonly Sample[]): Map<string, Sample[]> {
  const sides = new Map<string, Sample[]>();
  for (const sample of samples) {
    const name = Object.keys(sample.sources).sort().join(" + ");
    sides.set(name, [...(sides.get(name) ?? []), sample]);
  }
  const names = [...sides.keys()].sort();
  const modalities = names.flatMap((name) => name.split(" + "));
  const twice = modalities.find((name, i) => modalities.indexOf(name) !== i);
  if (names.length < 2) {
    const got = names[0] ?? "nothing";
    throw new UserError(`pair: samples must have different modalities, got ${got} in all`);
  }
  if (twice !== undefined) {
    const got = `${twice} in samples of ${names.join(" and of ")}`;
    throw new UserError(`pair: a modality must be on one side only, got ${got}`);
  }
  return new Map(names.map((name) => [name, sides.get(name) ?? []]));
}

function pairOf(
  members: readonly Sample[],
  { id, seed }: { id: string; seed: number },
): FoundSample {
  const [{ label, split, group }] = members;
  const sources: Record<string, Source> = {};
  const columns: Record<string, string> = { [PAIRING]: CLASS_MATCHED, pairing_seed: `${seed}` };
  for (const member of members) {
    for (const [name, source] of Object.entries(member.sources)) {
      sources[name] = { ...source, group: source.group ?? member.group };
      columns[`${name}_id`] = member.id;
      for (const [column, value] of Object.entries(member.columns)) {
        if (value !== "") columns[`${name}_${column}`] = value;
      }
    }
  }
  return { id, label, split, group, sources, columns };
}
