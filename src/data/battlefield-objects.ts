/**
 * The four things to be told apart, drawn with simple shapes at random places, sizes and colours.
 */

import type { Random } from "../tensor/index.ts";
import {
  box,
  type Canvas,
  type Colour,
  draw,
  ellipse,
  line,
  mix,
  type Shape,
  star,
} from "./canvas.ts";
import { uniform } from "./uniform.ts";

/** Sizes of vehicles; a lower floor or a wider range costs the image net. */
const SCALE: readonly [low: number, high: number] = [1.1, 1.6];

/** Where an object is drawn, and how well it can be seen. */
interface Scene {
  readonly canvas: Canvas;
  readonly generator: Random;
  /** The row where the sky ends. */
  readonly horizon: number;
  readonly opacity: number;
}

/** How to draw each class. */
export const OBJECTS: Readonly<Record<string, (scene: Scene) => void>> = {
  helicopter: drawHelicopter,
  tank: drawTank,
  gunfire: drawGunfire,
  explosion: drawExplosion,
};

function drawHelicopter({ canvas, generator, horizon, opacity }: Scene): void {
  const draws = (low: number, high: number) => uniform(generator, low, high);
  const scale = draws(...SCALE);
  const side = generator.next() < 0.5 ? -1 : 1;
  const x = draws(24, 40);
  const y = draws(12, horizon - 4);
  const tilt = draws(-0.2, 0.2);
  const colour = paintColour(generator);
  const fill = (shape: Shape) => draw(canvas, shape, { colour, opacity });
  const at = (dx: number, dy: number) => ({
    x: x + side * scale * (dx - dy * tilt),
    y: y + scale * (dy + dx * tilt),
  });
  fill(ellipse(x, y, 7 * scale, 4.2 * scale));
  fill(line(at(4, -1), at(19, -2), 2 * scale));
  fill(line(at(18, -6), at(19, 2), 1.3 * scale));
  fill(line(at(0, -4), at(0, -7), 1.5 * scale));
  fill(line(at(-4, 6.5), at(6, 6.5), 1 * scale));
  const reach = draws(8, 17); // the blade is caught at any angle
  draw(canvas, line(at(-reach, -7), at(reach, -7), 1.1 * scale), {
    colour,
    opacity: opacity * 0.8,
  });
  const window: Colour = [0.6, 0.75, 0.85];
  const pane = at(-4, -0.8);
  draw(canvas, ellipse(pane.x, pane.y, 2.2 * scale, 1.7 * scale), { colour: window, opacity });
}

function drawTank({ canvas, generator, horizon, opacity }: Scene): void {
  const draws = (low: number, high: number) => uniform(generator, low, high);
  const scale = draws(...SCALE);
  const side = generator.next() < 0.5 ? -1 : 1;
  const x = draws(24, 40);
  const y = Math.min(54, draws(horizon + 1, horizon + 14));
  const colour = paintColour(generator);
  const dark = mix(colour, [0, 0, 0], 0.45);
  const fill = (shape: Shape, own: Colour) => draw(canvas, shape, { colour: own, opacity });
  const point = (dx: number, dy: number) => ({ x: x + side * scale * dx, y: y + scale * dy });
  fill(line(point(-10, 4.5), point(10, 4.5), 6 * scale), dark);
  for (let wheel = -9; wheel <= 9; wheel += 4.5) {
    const { x: wx, y: wy } = point(wheel, 4.7);
    fill(ellipse(wx, wy, 1.6 * scale, 1.6 * scale), mix(colour, [0.5, 0.5, 0.5], 0.4));
  }
  fill(box(x, y, 12 * scale, 2.6 * scale), colour);
  const turret = point(draws(-2, 3), -4.5);
  fill(ellipse(turret.x, turret.y, 6 * scale, 3.2 * scale), mix(colour, [0, 0, 0], 0.15));
  const lift = draws(-0.5, 3.5);
  const muzzle = { x: turret.x - side * 17 * scale, y: turret.y - lift * scale };
  fill(line(turret, muzzle, 1.7 * scale), dark);
}

/** Flashes at a firing position; from afar an explosion looks like this too. */
function drawGunfire({ canvas, generator, horizon, opacity }: Scene): void {
  const draws = (low: number, high: number) => uniform(generator, low, high);
  const flashes = 1 + generator.integer(3);
  const x = draws(20, 44);
  const y = draws(horizon - 3, 56);
  const heading = draws(-0.5, 0.5) + (generator.next() < 0.5 ? Math.PI : 0);
  for (let i = 0; i < flashes; i++) {
    const at = { x: x + draws(-9, 9) * Math.min(1, i), y: y + draws(-4, 4) * Math.min(1, i) };
    const radius = draws(5, 10);
    drawGlow(canvas, at, { radius: radius * 1.5, opacity: opacity * 0.5 });
    const spikes = {
      radius,
      inner: radius * 0.3,
      points: 4 + generator.integer(4),
      turn: draws(0, 6),
    };
    draw(canvas, star(at, spikes), { colour: [1, 0.9, 0.55], opacity });
    draw(canvas, ellipse(at.x, at.y, radius * 0.35, radius * 0.35), {
      colour: [1, 1, 0.9],
      opacity,
    });
    if (generator.next() < 0.6) {
      const from = radius + draws(2, 8);
      const reach = from + draws(5, 14);
      const along = (r: number) => ({
        x: at.x + r * Math.cos(heading),
        y: at.y + r * Math.sin(heading),
      });
      const tracer = { colour: [1, 0.75, 0.35] as const, opacity: opacity * 0.8 };
      draw(canvas, line(along(from), along(reach), 1), tracer);
    }
  }
  drawSmoke(
    { canvas, generator },
    { x, y: y - 4, puffs: 2, size: draws(2, 5), opacity: opacity * 0.4 },
  );
}

function drawExplosion({ canvas, generator, horizon, opacity }: Scene): void {
  const draws = (low: number, high: number) => uniform(generator, low, high);
  const x = draws(20, 44);
  const y = draws(horizon - 6, 54);
  const size = draws(6, 13);
  drawGlow(canvas, { x, y }, { radius: size * 1.7, opacity: opacity * 0.6 });
  const rise = { x, y: y - size, puffs: 5, size: size * 0.7, opacity: opacity * 0.75 };
  drawSmoke({ canvas, generator }, rise);
  for (let i = 0; i < 6; i++) {
    const reach = size * 0.5;
    const radius = size * draws(0.3, 0.6);
    const shape = ellipse(x + draws(-reach, reach), y + draws(-reach, reach), radius, radius);
    draw(canvas, shape, { colour: [1, draws(0.35, 0.75), 0.12], opacity: opacity * 0.85, blur: 2 });
  }
  const core = ellipse(x, y, size * 0.35, size * 0.35);
  draw(canvas, core, { colour: [1, 0.95, 0.7], opacity, blur: 2 });
  for (let i = 0; i < 7; i++) {
    const angle = draws(-Math.PI, 0);
    const r = size * draws(0.9, 1.9);
    const shape = ellipse(x + r * Math.cos(angle), y + r * Math.sin(angle), 0.8, 0.8);
    draw(canvas, shape, { colour: [0.15, 0.1, 0.08], opacity });
  }
}

function drawGlow(
  canvas: Canvas,
  { x, y }: { x: number; y: number },
  { radius, opacity }: { radius: number; opacity: number },
): void {
  draw(canvas, ellipse(x, y, radius / 2, radius / 2), {
    colour: [1, 0.65, 0.25],
    opacity,
    blur: radius,
  });
}

function drawSmoke(
  { canvas, generator }: Pick<Scene, "canvas" | "generator">,
  {
    x,
    y,
    puffs,
    size,
    opacity,
  }: {
    x: number;
    y: number;
    puffs: number;
    size: number;
    opacity: number;
  },
): void {
  const draws = (low: number, high: number) => uniform(generator, low, high);
  const grey = draws(0.15, 0.6);
  for (let i = 0; i < puffs; i++) {
    const at = { x: x + draws(-size, size), y: y - i * size * 0.7 };
    const radius = size * draws(0.6, 1.2);
    const shape = ellipse(at.x, at.y, radius, radius);
    draw(canvas, shape, { colour: [grey, grey, grey], opacity: opacity * 0.7, blur: radius });
  }
}

/** Military paint: dull, from grey to olive to sand. */
function paintColour(generator: Random): Colour {
  const light = uniform(generator, 0.12, 0.45);
  return [light * uniform(generator, 0.85, 1.15), light, light * uniform(generator, 0.55, 1)];
}
