/**
 * Numbers as people read them, the same in the terminal and in the report.
 *
 * Convention: SI units (1 kB is 1000 bytes), a space before the unit, a comma every three digits, a
 * point before decimals; intervals stand in brackets after the number, without repeating the unit.
 */

/** Both ends of an interval, as fractions. */
interface Ends {
  readonly low: number;
  readonly high: number;
}

/** "7,598,976": an integer with a comma every three digits. */
export function formatCount(n: number): string {
  const digits = Math.abs(Math.round(n)).toString();
  const grouped = digits.replace(/\B(?=(\d{3})+$)/g, ",");
  return n < 0 && grouped !== "0" ? `-${grouped}` : grouped;
}

/** "12,345 B" below 100 kB, where every byte matters to a small device; "418.9 kB" above. */
export function formatBytes(n: number): string {
  if (n < 1e5) return `${formatCount(n)} B`;
  const unit = ["kB", "MB", "GB", "TB"];
  let scaled = n / 1000;
  let k = 0;
  // 999.95 would print as 1000.0.
  while (scaled >= 999.95 && k < unit.length - 1) {
    scaled /= 1000;
    k++;
  }
  return `${scaled.toFixed(1)} ${unit[k]}`;
}

/** "93.8 %" or "93.8 % [91.0, 95.9]"; `fraction` and `ends` are 0 .. 1. */
export function formatPercent(fraction: number, ends?: Ends): string {
  return `${tenths(fraction)} %${ends === undefined ? "" : ` ${formatInterval(ends)}`}`;
}

/** "+13.1 points" or "+13.1 points [9.8, 16.4]": a difference of two fractions. */
export function formatPoints(difference: number, ends?: Ends): string {
  const number = tenths(difference);
  const signed = number.startsWith("-") || number === "0.0" ? number : `+${number}`;
  return `${signed} points${ends === undefined ? "" : ` ${formatInterval(ends)}`}`;
}

/** "[91.0, 95.9]": an interval of fractions in percent or points. */
export function formatInterval({ low, high }: Ends): string {
  return `[${tenths(low)}, ${tenths(high)}]`;
}

/** "0.4 s", "42 s", "2 min 05 s", "1 h 02 min"; `seconds` is not negative. */
export function formatDuration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${twoDigits(whole % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
}

/** A fraction in hundredths with one decimal; never "-0.0". */
function tenths(fraction: number): string {
  const text = (fraction * 100).toFixed(1);
  return text === "-0.0" ? "0.0" : text;
}

function twoDigits(n: number): string {
  return String(n).padStart(2, "0");
}
