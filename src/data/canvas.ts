/**
 * Drawing with soft-edged shapes on a small float picture; what the synthetic dataset is drawn
 * with.
 *
 * Lengths are in pixels, (0, 0) is the upper left corner, colours are [red, green, blue] in [0, 1].
 * A shape is its signed distance: negative inside, so that half a pixel of edge is blended.
 */

import type { Picture } from "./dataset.ts";

export type Colour = readonly [number, number, number];

/** Signed distance of a point to a shape's edge, in pixels. */
export type Shape = (x: number, y: number) => number;

export interface Canvas {
  readonly size: number;
  /** [size, size, 3] */
  readonly values: Float64Array;
}

/** A square canvas, black. */
export function blankCanvas(size: number): Canvas {
  return { size, values: new Float64Array(size * size * 3) };
}

/** Give every pixel the colour that `colourAt` says for its centre. */
export function paint({ size, values }: Canvas, colourAt: (x: number, y: number) => Colour): void {
  for (let y = 0, at = 0; y < size; y++) {
    for (let x = 0; x < size; x++, at += 3) {
      const colour = colourAt(x + 0.5, y + 0.5);
      for (let c = 0; c < 3; c++) values[at + c] = colour[c];
    }
  }
}

/** Blend a colour over the whole canvas. */
export function veil({ values }: Canvas, colour: Colour, opacity: number): void {
  for (let i = 0; i < values.length; i++) values[i] += (colour[i % 3] - values[i]) * opacity;
}

/**
 * Blend a colour into a shape.
 *
 * opacity  1 covers what is below
 * blur     pixels over which the edge fades; 1 is a plain anti-aliased edge
 */
export function draw(
  { size, values }: Canvas,
  shape: Shape,
  { colour, opacity = 1, blur = 1 }: { colour: Colour; opacity?: number; blur?: number },
): void {
  for (let y = 0, at = 0; y < size; y++) {
    for (let x = 0; x < size; x++, at += 3) {
      const inside = 0.5 - shape(x + 0.5, y + 0.5) / blur;
      if (inside <= 0) continue;
      const share = Math.min(1, inside) * opacity;
      for (let c = 0; c < 3; c++) values[at + c] += (colour[c] - values[at + c]) * share;
    }
  }
}

/** a + (b - a) * share */
export function mix(a: Colour, b: Colour, share: number): Colour {
  return [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share];
}

/** An ellipse; the distance is exact on a circle, and near enough for blending otherwise. */
export function ellipse(cx: number, cy: number, rx: number, ry: number): Shape {
  const least = Math.min(rx, ry);
  return (x, y) => (Math.sqrt(((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2) - 1) * least;
}

/** A rectangle about its centre, `rx` and `ry` being half its sides. */
export function box(cx: number, cy: number, rx: number, ry: number): Shape {
  return (x, y) => Math.max(Math.abs(x - cx) - rx, Math.abs(y - cy) - ry);
}

/** A thick line with round ends. */
export function line(
  { x: ax, y: ay }: { x: number; y: number },
  { x: bx, y: by }: { x: number; y: number },
  width: number,
): Shape {
  const dx = bx - ax;
  const dy = by - ay;
  const squared = dx * dx + dy * dy || 1;
  return (x, y) => {
    const t = Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / squared));
    return Math.sqrt((x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2) - width / 2;
  };
}

/** A star: its edge lies between `inner` and `radius`, with `points` tips. */
export function star(
  { x: cx, y: cy }: { x: number; y: number },
  { radius, inner, points, turn }: { radius: number; inner: number; points: number; turn: number },
): Shape {
  return (x, y) => {
    const distance = Math.sqrt((x - cx) ** 2 + (y - cy) ** 2);
    if (distance > radius + 1) return distance - radius;
    const angle = Math.atan2(y - cy, x - cx) * points + turn;
    const tip = ((1 + Math.cos(angle)) / 2) ** 2;
    return distance - (inner + (radius - inner) * tip);
  };
}

/** The canvas rounded to 8 bits. */
export function toPicture({ size, values }: Canvas): Picture {
  const pixels = new Uint8Array(values.length);
  for (let i = 0; i < pixels.length; i++) {
    pixels[i] = Math.max(0, Math.min(255, Math.round(values[i] * 255)));
  }
  return { pixels, height: size, width: size, channels: 3 };
}
