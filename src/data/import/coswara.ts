/**
 * Coswara as extracted: `[Extracted_data/]date/participant/recording.wav`, and tables of people.
 *
 * A sample is a participant with up to nine recordings, each a modality; the group is the
 * participant. The label is `covid_status` of combined_data.csv (or of the tables by date); every
 * other column is kept, so that another can be made the label. Source: iiscleap/Coswara-Data
 * (README, extract_data.py, csv_labels_legend.json).
 */

import type { FoundSample } from "../collect.ts";
import type { Source } from "../dataset.ts";
import { parseTable } from "../table.ts";
import { fileName, type Importer, type Refusal, withoutExtension } from "./importer.ts";
import type { SourceTree } from "./tree.ts";

/** Modality by file: names as columns and devices take them, without a dash. */
const MODALITIES: Readonly<Record<string, string>> = {
  ...{ "breathing-deep": "breathing_deep", "breathing-shallow": "breathing_shallow" },
  ...{ "cough-heavy": "cough_heavy", "cough-shallow": "cough_shallow" },
  ...{ "counting-fast": "counting_fast", "counting-normal": "counting_normal" },
  ...{ "vowel-a": "vowel_a", "vowel-e": "vowel_e", "vowel-o": "vowel_o" },
};
const RECORDING = /(?:^|\/)(\d{8})\/([^/]+)\/([a-z-]+)\.wav$/;
const LABEL = "covid_status";

type Person = Readonly<Record<string, string>>;

export const coswara: Importer = {
  name: "coswara",
  layout: "Coswara: date/participant/cough-heavy.wav, counting-fast.wav, ... and combined_data.csv",
  matches: ({ files }) => files.some((path) => recordingOf(path) !== undefined),
  async find(tree) {
    const tables = tree.files.filter((path) => /(^|\/)(combined_data|\d{8})\.csv$/.test(path));
    const people = await readPeople(tree, tables);
    const samples: FoundSample[] = [];
    const refused: Refusal[] = [];
    for (const [id, sources] of recordingsOf(tree)) {
      const { [LABEL]: label = "", ...columns } = people.get(id) ?? {};
      if (label === "") {
        const reason = `participant ${id} has no ${LABEL} in any table`;
        refused.push(...Object.values(sources).map(({ path }) => ({ path, reason })));
      } else samples.push({ id, label, split: "", group: id, sources, columns });
    }
    return { samples, refused, read: tables };
  },
};

function recordingOf(path: string): { id: string; modality: string } | undefined {
  const [, , id, name] = RECORDING.exec(path) ?? [];
  const isKnown = name !== undefined && Object.hasOwn(MODALITIES, name);
  return isKnown ? { id, modality: MODALITIES[name] } : undefined;
}

function recordingsOf({ files }: SourceTree): Map<string, Record<string, Source>> {
  const byPerson = new Map<string, Record<string, Source>>();
  for (const path of files) {
    const recording = recordingOf(path);
    if (recording === undefined) continue;
    const { id, modality } = recording;
    const sources = byPerson.get(id) ?? {};
    byPerson.set(id, sources);
    sources[modality] ??= { path };
  }
  return byPerson;
}

/** Everything the tables say of each participant; combined_data.csv wins over the tables by date. */
async function readPeople(
  tree: SourceTree,
  tables: readonly string[],
): Promise<Map<string, Person>> {
  const people = new Map<string, Person>();
  const isCombined = (path: string) => withoutExtension(fileName(path)) === "combined_data";
  for (const table of tables.toSorted((a, b) => Number(isCombined(a)) - Number(isCombined(b)))) {
    const { columns, rows } = parseTable(await tree.bytes(table), table);
    for (const { cells } of rows) {
      const filled = columns.flatMap((column, i): [string, string][] => {
        const cell = cells[i] ?? "";
        return cell === "" ? [] : [[column, cell]];
      });
      const { id, ...person } = Object.fromEntries(filled) as Person; // cells are text
      if (id !== undefined) people.set(id, { ...people.get(id), ...person });
    }
  }
  return people;
}
