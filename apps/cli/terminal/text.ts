/** Text on a terminal: how many cells it takes, where it is cut, and what must not reach it. */

/** Control characters and changes of writing direction: a file name must not steer a terminal. */
const CONTROL = /\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu;

/** Select Graphic Rendition sequences: the colours that picocolors writes. */
const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");

/** Combining marks, joiners and variation selectors take no cell of their own. */
const ZERO_WIDTH = /\p{Mn}|\p{Me}|\p{Cf}/u;

/** East Asian wide blocks and emoji, which take two cells (Unicode TR 11, in brief). */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1faff],
  [0x20000, 0x3fffd],
];

/** The text with every control character replaced by "?". */
export function printable(text: string): string {
  return text.replace(CONTROL, "?");
}

/** The number of terminal cells that the text takes, colours not counted. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text.replace(COLOUR, "")) width += cells(character);
  return width;
}

/** The text if it fits into `width` cells, else its beginning and "…". Takes no colours. */
export function truncate(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = "";
  let used = 0;
  for (const character of text) {
    used += cells(character);
    if (used > width - 1) break;
    kept += character;
  }
  return width < 1 ? "" : `${kept}…`;
}

function cells(character: string): number {
  if (ZERO_WIDTH.test(character)) return 0;
  const code = character.codePointAt(0) ?? 0;
  return WIDE.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}
