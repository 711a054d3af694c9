/** Pictures worth a close look: those on the same side of random planes as another, in some window. */

import type { Random } from "../tensor/index.ts";
import { COARSE_TERMS, OFFSETS, offsetTerms } from "./image-fingerprint.ts";
import { dot, type ImageSpace, whiteningOf } from "./image-space.ts";
import { keyBitsFor, sharedKeys } from "./shared-keys.ts";

const DRAWS = 12;
const LEAST_KEY_BITS = 12;
/** Of each picture, the likest by coarse terms. */
const CANDIDATES = 4;
/** Cosine of coarse terms below which no copy was seen. */
const LEAST_COARSE = 0.75;

/**
 * Candidates of each picture that has any, the likest first.
 *
 * groups  one for each picture: within a group none is looked for
 */
export function imageCandidates(
  space: ImageSpace,
  { groups, generator }: { groups: readonly number[]; generator: Random },
): Map<number, readonly number[]> {
  const keyBits = keyBitsFor(space.points.length, { least: LEAST_KEY_BITS });
  const terms = space.fingerprints.map((fingerprint) =>
    offsetTerms(fingerprint, { isCoarse: true }),
  );
  const { whiten } = whiteningOf(terms.map((windows) => windows[OFFSETS.length >> 1]));
  const views = flat(terms.flatMap((windows) => windows.map(whiten)));
  const stored = middles(views);
  const likest = collectLikest();
  for (let draw = 0; draw < DRAWS; draw++) {
    const planes = Array.from({ length: keyBits }, () =>
      Float32Array.from({ length: COARSE_TERMS }, () => generator.normal()),
    );
    const [keys, queries] = [stored, views].map((points) => keysOf(points, planes));
    for (const [a, view] of sharedKeys(keys, queries, { keyBits })) {
      const b = Math.floor(view / OFFSETS.length);
      if (groups[a] === groups[b]) continue;
      const like = likeness(stored, a, { points: views, at: view });
      if (like >= LEAST_COARSE) likest.add(b, { other: a, like });
    }
  }
  return likest.list();
}

interface Candidate {
  readonly other: number;
  readonly like: number;
}

/** The few likest others of each. */
function collectLikest(): {
  add(item: number, candidate: Candidate): void;
  list(): Map<number, readonly number[]>;
} {
  const kept = new Map<number, Candidate[]>();
  return {
    add(item, candidate) {
      const few = kept.get(item) ?? [];
      if (few.length === CANDIDATES && few[CANDIDATES - 1].like >= candidate.like) return;
      const rest = few.filter(({ other }) => other !== candidate.other);
      const known = few.find(({ other }) => other === candidate.other);
      if (known !== undefined && known.like >= candidate.like) return;
      rest.push(candidate);
      rest.sort((m, n) => n.like - m.like || m.other - n.other);
      kept.set(item, rest.slice(0, CANDIDATES));
    },
    list: () => new Map([...kept].map(([item, few]) => [item, few.map(({ other }) => other)])),
  };
}

/** All points in a row, each scaled to length 1. */
function flat(points: readonly Float32Array[]): Float32Array {
  const row = new Float32Array(points.length * COARSE_TERMS);
  for (const [i, point] of points.entries()) {
    const length = Math.sqrt(dot(point, point)) || 1;
    for (let k = 0; k < COARSE_TERMS; k++) row[i * COARSE_TERMS + k] = point[k] / length;
  }
  return row;
}

/** Of the windows of each picture the middle ones. */
function middles(views: Float32Array): Float32Array {
  const each = OFFSETS.length * COARSE_TERMS;
  const stored = new Float32Array(views.length / OFFSETS.length);
  for (let i = 0; i < stored.length; i += COARSE_TERMS) {
    const middle = (i / COARSE_TERMS) * each + (each - COARSE_TERMS) / 2;
    stored.set(views.subarray(middle, middle + COARSE_TERMS), i);
  }
  return stored;
}

function keysOf(points: Float32Array, planes: readonly Float32Array[]): Uint32Array {
  const keys = new Uint32Array(points.length / COARSE_TERMS);
  for (let i = 0; i < keys.length; i++) {
    for (const plane of planes) {
      let sum = 0;
      for (let k = 0; k < COARSE_TERMS; k++) sum += plane[k] * points[i * COARSE_TERMS + k];
      keys[i] = 2 * keys[i] + (sum > 0 ? 1 : 0);
    }
  }
  return keys;
}

function likeness(
  own: Float32Array,
  item: number,
  { points, at }: { points: Float32Array; at: number },
): number {
  let sum = 0;
  for (let k = 0; k < COARSE_TERMS; k++) {
    sum += own[item * COARSE_TERMS + k] * points[at * COARSE_TERMS + k];
  }
  return sum;
}
