/**
 * How many altered tiles of photographs the audit of copies finds, on pictures that had no part in
 * choosing anything: scikit-learn's two samples, or any others.
 *
 *   node scripts/copies/photographs.mjs [--side 64] china.jpg flower.jpg
 *
 * Each photograph is cut into tiles, each a group by itself. By one alteration at a time a third of
 * the tiles is copied and looked for among all, then the next third. scikit-learn has the photographs in
 * sklearn/datasets/images (`python3 -c "import sklearn; print(sklearn.__path__[0])"`).
 */

import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { imageFingerprint } from "../../dist/src/data/image-fingerprint.js";
import { nearImages } from "../../dist/src/data/near-images.js";
import { decodePicture } from "../../dist/src/data/picture.js";
import { PICTURE_ALTERATIONS } from "./alterations.mjs";

const ROUNDS = 3;

const { values, positionals } = parseArgs({
  options: { side: { type: "string", default: "64" } },
  allowPositionals: true,
});
if (positionals.length === 0) {
  console.error("photographs.mjs: no photographs: name some, such as scikit-learn's china.jpg");
  process.exit(2);
}

const tiles = [];
for (const path of positionals) {
  const photograph = await decodePicture(new Uint8Array(await readFile(path)), path);
  tiles.push(...tilesOf(photograph, { side: Number(values.side), name: basename(path) }));
}
const told = pairsAmong(tiles);
console.log(
  `${tiles.length} tiles of ${positionals.length} photographs, ${values.side} pixels wide`,
);
const total = { found: 0, planted: 0 };
for (const [how, alter] of Object.entries(PICTURE_ALTERATIONS)) {
  const { found, planted } = await tried(alter);
  total.found += found;
  total.planted += planted;
  print(how, { found, planted });
}
print("all", total);
console.log(`  ${told.length} pairs told among the unaltered`);
for (const [a, b] of told) console.log(`    ${a.group} and ${b.group}`);

/** Whole tiles; one of a single colour has no fingerprint and is left out. */
function tilesOf({ pixels, height, width, channels }, { side, name }) {
  const found = [];
  for (let top = 0; top + side <= height; top += side) {
    for (let left = 0; left + side <= width; left += side) {
      const tile = new Uint8Array(side * side * channels);
      for (let y = 0; y < side; y++) {
        const from = ((top + y) * width + left) * channels;
        tile.set(pixels.subarray(from, from + side * channels), y * side * channels);
      }
      const picture = { pixels: tile, height: side, width: side, channels };
      const fingerprint = imageFingerprint(picture);
      const group = `${name} at ${top}, ${left}`;
      if (fingerprint !== undefined) found.push({ picture, fingerprint, group });
    }
  }
  return found;
}

async function tried(alter) {
  const result = { found: 0, planted: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const copies = [];
    for (const [i, original] of tiles.entries()) {
      if (i % ROUNDS !== round) continue;
      const fingerprint = imageFingerprint(await alter(original.picture));
      copies.push({ fingerprint, group: `copy of ${original.group}`, original });
    }
    const clear = copies.filter(({ fingerprint }) => fingerprint !== undefined);
    const pairs = pairsAmong([...tiles, ...clear]);
    result.planted += copies.length;
    result.found += clear.filter((copy) =>
      pairs.some(([a, b]) => b === copy && a === copy.original),
    ).length;
  }
  return result;
}

function pairsAmong(items) {
  const fingerprints = items.map(({ fingerprint }) => fingerprint);
  const groups = items.map(({ group }) => group);
  return nearImages(fingerprints, groups).map(({ a, b }) => [items[a], items[b]]);
}

function print(how, { found, planted }) {
  const share = ((100 * found) / planted).toFixed(0);
  console.log(`  ${share.padStart(3)} %  ${found} of ${planted}  ${how}`);
}
