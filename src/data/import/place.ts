/**
 * What the folders above a file say of it: split, modality, class, and below the class the group.
 *
 * Convention: `[split/][modality/]class/[group/...]file`, the first three in any order. Only words
 * listed here, or named by the user, are splits and modalities.
 */

import type { Split } from "../dataset.ts";
import { fileName, withoutExtension } from "./importer.ts";

const SPLIT_WORDS: Readonly<Record<string, Split>> = {
  ...{ train: "train", training: "train" },
  ...{ val: "val", valid: "val", validation: "val", dev: "val", devel: "val", development: "val" },
  ...{ test: "test", testing: "test", eval: "test", evaluation: "test" },
};

/** Folder names that are taken for modalities. */
const MODALITY_WORDS: readonly string[] = [
  ...["audio", "sound", "image", "images", "picture", "pictures", "visible", "rgb", "frames"],
  ...["thermal", "infrared", "ir", "depth", "cough", "speech", "breath", "breathing"],
];

export interface Place {
  readonly split: Split | "";
  /** Undefined where no folder names one. */
  readonly modality: string | undefined;
  /** Undefined at the top. */
  readonly label: string | undefined;
  /** Folders below the class, joined by "/"; empty where there are none. */
  readonly group: string;
  /** The file's name without extension. */
  readonly stem: string;
}

/** A split by any of its usual names; undefined where it is none. */
export function splitOf(word: string): Split | undefined {
  const key = word.toLowerCase();
  return Object.hasOwn(SPLIT_WORDS, key) ? SPLIT_WORDS[key] : undefined;
}

/**
 * Read the place of a file.
 *
 * modalities  names of folders that are modalities; without this argument none is
 */
export function placeOf(path: string, modalities?: readonly string[]): Place {
  const words = modalities === undefined ? [] : [...MODALITY_WORDS, ...modalities];
  const parents = path.split("/").slice(0, -1);
  const split = parents.map(splitOf).find((name) => name !== undefined);
  const modality = parents.find(
    (name) => words.includes(name.toLowerCase()) || words.includes(name),
  );
  const others = parents.filter((name) => name !== modality && splitOf(name) === undefined);
  const [label, ...below] = others;
  return {
    split: split ?? "",
    modality,
    label,
    group: below.join("/"),
    stem: withoutExtension(fileName(path)),
  };
}
