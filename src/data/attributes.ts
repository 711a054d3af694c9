/** What is said of a file beside its path: its segment, group, range and rate, from cells of text. */

import type { CountRange, ModalityKind, Source } from "./dataset.ts";

/** Names of the cells, as they follow `<modality>_` in the manifest. */
export const ATTRIBUTES: readonly string[] = [
  ...["start_s", "duration_s", "group", "low", "high", "rate_hz"],
];

/** Why the cells cannot be used. */
interface Refused {
  readonly problem: string;
  readonly message: string;
}

/**
 * Read the cells of one file.
 *
 * kind  of the file: only pictures have a range, only series a rate
 * cell  the text of an attribute, empty where it is not given
 */
export function readAttributes(
  kind: ModalityKind,
  cell: (attribute: string) => string,
): Omit<Source, "path"> | Refused {
  const given = (attribute: string) => cell(attribute) || "-";
  const startS = readPositive(cell("start_s"));
  const durationS = readPositive(cell("duration_s"));
  if (Number.isNaN(startS) || Number.isNaN(durationS) || durationS === 0) {
    const got = `got ${given("start_s")}, ${given("duration_s")}`;
    const message = `needs a start >= 0 and a duration > 0 in seconds, ${got}`;
    return { problem: "bad segment", message };
  }
  const range = readRange(cell("low"), cell("high"));
  if (range === null || (range !== undefined && kind !== "image")) {
    const got = `got ${given("low")}, ${given("high")}`;
    const message = `needs counts low < high of pictures, or neither, ${got}`;
    return { problem: "bad range", message };
  }
  const rateHz = readPositive(cell("rate_hz"));
  if (Number.isNaN(rateHz) || rateHz === 0 || (rateHz !== undefined && kind !== "series")) {
    const message = `needs a rate > 0 in Hz, of series alone, got ${given("rate_hz")}`;
    return { problem: "bad rate", message };
  }
  const group = cell("group");
  return {
    ...(startS === undefined ? {} : { startS }),
    ...(durationS === undefined ? {} : { durationS }),
    ...(group === "" ? {} : { group }),
    ...(range === undefined ? {} : { range }),
    ...(rateHz === undefined ? {} : { rateHz }),
  };
}

/** Counts low < high; undefined where both are empty, null where they are no range. */
function readRange(lowCell: string, highCell: string): CountRange | undefined | null {
  if (lowCell === "" && highCell === "") return undefined;
  const [low, high] = [lowCell, highCell].map((cell) => (cell === "" ? Number.NaN : Number(cell)));
  return Number.isFinite(low) && Number.isFinite(high) && low < high ? { low, high } : null;
}

/** A number >= 0; undefined where empty, NaN where it is no such number. */
function readPositive(cell: string): number | undefined {
  if (cell === "") return undefined;
  const value = Number(cell);
  return Number.isFinite(value) && value >= 0 ? value : Number.NaN;
}
