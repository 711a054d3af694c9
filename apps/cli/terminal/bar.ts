/**
 * The line of a progress bar, fitted to the width of the terminal: what matters least goes first.
 */
import type { Formatter } from "picocolors/types.js";
import { formatDuration } from "./format.ts";
import { displayWidth, truncate } from "./text.ts";

export interface BarState {
  readonly name: string;
  readonly done: number;
  readonly total: number;
  readonly note: string;
  /** Estimated seconds left; undefined while unknown. */
  readonly remaining: number | undefined;
  /** Cells that the line may take. */
  readonly columns: number;
  readonly colours: { readonly cyan: Formatter; readonly dim: Formatter };
}

const BAR_CELLS = 24;
const LEAST_BAR_CELLS = 8;

/**
 * "train  ━━━━━━━━────────  45 %  9/20  loss 0.31  12 s left".
 *
 * A narrow terminal loses the note first, then steps and time left, then bar, then the name's end.
 */
export function drawBar(state: BarState): string {
  const { name, done, total, note, remaining, columns, colours } = state;
  if (total <= 0) return truncate(note === "" ? `${name} …` : `${name}  ${note}`, columns);
  const share = Math.min(1, Math.max(0, done / total));
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  const left = remaining === undefined ? "" : `${formatDuration(remaining)} left`;
  const steps = `${done}/${total}`;
  for (const tail of [[steps, note, left], [steps, left], [steps], []]) {
    const parts = [percent, ...tail.filter((part) => part !== "")].join("  ");
    const room = columns - displayWidth(name) - displayWidth(parts) - 4;
    if (room < LEAST_BAR_CELLS) continue;
    const cells = Math.min(BAR_CELLS, room);
    const full = Math.round(share * cells);
    const bar = colours.cyan("━".repeat(full)) + colours.dim("─".repeat(cells - full));
    return `${name}  ${bar}  ${parts}`;
  }
  return `${truncate(name, Math.max(0, columns - percent.length - 1))} ${percent}`.slice(
    0,
    columns,
  );
}
