/**
 * How many planted copies the audit finds in real datasets, by what was done to the copy, and what it
 * tells of the same data without any.
 *
 *   node scripts/bench-copies.mjs [--data FOLDER] [--only drone-av/image,...] [--copies 30] [--json]
 *
 * Of each modality one sample a copy is drawn by a seed, altered, coded, decoded again and put beside
 * all others; no sample is copied twice, and the copies of one group form another. A copy counts as
 * found where it is told together with its original. Pairs among the rest are listed by file: whether
 * those are false only a look at them can tell. MP3 and Opus need ffmpeg on PATH.
 *
 * What is compared, and the thresholds, were chosen with the copies of seed 1 in all three modalities of
 * pictures: another seed plants other copies in pictures that are known. For sounds nothing was held out.
 */

import { join } from "node:path";
import { parseArgs } from "node:util";
import { audioFingerprinter } from "../dist/src/data/audio-fingerprint.js";
import { imageFingerprint } from "../dist/src/data/image-fingerprint.js";
import { nearImages } from "../dist/src/data/near-images.js";
import { nearSounds } from "../dist/src/data/near-sounds.js";
import { data, tensor } from "../dist/src/index.js";
import { PICTURE_ALTERATIONS, SOUND_ALTERATIONS } from "./copies/alterations.mjs";

const MODALITIES = [
  "drone-av/image",
  "drone-av/thermal",
  "av-digits/image",
  "drone-av/audio",
  "av-digits/audio",
  "covid-cough/audio",
  "coswara-pairs/cough",
  "coswara-pairs/speech",
];

/** What the thresholds of pictures were chosen with. */
const CHOSEN_SEED = "1";

const { values } = parseArgs({
  options: {
    data: { type: "string", default: process.env.TINYM2NET_DATA ?? "../shared/data" },
    only: { type: "string", default: MODALITIES.join() },
    copies: { type: "string", default: "30" },
    seed: { type: "string", default: "1" },
    json: { type: "boolean" },
  },
});

for (const place of values.only.split(",")) report(place, await measure(place));

async function measure(place) {
  const [name, modality] = place.split("/");
  const dataset = await data.readDataset(join(values.data, name), { modalities: [modality] });
  const isPicture = dataset.modalities[0].kind === "image";
  const reader = data.openReader(dataset);
  const hear = audioFingerprinter();
  const look = isPicture ? imageFingerprint : hear;
  const near = isPicture ? nearImages : nearSounds;
  const read = (sample) => (isPicture ? reader.picture : reader.audio)(sample, modality);
  const samples = distinct(dataset.samples, modality);
  const items = await data.inParallel(samples, {
    limit: 8,
    work: async (sample) => ({
      name: nameOf(sample.sources[modality]),
      group: sample.sources[modality].group ?? sample.group,
      fingerprint: look(await read(sample)),
    }),
  });
  const copies = await plant(samples, { read, look, isPicture });
  const clean = items.filter(({ fingerprint }) => fingerprint !== undefined);
  const told = pairsAmong(clean, near).map(([a, b]) => `${clean[a].name} and ${clean[b].name}`);
  const start = process.cpuUsage();
  const all = [
    ...items.map((item, original) => ({ ...item, original })),
    ...copies.map((copy) => ({ ...copy, group: `copy of ${items[copy.original].group}` })),
  ].filter(({ fingerprint }) => fingerprint !== undefined);
  const found = new Set();
  for (const [a, b] of pairsAmong(all, near)) {
    if (all[a].original === all[b].original) found.add(all[a].original);
  }
  const { user, system } = process.cpuUsage(start);
  const recall = {};
  for (const { how, original } of copies) {
    recall[how] ??= { planted: 0, found: 0 };
    recall[how].planted++;
    if (found.has(original)) recall[how].found++;
  }
  return { samples: samples.length, isPicture, recall, told, matchingS: (user + system) / 1e6 };
}

/** One sample of each segment: files of several rows are one content. */
function distinct(samples, modality) {
  const segments = new Map();
  for (const sample of samples) {
    const name = nameOf(sample.sources[modality]);
    if (!segments.has(name)) segments.set(name, sample);
  }
  return [...segments.values()];
}

function nameOf({ path, startS }) {
  return startS === undefined ? path : `${path} at ${startS} s`;
}

async function plant(samples, { read, look, isPicture }) {
  const alterations = Object.entries(isPicture ? PICTURE_ALTERATIONS : SOUND_ALTERATIONS);
  const most = Math.floor(samples.length / (3 * alterations.length));
  const count = Math.min(Number(values.copies), most);
  const drawn = tensor.shuffle([...samples.keys()], tensor.random(`copies ${values.seed}`));
  const planted = alterations.flatMap(([how, alter], i) =>
    drawn.slice(i * count, (i + 1) * count).map((original) => ({ how, alter, original })),
  );
  return data.inParallel(planted, {
    limit: 4,
    work: async ({ how, alter, original }) => {
      const altered = await alter(await read(samples[original]));
      return { how, original, fingerprint: look(altered) };
    },
  });
}

function pairsAmong(items, near) {
  const fingerprints = items.map(({ fingerprint }) => fingerprint);
  const matches = near(
    fingerprints,
    items.map(({ group }) => group),
  );
  return matches.map(({ a, b }) => [a, b]);
}

function report(place, { samples, isPicture, recall, told, matchingS }) {
  if (values.json) {
    console.log(JSON.stringify({ place, samples, recall, told, matchingS }));
    return;
  }
  const chosen =
    values.seed === CHOSEN_SEED
      ? "thresholds chosen on it"
      : "thresholds chosen on it, only the seed is new";
  const role = isPicture ? chosen : "sounds, nothing held out";
  const cost = `matched in ${matchingS.toFixed(1)} s of processor`;
  console.log(`\n${place} (${role}): ${samples} samples, ${cost}`);
  for (const [how, { found, planted }] of Object.entries(recall)) {
    const share = ((100 * found) / planted).toFixed(0);
    console.log(`  ${share.padStart(3)} %  ${found} of ${planted}  ${how}`);
  }
  console.log(`  ${told.length} pairs told among the unaltered`);
  for (const pair of told.slice(0, 30)) console.log(`    ${pair}`);
}
