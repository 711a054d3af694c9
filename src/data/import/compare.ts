/**
 * The sub-challenges of ComParE 2021 (CCS, CSS): `wav/` beside `lab/{train,devel,test}.csv`.
 *
 * Tables have `filename,label`. A folder that holds both sub-challenges is imported whole, cough and
 * speech as two modalities of samples that have one each: they were recorded apart and their pairing
 * is a step of its own. Speakers are not named, so a recording is its own group; the challenge's
 * splits are kept. Rows whose label is hidden ("?") are refused. Source: EIHW/ComParE2021 (README:
 * dist/wav, dist/lab) and the challenge's file format.
 */

import type { FoundSample } from "../collect.ts";
import { parseTable } from "../table.ts";
import { fileName, type Importer, type Refusal, withoutExtension } from "./importer.ts";
import { splitOf } from "./place.ts";
import type { SourceTree } from "./tree.ts";

const TABLE = /^(?<top>(?:.*\/)?)lab\/(?<split>train|devel|test)\.csv$/;

export const compare: Importer = {
  name: "compare",
  layout:
    "ComParE 2021: wav/ and lab/train.csv, lab/devel.csv, lab/test.csv, one or both challenges",
  matches: ({ files }) => files.some((path) => TABLE.test(path)),
  async find(tree) {
    const samples: FoundSample[] = [];
    const refused: Refusal[] = [];
    const read = tree.files.filter((path) => TABLE.test(path));
    for (const table of read) {
      const found = await readChallenge(tree, table);
      samples.push(...found.samples);
      refused.push(...found.refused);
    }
    return { samples, refused, read };
  },
};

async function readChallenge(
  tree: SourceTree,
  table: string,
): Promise<{ samples: FoundSample[]; refused: Refusal[] }> {
  const { top = "", split = "" } = TABLE.exec(table)?.groups ?? {};
  const modality = modalityOf(`${tree.name}/${top}`);
  const { columns, rows } = parseTable(await tree.bytes(table), table);
  const [name, label] = ["filename", "label"].map((column) => columns.indexOf(column));
  const samples: FoundSample[] = [];
  const refused: Refusal[] = [];
  for (const { line, cells } of rows) {
    const path = `${top}wav/${cells[name] ?? ""}`;
    const value = cells[label] ?? "";
    const refuse = (reason: string) => refused.push({ path: `${table} row ${line}`, reason });
    if (name < 0 || label < 0) refuse("the table needs columns filename and label");
    else if (value === "" || value === "?") refused.push({ path, reason: "has a hidden label" });
    else if (!tree.has(path)) refuse(`${path} is not there`);
    else {
      const id = `${modality}/${withoutExtension(fileName(path))}`;
      const sources = { [modality]: { path } };
      samples.push({
        id,
        label: value,
        split: splitOf(split) ?? "",
        group: id,
        sources,
        columns: {},
      });
    }
  }
  return { samples, refused };
}

function modalityOf(folder: string): string {
  if (/css|speech/i.test(folder)) return "speech";
  return /ccs|cough/i.test(folder) ? "cough" : "audio";
}
