/** A folder a class: `[split/]class/[group/...]file`, every file a sample of its own. */

import type { FoundSample } from "../collect.ts";
import { fileKind } from "../manifest.ts";
import { type Importer, isMedia, withoutExtension } from "./importer.ts";
import { placeOf } from "./place.ts";

export const folders: Importer = {
  name: "folders",
  layout: "[split/]class/[group/...]file: every file a sample",
  matches: ({ files }) => files.some((path) => isMedia(path) && placeOf(path).label !== undefined),
  async find({ files }) {
    const samples = files.flatMap((path): FoundSample[] => {
      const kind = fileKind(path);
      const { split, label, group } = placeOf(path);
      if (kind === undefined || label === undefined) return [];
      const id = withoutExtension(path);
      return [{ id, label, split, group: group || id, sources: { [kind]: { path } }, columns: {} }];
    });
    const stray = files.filter((path) => isMedia(path) && placeOf(path).label === undefined);
    const refused = stray.map((path) => ({ path, reason: "lies in no folder of a class" }));
    return { samples, refused, read: [] };
  },
};
