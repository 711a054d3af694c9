/**
 * Which recordings are copies of one another, from their fingerprints, without comparing all pairs.
 *
 * Words that share their lower or their upper bits are candidates, at the shift between them; of a
 * query the weakest bit is tried both ways. With e of n bits that are sure in both different, a candidate
 * is a copy where
 *
 *   e / n <= 0.05,    z = (1/2 - e / n) 2 sqrt(n / 4),    N Q(z) <= 0.01,    z >= 6           (3)
 *
 * Bits of neighbouring frames say the same: a quarter of n counts as independent, which makes z the
 * distance from chance in standard deviations. N pairs of words might match, and Q(z) of them do by
 * chance: in one of a hundred datasets one does (Desolneux, Moisan, Morel, "From Gestalt Theory to Image
 * Analysis", 2008). A word of speech has too few bits for that. How much changes tells more than whether it
 * rises: with x and y the changes (2) that are sure in both it is a copy, too, where
 *
 *   r = sum x y / sqrt(sum x x  sum y y) >= 0.95,    z = artanh(r) sqrt(n / 6 - 3)              (3b)
 *
 * (Fisher 1915), z as above; sizes that neighbouring bands share leave a sixth independent. Both need
 * eight words in common: one onset is like another.
 */

import { type AudioFingerprint, BITS } from "./audio-fingerprint.ts";
import { collectMatches, keyBitsFor, type Match, sharedKeys } from "./shared-keys.ts";

const MOST_DIFFERENT = 0.05;
const BY_CHANCE = 0.01;
/** However few words there are: what a quarter of n stands for is no law. */
const LEAST_Z = 6;
const DEPENDENT_BITS = 4;
const DEPENDENT_CHANGES = 6;
/** Codings leave 0.96 and more of speech; one digit said twice has 0.92. */
const LEAST_CORRELATION = 0.95;
/** Where nothing at all differs r is 1 and z would be infinite. */
const MOST_CORRELATION = 0.9999;
/** As many hops as a window lasts. */
const LEAST_WORDS = 8;

const LEAST_KEY_BITS = 16;
/** A key with fewer sure bits is as likely wrong as right. */
const SURE_IN_KEY = 7;

/** Words on each side of a shared one that are compared first. */
const GLANCE_WORDS = 3;
/** Bits that may differ there, and where changes are compared. */
const GLANCE_DIFFERENT = 0.2;

/** Words by which the best shift may lie beside that of the shared one. */
const SEARCH_WORDS = 2;

/** Two recordings, and how many words `b` begins after `a`. */
export interface SoundMatch extends Match {
  readonly shift: number;
}

/**
 * Pairs that are copies, each once.
 *
 * groups   one for each fingerprint: within a group copies are expected and not looked for
 * returns  the likest first for each `b`
 */
export function nearSounds(
  fingerprints: readonly AudioFingerprint[],
  groups: readonly string[],
): SoundMatch[] {
  const words = fingerprints.reduce((sum, { bits }) => sum + bits.length, 0);
  const keyBits = keyBitsFor(words, { least: LEAST_KEY_BITS });
  const least = leastZ(words ** 2 / 2);
  const matches = collectMatches<SoundMatch>();
  for (const shiftBits of [0, 32 - keyBits]) {
    const { stored, queries } = keysOf(fingerprints, { shiftBits, keyBits });
    let tried = new Set<number>();
    let current = -1;
    for (const [i, q] of sharedKeys(stored.keys, queries.keys, { keyBits })) {
      const [a, b] = [stored.items[i], queries.items[q]];
      if (groups[a] === groups[b]) continue;
      if (b !== current) [tried, current] = [new Set(), b];
      const shift = stored.words[i] - queries.words[q];
      const trial = a * 2 ** 22 + shift;
      if (tried.has(trial)) continue;
      const [own, other] = [fingerprints[a], fingerprints[b]];
      if (!isAlikeAt(own, other, { at: stored.words[i], shift })) continue;
      tried.add(trial);
      const match = compareNear(own, other, { near: shift, least });
      if (match === undefined) continue;
      matches.add(
        a < b
          ? { a, b, shift: match.shift, likeness: match.z }
          : { a: b, b: a, shift: -match.shift, likeness: match.z },
      );
    }
  }
  return matches.list();
}

/** The z of equation 3, by Q(z) = exp(-z^2 / 2) / (z sqrt(2 pi)), which is a little too much. */
function leastZ(pairs: number): number {
  let z = LEAST_Z;
  for (let i = 0; i < 8; i++) {
    const chance = BY_CHANCE * z * Math.sqrt(2 * Math.PI);
    z = Math.max(LEAST_Z, Math.sqrt(Math.max(0, 2 * Math.log(pairs / chance))));
  }
  return z;
}

interface Keys {
  readonly keys: number[];
  readonly items: number[];
  readonly words: number[];
}

/** Frames in a row with one key are stored once; a search of some words beside makes up for it. */
function keysOf(
  fingerprints: readonly AudioFingerprint[],
  { shiftBits, keyBits }: { shiftBits: number; keyBits: number },
): { stored: Keys; queries: Keys } {
  const keyOf = (word: number) => (word >>> shiftBits) & (2 ** keyBits - 1);
  const empty = (): Keys => ({ keys: [], items: [], words: [] });
  const [stored, queries] = [empty(), empty()];
  const put = ({ keys, items, words }: Keys, key: number, item: number, word: number) => {
    keys.push(key);
    items.push(item);
    words.push(word);
  };
  for (const [item, { bits, sure, weakest }] of fingerprints.entries()) {
    for (let word = 0, last = -1; word < bits.length; word++) {
      if (countBits(keyOf(sure[word])) < SURE_IN_KEY) continue;
      const key = keyOf(bits[word]);
      if (key === last) continue;
      last = key;
      put(stored, key, item, word);
      put(queries, key, item, word);
      const weak = keyOf(shiftBits === 0 ? weakest[word] & 0xffff : weakest[word] & 0xffff0000);
      if (weak !== 0) put(queries, key ^ weak, item, word);
    }
  }
  return { stored, queries };
}

function isAlikeAt(
  a: AudioFingerprint,
  b: AudioFingerprint,
  { at, shift }: { at: number; shift: number },
): boolean {
  const { n, e } = compare(a, b, { shift, from: at - GLANCE_WORDS, to: at + GLANCE_WORDS + 1 });
  return e <= GLANCE_DIFFERENT * n;
}

/** The best shift near to one, if it makes a copy. */
function compareNear(
  a: AudioFingerprint,
  b: AudioFingerprint,
  { near, least }: { near: number; least: number },
): { shift: number; z: number } | undefined {
  let best: { shift: number; z: number } | undefined;
  for (let shift = near - SEARCH_WORDS; shift <= near + SEARCH_WORDS; shift++) {
    const common = Math.min(a.bits.length, b.bits.length + shift) - Math.max(0, shift);
    if (common < LEAST_WORDS) continue;
    const { n, e } = compare(a, b, { shift, from: 0, to: a.bits.length });
    if (n === 0 || e > GLANCE_DIFFERENT * n) continue;
    let z = e > MOST_DIFFERENT * n ? 0 : (0.5 - e / n) * 2 * Math.sqrt(n / DEPENDENT_BITS);
    if (z < least) z = zOfChanges(correlation(a, b, shift), n);
    if (z < least) continue;
    if (best === undefined || z > best.z) best = { shift, z };
  }
  return best;
}

/** Bits that are sure in both (n), and how many of them differ (e), for words from..to of `a`. */
function compare(
  a: AudioFingerprint,
  b: AudioFingerprint,
  { shift, from, to }: { shift: number; from: number; to: number },
): { n: number; e: number } {
  let n = 0;
  let e = 0;
  const end = Math.min(to, a.bits.length, b.bits.length + shift);
  for (let word = Math.max(0, from, shift); word < end; word++) {
    const both = a.sure[word] & b.sure[word - shift];
    n += countBits(both);
    e += countBits((a.bits[word] ^ b.bits[word - shift]) & both);
  }
  return { n, e };
}

/** The z of equation 3b; 0 where r is too small. */
function zOfChanges(r: number, n: number): number {
  if (r < LEAST_CORRELATION) return 0;
  const independent = Math.max(0, n / DEPENDENT_CHANGES - 3);
  return Math.atanh(Math.min(r, MOST_CORRELATION)) * Math.sqrt(independent);
}

/** r of equation 3b; 0 where nothing is sure in both. */
function correlation(a: AudioFingerprint, b: AudioFingerprint, shift: number): number {
  let [product, own, other] = [0, 0, 0];
  const from = Math.max(0, shift) * BITS;
  const to = Math.min(a.bits.length, b.bits.length + shift) * BITS;
  for (let i = from; i < to; i++) {
    const [x, y] = [a.changes[i], b.changes[i - shift * BITS]];
    if (x === 0 || y === 0) continue;
    product += x * y;
    own += x * x;
    other += y * y;
  }
  return product / Math.sqrt(own * other || 1);
}

/** Ones in a word of 32 bits, by adding pairs, fours, bytes. */
function countBits(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
