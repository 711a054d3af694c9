/**
 * Sounds of the synthetic battlefield: one second at 16 kHz, a source in wind.
 *
 * Neighbours are alike: a slow rotor and clattering tracks both thump at 9 to 20 Hz over a low
 * rumble; a far single shot and a small explosion are both one dull bang.
 */

import type { Random } from "../tensor/index.ts";
import type { Audio } from "./dataset.ts";
import { uniform } from "./uniform.ts";

const SOUND_RATE_HZ = 16000;
const LENGTH = SOUND_RATE_HZ;

/** What one recording's sounds share: the colour of the wind, and how it gusts. */
export interface Air {
  /** Cut-off of the wind noise, Hz. */
  readonly windHz: number;
  /** Share of hiss above the wind. */
  readonly hiss: number;
  readonly gustsHz: number;
}

/** The air of one recording. */
export function drawAir(generator: Random): Air {
  return {
    windHz: uniform(generator, 150, 900),
    hiss: uniform(generator, 0.02, 0.2),
    gustsHz: uniform(generator, 0.3, 2),
  };
}

const SOURCES: Readonly<Record<string, (generator: Random) => Float64Array>> = {
  helicopter: soundHelicopter,
  tank: soundTank,
  gunfire: soundGunfire,
  explosion: soundExplosion,
};

/**
 * One sound.
 *
 * label   one of the classes
 * snrDb   power of the source over that of the wind
 */
export function soundBattlefield(
  label: string,
  { air, snrDb, generator }: { air: Air; snrDb: number; generator: Random },
): Audio {
  const source = distant(SOURCES[label](generator), generator);
  const wind = soundWind(air, generator);
  const gain = (power(wind) / power(source)) ** 0.5 * 10 ** (snrDb / 20);
  const mixed = wind.map((value, i) => source[i] * gain + value);
  const mean = mixed.reduce((sum, value) => sum + value, 0) / LENGTH; // no microphone hears it
  const peak = mixed.reduce((most, value) => Math.max(most, Math.abs(value - mean)), 0);
  const level = uniform(generator, 0.2, 0.9) / peak; // loudness says nothing
  const samples = Float32Array.from(mixed, (value) => (value - mean) * level);
  return { samples, sampleRateHz: SOUND_RATE_HZ };
}

/** Rotor thump: damped low pulses at the blade rate, a turbine's whine, some wash. */
function soundHelicopter(generator: Random): Float64Array {
  const draws = (low: number, high: number) => uniform(generator, low, high);
  const rateHz = draws(9, 22);
  const out = new Float64Array(LENGTH);
  const thump = { toneHz: draws(55, 130), decayS: draws(0.012, 0.03), noise: draws(0.15, 0.5) };
  for (let t = -draws(0, 1) / rateHz; t < 1; t += 1 / rateHz) {
    addBurst(out, { atS: t, level: draws(0.85, 1.1), ...thump }, generator);
  }
  addHarmonics(out, { baseHz: draws(900, 2600), count: 2, level: draws(0.005, 0.04), generator });
  return out;
}

/** Engine rumble, the slap of track links, and squeal that comes and goes. */
function soundTank(generator: Random): Float64Array {
  const draws = (low: number, high: number) => uniform(generator, low, high);
  const out = lowPass(noise(LENGTH, generator), draws(100, 300)).map((value) => value * 3);
  addHarmonics(out, { baseHz: draws(24, 48), count: 6, level: draws(0.15, 0.35), generator });
  const rateHz = draws(8, 18);
  const slap = { toneHz: draws(80, 220), decayS: draws(0.01, 0.025), noise: draws(0.3, 0.7) };
  const strength = draws(0.2, 0.9);
  for (let t = -draws(0, 1) / rateHz; t < 1; t += draws(0.85, 1.15) / rateHz) {
    addBurst(out, { atS: t, level: strength * draws(0.6, 1.1), ...slap }, generator);
  }
  const squeals = generator.integer(3);
  for (let i = 0; i < squeals; i++) addSqueal(out, generator);
  return out;
}

/** One to twelve shots: short broadband bursts, each with an echo. */
function soundGunfire(generator: Random): Float64Array {
  const draws = (low: number, high: number) => uniform(generator, low, high);
  const out = new Float64Array(LENGTH);
  const shots = generator.next() < 0.3 ? 1 : 2 + generator.integer(10);
  const rateHz = draws(6, 14);
  const shot = { toneHz: draws(150, 500), decayS: draws(0.008, 0.03), noise: draws(0.8, 1) };
  const echo = { toneHz: draws(80, 200), decayS: draws(0.05, 0.15), noise: draws(0.4, 0.8) };
  const start = draws(0, 0.5);
  for (let i = 0; i < shots; i++) {
    const atS = start + (i / rateHz) * draws(0.9, 1.1);
    addBurst(out, { atS, level: draws(0.8, 1.1), ...shot }, generator);
    addBurst(out, { atS: atS + 0.02, level: draws(0.1, 0.35), ...echo }, generator);
  }
  return out;
}

/** A crack, then a boom that takes its time. */
function soundExplosion(generator: Random): Float64Array {
  const draws = (low: number, high: number) => uniform(generator, low, high);
  const out = new Float64Array(LENGTH);
  const blasts = 1 + (generator.next() < 0.25 ? 1 : 0);
  for (let i = 0; i < blasts; i++) {
    const atS = draws(0, 0.5);
    const boom = { toneHz: draws(35, 110), decayS: draws(0.08, 0.35), noise: draws(0.3, 0.8) };
    const crack = { toneHz: draws(150, 400), decayS: draws(0.01, 0.04), noise: 1 };
    addBurst(out, { atS, level: 1, ...boom }, generator);
    addBurst(out, { atS, level: draws(0.3, 1), ...crack }, generator);
  }
  return out;
}

interface Burst {
  readonly atS: number;
  readonly level: number;
  readonly toneHz: number;
  readonly decayS: number;
  /** 0 is a pure tone, 1 pure noise (low-passed at eight times the tone). */
  readonly noise: number;
}

/** A burst is followed until it is 43 dB down. */
const DECAYS = 5;
/** One millisecond, so that no burst begins with a click. */
const ATTACK_SAMPLES = SOUND_RATE_HZ / 1000;

/** Add a decaying mixture of tone and noise; what lies outside the second is cut. */
function addBurst(
  out: Float64Array,
  { atS, level, toneHz, decayS, noise: share }: Burst,
  generator: Random,
): void {
  const start = Math.round(atS * SOUND_RATE_HZ);
  const length = Math.round(DECAYS * decayS * SOUND_RATE_HZ);
  const hiss = lowPass(noise(length, generator), 8 * toneHz);
  const decay = Math.exp(-1 / (decayS * SOUND_RATE_HZ));
  const step = (2 * Math.PI * toneHz) / SOUND_RATE_HZ;
  let envelope = level;
  for (let i = 0; i < length && start + i < out.length; i++, envelope *= decay) {
    if (start + i < 0) continue;
    const attack = Math.min(1, i / ATTACK_SAMPLES);
    out[start + i] +=
      envelope * attack * ((1 - share) * Math.sin(step * i) + share * 1.5 * hiss[i]);
  }
}

function addHarmonics(
  out: Float64Array,
  {
    baseHz,
    count,
    level,
    generator,
  }: {
    baseHz: number;
    count: number;
    level: number;
    generator: Random;
  },
): void {
  const drift = uniform(generator, -0.06, 0.06);
  for (let k = 1; k <= count; k++) {
    const phase = uniform(generator, 0, 2 * Math.PI);
    for (let i = 0; i < out.length; i++) {
      const t = i / SOUND_RATE_HZ;
      const angle = 2 * Math.PI * k * baseHz * (t + (drift * t * t) / 2) + phase;
      out[i] += (level / k ** 0.5) * Math.sin(angle);
    }
  }
}

function addSqueal(out: Float64Array, generator: Random): void {
  const draws = (low: number, high: number) => uniform(generator, low, high);
  const start = Math.round(draws(0, 0.7) * SOUND_RATE_HZ);
  const length = Math.round(draws(0.1, 0.4) * SOUND_RATE_HZ);
  const toneHz = draws(800, 2400);
  const glideHz = draws(-300, 300);
  const level = draws(0.03, 0.15);
  for (let i = 0; i < length && start + i < out.length; i++) {
    const t = i / SOUND_RATE_HZ;
    const fade = Math.sin((Math.PI * i) / length);
    out[start + i] += level * fade * Math.sin(2 * Math.PI * (toneHz + glideHz * t) * t);
  }
}

/** Air swallows high tones: the further, the duller. */
function distant(source: Float64Array, generator: Random): Float64Array {
  return lowPass(source, uniform(generator, 500, 5000));
}

function soundWind({ windHz, hiss, gustsHz }: Air, generator: Random): Float64Array {
  const rumble = lowPass(lowPass(noise(LENGTH, generator), windHz), windHz);
  const scale = 1 / Math.sqrt(power(rumble));
  const phase = uniform(generator, 0, 2 * Math.PI);
  return rumble.map((value, i) => {
    const gust = 1 + 0.5 * Math.sin((2 * Math.PI * gustsHz * i) / SOUND_RATE_HZ + phase);
    return gust * (value * scale + hiss * (2 * generator.next() - 1));
  });
}

/** Uniform white noise in [-1, 1). */
function noise(length: number, generator: Random): Float64Array {
  const out = new Float64Array(length);
  for (let i = 0; i < length; i++) out[i] = 2 * generator.next() - 1;
  return out;
}

/** One pole: y[n] = y[n-1] + a (x[n] - y[n-1]), a = 1 - exp(-2 pi cut / rate). */
function lowPass(x: Float64Array, cutHz: number): Float64Array {
  const a = 1 - Math.exp((-2 * Math.PI * cutHz) / SOUND_RATE_HZ);
  const out = new Float64Array(x.length);
  let y = 0;
  for (let i = 0; i < x.length; i++) {
    y += a * (x[i] - y);
    out[i] = y;
  }
  return out;
}

function power(x: Float64Array): number {
  let sum = 1e-12; // silence has a power too: it is divided by
  for (const value of x) sum += value * value;
  return sum / x.length;
}
