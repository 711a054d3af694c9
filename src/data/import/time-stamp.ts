/**
 * Time stamps in file names, in seconds.
 *
 * Read are a date and a time (`20200413T101530`, `2020-04-13_10-15-30.250`), taken as UTC since only
 * differences count; seconds or milliseconds since 1970 (10 or 13 digits); and else a last number
 * with a unit or a point (`clip_12.5`, `frame-0340ms`, `a_12s`).
 */

const DATE_TIME =
  /(\d{4})[-_.]?(\d\d)[-_.]?(\d\d)[T_ -]+(\d\d)[-_.:h]?(\d\d)[-_.:m]?(\d\d)(?:[.,_-](\d{1,6}))?(?!\d)/;
const SINCE_1970 = /(?<!\d)(\d{10})(\d{3})?(?:\.(\d{1,6}))?(?!\d)/;
const SECONDS = /(?<![\d.])(\d{1,9})(?:\.(\d{1,6}))?(ms|s)?$/;

/** Seconds, or undefined where a name holds no time stamp. */
export function timeStampOf(stem: string): number | undefined {
  const date = DATE_TIME.exec(stem);
  if (date !== null) {
    const [year, month, day, hour, minute, second] = date.slice(1, 7).map(Number);
    const milliseconds = Date.UTC(year, month - 1, day, hour, minute, second);
    return milliseconds / 1000 + fraction(date[7]);
  }
  const since = SINCE_1970.exec(stem);
  if (since !== null) {
    const [, seconds, milliseconds = "0", rest] = since;
    const thousandths = Number(milliseconds) / 1000;
    return Number(seconds) + thousandths + fraction(rest) / (since[2] === undefined ? 1 : 1000);
  }
  const [, whole, rest, unit] = SECONDS.exec(stem) ?? [];
  if (whole === undefined || (rest === undefined && unit === undefined)) return undefined;
  const value = Number(whole) + fraction(rest);
  return unit === "ms" ? value / 1000 : value;
}

function fraction(digits: string | undefined): number {
  return digits === undefined ? 0 : Number(`0.${digits}`);
}
