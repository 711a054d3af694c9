/** What the user wants of what was found: which column is the label, which classes, which groups. */

import { UserError } from "../../errors.ts";
import type { FoundSample } from "../collect.ts";
import type { Refusal } from "./importer.ts";

export interface Choices {
  /** A column of information that is the label instead. */
  readonly label?: string;
  /** Labels to import and what each becomes; all, as they are, where not given. */
  readonly classes?: ReadonlyMap<string, string>;
  /**
   * A column of information that is the group, or a regular expression with parentheses on the path:
   * what they hold is the group.
   */
  readonly group?: string;
}

interface Chosen {
  readonly samples: readonly FoundSample[];
  readonly refused: readonly Refusal[];
}

/**
 * Samples with the label and group that are wanted.
 *
 * throws   UserError if the group is a pattern that is none
 */
export function chosen(all: readonly FoundSample[], { label, classes, group }: Choices): Chosen {
  const groupOf = group === undefined ? ownGroup : groupBy(group);
  const samples: FoundSample[] = [];
  const refused: Refusal[] = [];
  const splits = new Set(all.map(({ split }) => split));
  const ids = new Set<string>();
  for (const sample of all) {
    const refuse = (reason: string) => {
      for (const { path } of Object.values(sample.sources)) refused.push({ path, reason });
    };
    const named = label === undefined ? sample.label : (sample.columns[label] ?? "");
    const taken = classes === undefined ? named : classes.get(named);
    const own = groupOf(sample);
    if (named === "") refuse(`has no ${label} to be its label`);
    else if (taken === undefined) refuse(`has the label ${named}, which is not asked for`);
    else if (own === undefined) refuse(`has no group by ${group}`);
    else if (ids.has(sample.id)) refuse(`has the id of an earlier sample, ${sample.id}`);
    else if (sample.split === "" && splits.size > 1) refuse("is in no split, though others are");
    else {
      ids.add(sample.id);
      samples.push({ ...sample, label: taken, group: own });
    }
  }
  return { samples, refused };
}

const ownGroup = ({ group }: FoundSample) => group;

function groupBy(rule: string): (sample: FoundSample) => string | undefined {
  if (!rule.includes("(")) return ({ columns }) => columns[rule] || undefined;
  let pattern: RegExp;
  try {
    pattern = new RegExp(rule);
  } catch {
    throw new UserError(`import: --group must be a column or a regular expression, got ${rule}`);
  }
  return ({ sources }) => {
    for (const { path } of Object.values(sources)) {
      const held =
        pattern
          .exec(path)
          ?.slice(1)
          .filter((part) => part !== undefined) ?? [];
      if (held.join("") !== "") return held.join("/");
    }
    return undefined;
  };
}
