/**
 * Seeded randomness: xoshiro128** (Blackman, Vigna 2018), seeded through splitmix32.
 *
 * Integers only inside, so every machine draws the same numbers (`normal` goes through Math.log and
 * Math.cos, whose last bit the language leaves open). Independent streams come from
 * string seeds such as `${seed}/shuffle/${epoch}`: no generator is shared, so no order of calls
 * matters.
 */

import { mismatch } from "../errors.ts";

export interface Random {
  /** Uniform in [0, 1), 32 bits of it. */
  next(): number;
  /** Uniform integer in [0, below). */
  integer(below: number): number;
  /** Standard normal (Box-Muller). */
  normal(): number;
}

/**
 * A generator for a seed.
 *
 * seed     any string or number; equal seeds give equal streams
 */
export function random(seed: number | string): Random {
  const state = seedState(String(seed));
  const next = (): number => nextBits(state) / 2 ** 32;
  return {
    next,
    integer(below: number): number {
      if (!(Number.isInteger(below) && below > 0 && below <= 2 ** 32)) {
        throw mismatch("random.integer", "below", {
          expected: "an integer in [1, 2^32]",
          got: below,
        });
      }
      return Math.floor(next() * below);
    },
    normal(): number {
      const radius = Math.sqrt(-2 * Math.log(1 - next()));
      return radius * Math.cos(2 * Math.PI * next());
    },
  };
}

/** A shuffled copy (Fisher-Yates). */
export function shuffle<T>(items: readonly T[], generator: Random): T[] {
  const copy = [...items];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = generator.integer(i + 1);
    [copy[i], copy[j]] = [copy[j], copy[i]];
  }
  return copy;
}

/** FNV-1a over the UTF-16 units, then four splitmix32 outputs; never all zero. */
function seedState(text: string): Uint32Array {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  const state = new Uint32Array(4);
  for (let i = 0; i < 4; i++) {
    hash = (hash + 0x9e3779b9) | 0;
    let z = hash ^ (hash >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    state[i] = z ^ (z >>> 15);
  }
  if (state.every((word) => word === 0)) state[0] = 1;
  return state;
}

function nextBits(s: Uint32Array): number {
  const result = Math.imul(rotateLeft(Math.imul(s[1], 5), 7), 9) >>> 0;
  const t = s[1] << 9;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotateLeft(s[3], 11);
  return result;
}

function rotateLeft(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}
