/**
 * The second audit: every sample decoded once.
 *
 * Finds files that cannot be read, segments past the end, silence, clipping, blank pictures, rates
 * and sizes that differ, and the same content in two splits or under two labels (by SHA-256 of what
 * was decoded, so another file name or header hides nothing).
 */

import { UserError } from "../errors.ts";
import type { Audio, Dataset, Modality, Picture, Problem, Sample, Series } from "./dataset.ts";
import { sha256 } from "./hash.ts";
import { inParallel } from "./in-parallel.ts";
import { MANIFEST } from "./manifest.ts";
import { collectProblems, type Problems } from "./problems.ts";
import { openReader, type Reader } from "./reader.ts";

const SAMPLES_AT_ONCE = 8;

/** Below this peak (-80 dB of full scale) a recording is called silent. */
const SILENT_PEAK = 1e-4;

/**
 * A sample this near full scale counts as clipped; this share of them makes a clipped recording.
 */
const CLIPPED_LEVEL = 0.999;
const CLIPPED_SHARE = 0.01;

export interface AudioFacts {
  readonly kind: "audio";
  readonly present: number;
  readonly missing: number;
  readonly unreadable: number;
  /** How many recordings have each rate. */
  readonly sampleRatesHz: Readonly<Record<string, number>>;
  readonly shortestS: number;
  readonly longestS: number;
  readonly totalS: number;
  readonly silent: number;
  readonly clipped: number;
}

export interface ImageFacts {
  readonly kind: "image";
  readonly present: number;
  readonly missing: number;
  readonly unreadable: number;
  /** How many pictures have each size, as "height x width x channels". */
  readonly sizes: Readonly<Record<string, number>>;
  readonly blank: number;
}

export interface SeriesFacts {
  readonly kind: "series";
  readonly present: number;
  readonly missing: number;
  readonly unreadable: number;
  /** How many series have each rate and number of channels, as "Hz x channels". */
  readonly forms: Readonly<Record<string, number>>;
  readonly shortestS: number;
  readonly longestS: number;
  readonly totalS: number;
  readonly constant: number;
}

export interface Inspection {
  /** Found by decoding; those of `readDataset` are not repeated. */
  readonly problems: readonly Problem[];
  readonly modalities: Readonly<Record<string, AudioFacts | ImageFacts | SeriesFacts>>;
}

/** What decoding one modality of one sample showed. */
interface Finding {
  readonly sample: Sample;
  /** Undefined where the file could not be read. */
  readonly hash?: string;
  readonly failure?: string;
  /** Nothing to learn from: silence, one colour, or readings that never change. */
  readonly isEmpty: boolean;
  readonly isClipped: boolean;
  /** Hz, height x width x channels, or Hz x channels. */
  readonly form: string;
  readonly durationS: number;
}

/**
 * Decode every sample of a dataset once.
 *
 * onProgress  called after each decoded file with how many are done, of how many
 */
export async function inspectDataset(
  dataset: Dataset,
  { onProgress }: { onProgress?: (done: number, total: number) => void } = {},
): Promise<Inspection> {
  const reader = openReader(dataset);
  const problems = collectProblems();
  const modalities: Record<string, AudioFacts | ImageFacts | SeriesFacts> = {};
  const uses = ({ name }: Modality) => dataset.samples.filter(({ sources }) => name in sources);
  const total = dataset.modalities.reduce((sum, modality) => sum + uses(modality).length, 0);
  let done = 0;
  for (const modality of dataset.modalities) {
    const findings = await inParallel(uses(modality), {
      limit: SAMPLES_AT_ONCE,
      work: async (sample) => {
        const finding = await look(reader, { sample, modality });
        onProgress?.(++done, total);
        return finding;
      },
    });
    reportFindings(findings, { modality, problems });
    reportForms(findings, { modality, problems });
    reportCopies(findings, { modality, problems });
    const missing = dataset.samples.length - findings.length;
    modalities[modality.name] = facts(findings, { modality, missing });
  }
  return { problems: problems.list(), modalities };
}

async function look(
  reader: Reader,
  { sample, modality: { name, kind } }: { sample: Sample; modality: Modality },
): Promise<Finding> {
  try {
    if (kind === "audio") return await hear(sample, await reader.audio(sample, name));
    if (kind === "series") return await follow(sample, await reader.series(sample, name));
    return await see(sample, await reader.picture(sample, name));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const failure = error.message;
    return { sample, failure, isEmpty: false, isClipped: false, form: "", durationS: 0 };
  }
}

async function hear(sample: Sample, { samples, sampleRateHz }: Audio): Promise<Finding> {
  let peak = 0;
  let clipped = 0;
  for (const value of samples) {
    const level = Math.abs(value);
    if (level > peak) peak = level;
    if (level >= CLIPPED_LEVEL) clipped++;
  }
  const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  return {
    sample,
    hash: await sha256(bytes),
    isEmpty: peak < SILENT_PEAK,
    isClipped: clipped > CLIPPED_SHARE * samples.length,
    form: String(sampleRateHz),
    durationS: samples.length / sampleRateHz,
  };
}

async function see(sample: Sample, { pixels, height, width, channels }: Picture): Promise<Finding> {
  return {
    sample,
    hash: await sha256(pixels),
    isEmpty: pixels.every((value, i) => value === pixels[i % channels]),
    isClipped: false,
    form: `${height} x ${width} x ${channels}`,
    durationS: 0,
  };
}

async function follow(
  sample: Sample,
  { data, channels, length, rateHz }: Series,
): Promise<Finding> {
  return {
    sample,
    hash: await sha256(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
    isEmpty: data.every((value, i) => value === data[i % channels]),
    isClipped: false,
    form: `${rateHz} x ${channels}`,
    durationS: length / rateHz,
  };
}

const EMPTY_WORDS: Readonly<Record<Modality["kind"], readonly [kind: string, told: string]>> = {
  audio: ["silence", "is silent"],
  image: ["blank picture", "has one colour only"],
  series: ["constant series", "never changes"],
};

interface Report {
  readonly modality: Modality;
  readonly problems: Problems;
}

function reportFindings(findings: readonly Finding[], { modality, problems }: Report): void {
  for (const { sample, failure, isEmpty, isClipped } of findings) {
    const at = `${MANIFEST} row ${sample.row}: ${sample.sources[modality.name].path}`;
    if (failure !== undefined) problems.error("unreadable file", failure, sample.id);
    const [empty, told] = EMPTY_WORDS[modality.kind];
    if (isEmpty) problems.warning(empty, `${at} ${told}`, sample.id);
    if (isClipped) problems.warning("clipping", `${at} is clipped`, sample.id);
  }
}

function reportForms(findings: readonly Finding[], { modality, problems }: Report): void {
  const forms = census(findings);
  if (Object.keys(forms).length < 2) return;
  const unit = modality.kind === "audio" ? " Hz" : "";
  const list = Object.entries(forms).map(([form, count]) => `${count} of ${form}${unit}`);
  const kind = modality.kind === "image" ? "mixed picture sizes" : "mixed sample rates";
  problems.warning(kind, `${MANIFEST}: ${modality.name} has ${list.join(", ")}; all are resampled`);
}

function reportCopies(findings: readonly Finding[], { modality, problems }: Report): void {
  const first = new Map<string, Sample>();
  for (const { sample, hash, isEmpty } of findings) {
    if (hash === undefined || isEmpty) continue;
    const other = first.get(hash);
    if (other === undefined) first.set(hash, sample);
    else if (other.split !== sample.split) {
      const rows = `row ${other.row} (${other.split}) and row ${sample.row} (${sample.split})`;
      const message = `${MANIFEST}: ${modality.name} is the same in two splits, ${rows}`;
      problems.error("same content in two splits", message, sample.id);
    } else if (other.label !== sample.label) {
      const rows = `row ${other.row} (${other.label}) and row ${sample.row} (${sample.label})`;
      const message = `${MANIFEST}: ${modality.name} is the same under two labels, ${rows}`;
      problems.warning("same content under two labels", message, sample.id);
    }
  }
}

function facts(
  findings: readonly Finding[],
  { modality, missing }: { modality: Modality; missing: number },
): AudioFacts | ImageFacts | SeriesFacts {
  const readable = findings.filter(({ failure }) => failure === undefined);
  const counts = {
    present: findings.length,
    missing,
    unreadable: findings.length - readable.length,
  };
  const empty = readable.filter(({ isEmpty }) => isEmpty).length;
  if (modality.kind === "image") {
    return { kind: "image", ...counts, sizes: census(findings), blank: empty };
  }
  const durations = readable.map(({ durationS }) => durationS);
  const lengths = {
    shortestS: durations.reduce((least, value) => Math.min(least, value), durations[0] ?? 0),
    longestS: durations.reduce((most, value) => Math.max(most, value), 0),
    totalS: durations.reduce((sum, value) => sum + value, 0),
  };
  if (modality.kind === "series") {
    return { kind: "series", ...counts, forms: census(findings), ...lengths, constant: empty };
  }
  return {
    kind: "audio",
    ...counts,
    sampleRatesHz: census(findings),
    ...lengths,
    silent: empty,
    clipped: readable.filter(({ isClipped }) => isClipped).length,
  };
}

/** How many readable findings have each form. */
function census(findings: readonly Finding[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { form, failure } of findings) {
    if (failure === undefined) counts.set(form, (counts.get(form) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
