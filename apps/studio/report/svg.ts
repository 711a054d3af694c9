/**
 * Scales and frames of the charts.
 *
 * Convention: coordinates are pixels, y down, rounded to hundredths so that the page's bytes do not
 * depend on the last bit of a division. Colours come from the style sheet's classes.
 */
import { type Html, html } from "./html.ts";

export type Scale = (value: number) => number;

/** Maps `domain` linearly onto `range`; a domain without extent maps to the range's beginning. */
export function linearScale(
  domain: readonly [number, number],
  range: readonly [number, number],
): Scale {
  const extent = domain[1] - domain[0];
  const slope = extent === 0 ? 0 : (range[1] - range[0]) / extent;
  return (value) => round(range[0] + (value - domain[0]) * slope);
}

/** Round values (1, 2 or 5 times a power of ten apart) within `low` .. `high`, about `count`. */
export function ticks(low: number, high: number, count: number): number[] {
  if (!(high > low)) return [low];
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, k) =>
    Number(((first + k) * step).toPrecision(12)),
  );
}

export function round(value: number): number {
  const rounded = Math.round(value * 100) / 100;
  return rounded === 0 ? 0 : rounded;
}

export interface ChartOptions {
  /** Unique within the page. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly width: number;
  readonly height: number;
  /**
   * How the drawing meets a column of another width: "scaled" with it, letters included; "scrolled"
   * at its own size; "stretched", where horizontal coordinates are percentages and letters keep
   * size.
   */
  readonly fit: "scaled" | "scrolled" | "stretched";
  readonly body: Html | readonly Html[];
}

/** An SVG with a title and a description for those who cannot see it. */
export function renderChart({
  id,
  title,
  description,
  width,
  height,
  fit,
  body,
}: ChartOptions): Html {
  const size = {
    scaled: html`viewBox="0 0 ${width} ${height}"`,
    scrolled: html`viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`,
    stretched: html`width="100%" height="${height}"`,
  };
  const svg = html`<svg ${size[fit]} role="img"
 aria-labelledby="${id}-title ${id}-text">
<title id="${id}-title">${title}</title><desc id="${id}-text">${description}</desc>
${body}</svg>`;
  if (fit !== "scrolled") return svg;
  return html`<div class="scroll" role="region" aria-label="${title}" tabindex="0">${svg}</div>`;
}

/** A bar that shows a share of a whole beside its number. */
export function renderShare(share: number): Html {
  const percent = round(100 * Math.min(1, Math.max(0, share)));
  return html`<svg class="share" aria-hidden="true"><rect class="track" width="100%" height="4"/>${
    percent > 0 && html`<rect class="fill" width="${percent}%" height="4"/>`
  }</svg>`;
}

/** About how many pixels the text takes in a system font of `size` pixels, on the safe side. */
export function textWidth(text: string, size: number): number {
  // Measured with DejaVu Sans, the widest of the usual system fonts: 0.6 a letter on average.
  return 0.6 * size * Array.from(text).length;
}

/** The text if it fits into `width` pixels, else its beginning and "…". */
export function fitText(text: string, width: number, size: number): string {
  if (textWidth(text, size) <= width) return text;
  const letters = Math.floor(width / (0.6 * size));
  return letters < 2
    ? ""
    : `${Array.from(text)
        .slice(0, letters - 1)
        .join("")}…`;
}
