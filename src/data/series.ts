/**
 * Sensor series: CSV with a column a channel, and NumPy's NPY.
 *
 * A CSV may have a header; a column named like time is no channel, but gives the rate, which must be
 * steady. Without one, and in NPY, the rate comes from the manifest.
 *
 * Source of NPY: NumPy Enhancement Proposal 1, "A Simple File Format for NumPy Arrays".
 */

import { UserError } from "../errors.ts";
import type { Series } from "./dataset.ts";
import { decodeNpy, isNpy, type Readings } from "./npy.ts";
import { parseRows } from "./table.ts";

/** Decimal numbers; neither hexadecimal nor empty cells nor words. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Seconds of one unit of a column named so, after "time", "t" or "timestamp". */
const TIME_COLUMN = /^(?:time|timestamp|t)(?:[ _([]*(s|ms|us|ns)[)\]]?)?$/i;
const UNIT_S: Readonly<Record<string, number>> = { s: 1, ms: 1e-3, us: 1e-6, ns: 1e-9 };

/** How far a reading may lie from its place on an even grid, in intervals. */
const JITTER = 0.5;

/** How far the manifest's rate and that of a time column may differ. */
const RATE_TOLERANCE = 0.01;

/**
 * Decode a series.
 *
 * rateHz   from the manifest; may be left out where the file has a time column
 * returns  at least one reading of at least one channel
 * throws   UserError naming file and row for what is no finite number, for uneven times, for a rate
 *          that is missing or contradicts the file
 */
export function decodeSeries(
  bytes: Uint8Array,
  { name, rateHz }: { name: string; rateHz?: number },
): Series {
  if (bytes.length === 0) throw new UserError(`${name} is an empty file`);
  const { timesS, channels, data } = isNpy(bytes) ? decodeNpy(bytes, name) : decodeCsv(bytes, name);
  const length = data.length / channels;
  const fileRateHz = timesS === undefined ? undefined : evenRateHz(timesS, name);
  if (fileRateHz !== undefined && rateHz !== undefined) {
    if (Math.abs(fileRateHz / rateHz - 1) > RATE_TOLERANCE) {
      throw new UserError(
        `${name} has ${fileRateHz} Hz by its times, the manifest says ${rateHz} Hz`,
      );
    }
  }
  const known = rateHz ?? fileRateHz;
  if (known === undefined) {
    const way = "give it in a column <modality>_rate_hz, or the file a column time_s";
    throw new UserError(`${name} does not tell its rate: ${way}`);
  }
  return { rateHz: known, channels, data, length };
}

function decodeCsv(bytes: Uint8Array, name: string): Readings {
  const rows = parseRows(bytes, name);
  const first = rows[0]?.cells ?? [];
  const hasHeader = first.some((cell) => !NUMBER.test(cell));
  const width = first.length;
  const timeAt = hasHeader ? first.findIndex((cell) => TIME_COLUMN.test(cell)) : -1;
  const unit = TIME_COLUMN.exec(first[timeAt] ?? "")?.[1]?.toLowerCase() ?? "s";
  const body = hasHeader ? rows.slice(1) : rows;
  const channels = timeAt < 0 ? width : width - 1;
  if (body.length === 0 || channels === 0) {
    throw new UserError(`${name} holds no readings: ${body.length} rows of ${channels} channels`);
  }
  const data = new Float32Array(body.length * channels);
  const times = new Float64Array(body.length);
  for (const [i, { cells, line }] of body.entries()) {
    if (cells.length !== width) {
      throw new UserError(`${name} row ${line}: ${cells.length} cells, the first row has ${width}`);
    }
    let at = i * channels;
    for (const [column, cell] of cells.entries()) {
      const value = NUMBER.test(cell) ? Number(cell) : Number.NaN;
      if (!Number.isFinite(Math.fround(value))) {
        const got = JSON.stringify(cell.slice(0, 40));
        throw new UserError(`${name} row ${line}: must hold finite numbers, got ${got}`);
      }
      if (column === timeAt) times[i] = value;
      else data[at++] = value;
    }
  }
  if (timeAt < 0) return { channels, data };
  // From the first on, so that milliseconds since 1970 lose nothing.
  return { timesS: times.map((time) => (time - times[0]) * UNIT_S[unit]), channels, data };
}

function evenRateHz(timesS: Float64Array, name: string): number {
  const intervals = timesS.length - 1;
  const interval = (timesS[intervals] - timesS[0]) / intervals;
  if (intervals === 0 || !(interval > 0)) {
    throw new UserError(`${name} has times that do not grow, so no rate`);
  }
  const late = timesS.findIndex(
    (t, i) => Math.abs(t - timesS[0] - i * interval) > JITTER * interval,
  );
  if (late >= 0) {
    const where = `reading ${late + 1} of ${timesS.length} is more than half an interval off`;
    throw new UserError(`${name} is not sampled evenly: ${where}; resample it first`);
  }
  return Number((1 / interval).toPrecision(9)); // 0.01 s a reading is 100 Hz, not 99.99999999999999
}
