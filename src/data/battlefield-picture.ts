/**
 * Pictures of the synthetic battlefield: 64 x 64, an object in a landscape.
 *
 * The landscape (sky, hills, trees, light) belongs to the recording and says nothing about the
 * class; clutter resembles every class: birds helicopters, rocks tanks, lamps and fires the
 * flashes.
 */

import type { Random } from "../tensor/index.ts";
import { OBJECTS } from "./battlefield-objects.ts";
import {
  blankCanvas,
  type Canvas,
  type Colour,
  draw,
  ellipse,
  line,
  mix,
  paint,
  toPicture,
  veil,
} from "./canvas.ts";
import type { Picture } from "./dataset.ts";
import { uniform } from "./uniform.ts";

const PICTURE_SIZE = 64;

/** The object fades only where visibility is below 1 / this: haze and noise do the rest. */
const OPAQUE_FACTOR = 4;

/** What one recording's pictures share. */
export interface Landscape {
  readonly sky: Colour;
  readonly ground: Colour;
  /** Rows of sky. */
  readonly horizon: number;
  readonly hills: readonly [height: number, waves: number, phase: number];
  readonly trees: readonly { readonly x: number; readonly size: number }[];
}

/** A landscape for one recording. */
export function drawLandscape(generator: Random): Landscape {
  const draws = (low: number, high: number) => uniform(generator, low, high);
  const light = draws(0.6, 1);
  const sky: Colour = [light * draws(0.55, 0.85), light * draws(0.65, 0.85), light * 0.9];
  const ground: Colour = [light * draws(0.3, 0.48), light * draws(0.34, 0.46), light * 0.22];
  return {
    sky,
    ground,
    horizon: draws(26, 44),
    hills: [draws(0, 5), draws(0.05, 0.2), draws(0, 6)],
    trees: Array.from({ length: generator.integer(5) }, () => ({
      x: draws(0, PICTURE_SIZE),
      size: draws(3, 8),
    })),
  };
}

interface Scene {
  readonly canvas: Canvas;
  readonly generator: Random;
  readonly landscape: Landscape;
}

/**
 * One picture.
 *
 * label       one of the classes
 * visibility  0 (nothing of the object is left) to 1 (clear)
 */
export function drawBattlefield(
  label: string,
  {
    landscape,
    visibility,
    generator,
  }: {
    landscape: Landscape;
    visibility: number;
    generator: Random;
  },
): Picture {
  const canvas = blankCanvas(PICTURE_SIZE);
  const scene = { canvas, generator, landscape };
  const { horizon } = landscape;
  drawGround(scene);
  drawClutter(scene);
  const opacity = Math.min(1, OPAQUE_FACTOR * visibility);
  OBJECTS[label]({ canvas, generator, horizon, opacity });
  drawHaze(scene, visibility);
  drawNoise(scene, visibility);
  return toPicture(canvas);
}

function drawGround({ canvas, landscape, generator }: Scene): void {
  const { sky, ground, horizon, hills, trees } = landscape;
  const [height, waves, phase] = hills;
  const shift = uniform(generator, -4, 4); // the camera moves between pictures of a recording
  const pan = uniform(generator, 0, PICTURE_SIZE);
  paint(canvas, (x, y) => {
    const edge = horizon + shift + height * Math.sin((x + pan) * waves + phase);
    const depth = y / PICTURE_SIZE;
    if (y < edge) return mix(sky, [1, 1, 1], 0.35 * depth);
    return mix(ground, [0, 0, 0], 0.35 * (depth - 0.5));
  });
  for (const { x, size } of trees) {
    const at = (x + pan) % PICTURE_SIZE;
    const base = horizon + shift + 2;
    const leaves: Colour = mix(ground, [0.05, 0.2, 0.05], 0.7);
    draw(canvas, line({ x: at, y: base }, { x: at, y: base - size }, 1.5), {
      colour: [0.2, 0.13, 0.08],
    });
    draw(canvas, ellipse(at, base - size, size * 0.6, size * 0.75), { colour: leaves, blur: 2 });
  }
}

/** Things that are there whatever the class is. */
function drawClutter({ canvas, landscape, generator }: Scene): void {
  const draws = (low: number, high: number) => uniform(generator, low, high);
  const birds = generator.integer(2);
  for (let i = 0; i < birds; i++) {
    const at = { x: draws(4, 60), y: draws(3, landscape.horizon - 4) };
    const wing = draws(2, 5);
    const options = { colour: [0.15, 0.15, 0.17] as const, opacity: 0.8 };
    draw(canvas, line(at, { x: at.x - wing, y: at.y - wing / 2 }, 1.2), options);
    draw(canvas, line(at, { x: at.x + wing, y: at.y - wing / 2 }, 1.2), options);
  }
  const rocks = generator.integer(2);
  for (let i = 0; i < rocks; i++) {
    const shape = ellipse(
      draws(4, 60),
      draws(landscape.horizon + 4, 62),
      draws(2, 9),
      draws(1.5, 4),
    );
    draw(canvas, shape, { colour: mix(landscape.ground, [0.25, 0.25, 0.22], 0.7) });
  }
  const lamps = generator.integer(2);
  for (let i = 0; i < lamps; i++) {
    const shape = ellipse(draws(4, 60), draws(12, 60), draws(0.8, 2), draws(0.8, 2));
    draw(canvas, shape, { colour: [1, 0.9, draws(0.4, 0.8)], blur: draws(1, 4), opacity: 0.8 });
  }
}

/** Fog, smoke or night in front of everything, the thicker the lower the visibility. */
function drawHaze({ canvas, generator }: Scene, visibility: number): void {
  const thickness = (1 - visibility) * uniform(generator, 0.45, 0.8);
  const grey =
    generator.next() < 0.4 ? uniform(generator, 0.02, 0.15) : uniform(generator, 0.4, 0.8);
  veil(canvas, [grey, grey, grey * 1.03], thickness);
  const clouds = Math.round((1 - visibility) * 5);
  for (let i = 0; i < clouds; i++) {
    const radius = uniform(generator, 6, 16);
    const shape = ellipse(
      uniform(generator, 0, 64),
      uniform(generator, 0, 64),
      radius,
      radius * 0.7,
    );
    draw(canvas, shape, { colour: [grey, grey, grey], opacity: 0.6, blur: radius });
  }
}

/** Sensor noise; more gain, more noise where little is to be seen. */
function drawNoise({ canvas, generator }: Scene, visibility: number): void {
  const level = 0.015 + 0.05 * (1 - visibility);
  const scale = level * Math.sqrt(6); // the sum of two uniform values less one has variance 1/6
  for (let i = 0; i < canvas.values.length; i++) {
    canvas.values[i] += scale * (generator.next() + generator.next() - 1);
  }
}
