/** One content, or nearly one, in several samples. */

import type { Sample } from "./dataset.ts";
import type { Content, Finding, Report } from "./inspect-finding.ts";
import { MANIFEST } from "./manifest.ts";
import { nearImages } from "./near-images.ts";
import { nearSounds } from "./near-sounds.ts";
import type { Match } from "./shared-keys.ts";

/** A content and the samples that hold it, in the order of rows. */
interface Holding {
  readonly content: Content;
  readonly samples: Sample[];
}

/** Copies in the strict sense and near ones; silence and blanks are no content. */
export function reportCopies(findings: readonly Finding[], report: Report): void {
  const holdings = new Map<string, Holding>();
  for (const { sample, content } of findings) {
    if (content === undefined || content.isEmpty) continue;
    const holding = holdings.get(content.hash);
    if (holding === undefined) holdings.set(content.hash, { content, samples: [sample] });
    else {
      reportSame([holding.samples[0], sample], report);
      holding.samples.push(sample);
    }
  }
  reportNear([...holdings.values()], report);
}

type Pair = readonly [first: Sample, second: Sample];

const groupOf = ({ group, sources }: Sample, { modality }: Report) =>
  sources[modality.name]?.group ?? group;

function reportSame(pair: Pair, report: Report): void {
  const { modality, problems } = report;
  const [first, second] = pair;
  const about = { sample: second.id, samples: pair.map(({ id }) => id) };
  const told = `${MANIFEST}: ${modality.name} is the same`;
  if (first.split !== second.split) {
    const message = `${told} in two splits, ${rows(pair, ({ split }) => split)}`;
    problems.error("same content in two splits", message, about);
  } else if (first.label !== second.label) {
    const message = `${told} under two labels, ${rows(pair, ({ label }) => label)}`;
    problems.warning("same content under two labels", message, about);
  } else if (groupOf(first, report) !== groupOf(second, report)) {
    const message = `${told} in two groups, ${rows(pair, (sample) => groupOf(sample, report))}`;
    problems.warning("same content in two groups", message, about);
  }
}

function rows([first, second]: Pair, say: (sample: Sample) => string): string {
  return `row ${first.row} (${say(first)}) and row ${second.row} (${say(second)})`;
}

/** Of each content the likest earlier one in another split is told, else the likest at all. */
function reportNear(holdings: readonly Holding[], report: Report): void {
  const told = new Set<number>();
  const pairs = nearPairs(holdings, report);
  const across = pairs.filter((match) => acrossSplits(holdings, match) !== undefined);
  for (const match of [...across, ...pairs]) {
    if (told.has(match.b)) continue;
    told.add(match.b);
    tellNear(holdings, { match, report });
  }
}

function tellNear(
  holdings: readonly Holding[],
  { match, report }: { match: Match; report: Report },
): void {
  const { modality, problems } = report;
  const across = acrossSplits(holdings, match);
  const pair = across ?? ([holdings[match.a].samples[0], holdings[match.b].samples[0]] as const);
  const what = modality.kind === "audio" ? "sounds alike at some shift" : "looks alike";
  const files = pair.map(({ sources }) => sources[modality.name].path).join(" and ");
  const where = across === undefined ? "groups" : "splits";
  const listed = rows(pair, (sample) => (across ? sample.split : groupOf(sample, report)));
  const message = `${MANIFEST}: ${modality.name} ${what} in two ${where}, ${listed}: ${files}`;
  const about = { sample: pair[1].id, samples: pair.map(({ id }) => id) };
  problems.warning(`near copy in two ${where}`, message, about);
}

function acrossSplits(holdings: readonly Holding[], { a, b }: Match): Pair | undefined {
  for (const first of holdings[a].samples) {
    const second = holdings[b].samples.find(({ split }) => split !== first.split);
    if (second !== undefined) return [first, second];
  }
  return undefined;
}

function nearPairs(holdings: readonly Holding[], report: Report): Match[] {
  const groups = holdings.map(({ samples }) => groupOf(samples[0], report));
  const sounds = holdings.flatMap(({ content: { sound } }, at) =>
    sound === undefined ? [] : [{ at, sound, group: groups[at] }],
  );
  const pictures = holdings.flatMap(({ content: { picture } }, at) =>
    picture === undefined ? [] : [{ at, picture, group: groups[at] }],
  );
  const back = (matches: readonly Match[], items: readonly { at: number }[]) =>
    matches.map((match) => ({ ...match, a: items[match.a].at, b: items[match.b].at }));
  return [
    ...back(
      nearSounds(
        sounds.map(({ sound }) => sound),
        sounds.map(({ group }) => group),
      ),
      sounds,
    ),
    ...back(
      nearImages(
        pictures.map(({ picture }) => picture),
        pictures.map(({ group }) => group),
      ),
      pictures,
    ),
  ].sort((m, n) => m.b - n.b || n.likeness - m.likeness);
}
