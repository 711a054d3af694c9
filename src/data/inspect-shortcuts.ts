/** Labels that follow from a property of the files: what a net would learn instead of the world. */

import type { Finding, Report } from "./inspect-finding.ts";
import { MANIFEST } from "./manifest.ts";
import { probeProperties, type Shortcut } from "./property-probe.ts";

/** Properties of what was recorded: they may well differ by class, but then say little of a sensor. */
const LEVELS: readonly string[] = ["loudness", "brightness"];

const UNITS: Readonly<Record<string, string>> = {
  ...{
    "sample rate": " Hz",
    length: " s",
    loudness: " dB",
    "DC offset": "",
    brightness: " of 255",
  },
  ...{ height: " pixels", width: " pixels", rate: " Hz" },
};

/** Probe every property of a modality, over recordings. */
export function reportShortcuts(
  findings: readonly Finding[],
  { modality, problems }: Report,
): void {
  const observations = findings.flatMap(({ sample, content }) => {
    if (content === undefined || content.isEmpty) return [];
    const group = sample.sources[modality.name].group ?? sample.group;
    return [{ id: sample.id, label: sample.label, group, properties: content.properties }];
  });
  for (const shortcut of probeProperties(observations)) {
    const kind = LEVELS.includes(shortcut.property)
      ? "label follows level"
      : "label follows file property";
    const message = `${MANIFEST}: ${modality.name} ${describe(shortcut)}`;
    problems.warning(kind, message, { samples: shortcut.examples.map(({ id }) => id) });
  }
}

function describe({ property, balancedAccuracy, chance, units, examples }: Shortcut): string {
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  const seen = examples.map(({ id, label, value }) => {
    const shown = typeof value === "number" ? Number(value.toPrecision(3)) : value;
    return `${label} ${shown}${UNITS[property] ?? ""} as in ${id}`;
  });
  const told = `${property} alone gives the label with ${percent(balancedAccuracy)} balanced accuracy`;
  return `${told} (by chance ${percent(chance)}, ${units} recordings): ${seen.join(", ")}`;
}
