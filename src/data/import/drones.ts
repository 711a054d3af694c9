/**
 * The multi-sensor drone set of Svanstrom et al.: `Audio/DRONE_001.wav`, `Video_V/V_DRONE_001...`,
 * `Video_IR/IR_DRONE_001...`.
 *
 * Its sensors were recorded apart, so a sample has one modality (audio, image, thermal), and pairs
 * are made by class in a step of its own. Video is not decoded: frames are pictures in a folder
 * named like the video, or pictures whose name begins like it. A clip and all frames of a video
 * share a group. Birds and airplanes, of which there is no sound, are background, as `subclass`
 * still says. Source: github.com/DroneDetectionThesis/Drone-detection-dataset.
 */

import type { FoundSample } from "../collect.ts";
import { fileKind } from "../manifest.ts";
import { type Found, type Importer, withoutExtension } from "./importer.ts";

const CLIP = /^(BACKGROUND|DRONE|HELICOPTER)_(\d{3})$/;
const VIDEO = /^(V|IR)_(AIRPLANE|BIRD|DRONE|HELICOPTER)_(\d{3})(?!\d)/;

/**
 * Clips that overlap, found by cross-correlation of their waveforms (0.2 to 1.0), so that each set
 * is one group.
 */
const OVERLAPS: readonly (readonly string[])[] = [
  ["BACKGROUND_005", "BACKGROUND_027"],
  ["BACKGROUND_008", "BACKGROUND_016"],
  ["BACKGROUND_010", "BACKGROUND_019"],
  ["DRONE_009", "DRONE_010", "DRONE_011"],
  ["HELICOPTER_003", "HELICOPTER_009"],
  ["HELICOPTER_005", "HELICOPTER_012"],
];

export const drones: Importer = {
  name: "drones",
  layout: "multi-sensor drones: Audio/DRONE_001.wav, frames as Video_V/V_DRONE_001/0001.png",
  matches: ({ files }) =>
    files.some((path) => /(^|\/)Video_(V|IR)\//.test(path) || /(^|\/)Audio\/DRONE_/.test(path)),
  async find({ files }): Promise<Found> {
    const refused = files
      .filter((path) => /\.(mp4|avi|mat)$/i.test(path))
      .map((path) => ({ path, reason: reasonFor(path) }));
    return { samples: files.flatMap(sampleOf), refused, read: [] };
  },
};

function reasonFor(path: string): string {
  if (/\.mat$/i.test(path)) return "is a table of boxes: pictures are taken whole";
  return "is video: extract frames, such as ffmpeg -i V_DRONE_001.mp4 V_DRONE_001/%04d.png";
}

function sampleOf(path: string): FoundSample[] {
  const parts = withoutExtension(path).split("/");
  const [, kind, thing, number] = parts.map((part) => VIDEO.exec(part)).find(Boolean) ?? [];
  const clip = CLIP.exec(parts[parts.length - 1]);
  if (clip !== null && fileKind(path) === "audio") {
    const subclass = clip[1].toLowerCase();
    const group = OVERLAPS.find((set) => set.includes(clip[0]))?.[0] ?? clip[0];
    return [sample(path, { modality: "audio", subclass, group })];
  }
  if (thing === undefined || fileKind(path) !== "image") return [];
  const modality = kind === "V" ? "image" : "thermal";
  const group = `${kind}_${thing}_${number}`;
  return [sample(path, { modality, subclass: thing.toLowerCase(), group })];
}

function sample(
  path: string,
  { modality, subclass, group }: { modality: string; subclass: string; group: string },
): FoundSample {
  const label = subclass === "bird" || subclass === "airplane" ? "background" : subclass;
  const id = withoutExtension(path);
  return { id, label, split: "", group, sources: { [modality]: { path } }, columns: { subclass } };
}
