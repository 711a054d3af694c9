/**
 * A picture of what augmentation does: some training samples, a row each and modality, first as they
 * are and then as seven epochs see them. Sound is drawn with time to the right and bands upward.
 *
 *   node scripts/augmentation.mjs DATASET [standard|FILE] [sheet.png]
 */

import { writeFile } from "node:fs/promises";
import sharp from "sharp";
import { assertAugmentable, augmentSettings, openAugmentation } from "../dist/apps/cli/augment.js";
import { completeSamples, loadExamples, openDataset } from "../dist/apps/cli/samples.js";
import { features } from "../dist/src/index.js";

const SAMPLES = 6;
const EPOCHS = 7;
const SEED = 1;
/** Pixels of a cell, and of the gap to the next. */
const [CELL, GAP] = [96, 4];

const [folder, name = "standard", out = "augmentation.png"] = process.argv.slice(2);
if (folder === undefined) {
  console.error("node scripts/augmentation.mjs DATASET [standard|FILE] [sheet.png]");
  process.exit(2);
}
const { augment = {} } = await augmentSettings(name);
const opened = await openDataset(folder, { seed: SEED });
const { dataset, reader } = opened;
assertAugmentable(dataset, augment);
const modalities = dataset.modalities.map((modality) => modality.name);
const train = completeSamples(dataset, "train", modalities);
const stride = Math.max(1, Math.floor(train.length / SAMPLES));
const samples = train.filter((_, i) => i % stride === 0).slice(0, SAMPLES);
const reporter = { stage() {}, update() {}, done() {} };
const frontend = await features.fitFrontend(reader, samples, { modalities: dataset.modalities });
const settings = { frontend, classes: dataset.classes, context: { reporter }, stage: "" };
const examples = await loadExamples(opened, samples, settings);
const fitted = { samples, examples, frontend, seed: SEED };
const draw = await openAugmentation({ reporter }, reader, augment, fitted);

const cells = [];
for (const index of samples.keys()) {
  const drawn = Array.from({ length: EPOCHS }, (_, epoch) => draw(index, epoch).inputs);
  const original = Object.fromEntries(
    modalities.map((modality) => {
      const size = examples.inputs[modality].length / samples.length;
      return [modality, examples.inputs[modality].subarray(index * size, (index + 1) * size)];
    }),
  );
  for (const modality of modalities) {
    const row = cells.length / (EPOCHS + 1);
    for (const [column, inputs] of [original, ...drawn].entries()) {
      cells.push({
        input: await cellOf(inputs[modality], frontend[modality]),
        left: column * (CELL + GAP),
        top: row * (CELL + GAP),
      });
    }
  }
}
const extent = (count) => count * (CELL + GAP) - GAP;
const [width, height] = [extent(EPOCHS + 1), extent(samples.length * modalities.length)];
const sheet = sharp({ create: { width, height, channels: 3, background: "white" } });
await writeFile(out, await sheet.composite(cells).png().toBuffer());
console.log(`${out}: ${samples.length} samples of ${dataset.name}, ${modalities.join(", ")}`);

/** A feature map as a small PNG: pixels with the scaling undone, sound as grey. */
async function cellOf(map, spec) {
  const [height, width, channels] = features.featureShape(spec);
  const isImage = spec.kind === "image";
  const { offset, multiplier } = spec.scaling;
  const levels = Array.from(map, (x, i) => {
    const c = i % offset.length;
    return isImage ? (x * 2 ** 24) / multiplier[c] + offset[c] : x + 128;
  });
  const raw = { width, height, channels };
  const picture = sharp(new Uint8Array(Uint8ClampedArray.from(levels).buffer), { raw });
  // frames are rows: a quarter turn back makes time run to the right and the lowest band lie below
  const upright = isImage ? picture : picture.rotate(-90);
  return upright
    .toColourspace("srgb")
    .resize(CELL, CELL, { kernel: "nearest", fit: "fill" })
    .png()
    .toBuffer();
}
