/**
 * The report as one HTML file: no scripts, no requests, nothing but what the reader sees.
 *
 * A content security policy says the same to the browser, in case something slipped through
 * escaping.
 */
import { renderBars } from "./bars.ts";
import { renderConfusion } from "./confusion.ts";
import { renderCurves } from "./curves.ts";
import { renderDataset } from "./dataset.ts";
import { renderEquality } from "./equality.ts";
import { renderGraph } from "./graph.ts";
import { renderHeadline } from "./headline.ts";
import { Html, html } from "./html.ts";
import { renderLayers } from "./layers.ts";
import { renderMemory } from "./memory.ts";
import type { Report } from "./report.ts";
import { renderReproduce } from "./reproduce.ts";
import { renderResults } from "./results.ts";
import { STYLE } from "./style.ts";
import type { View } from "./view.ts";

const POLICY = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const VIEWS: readonly ((report: Report) => View | undefined)[] = [
  renderResults,
  renderBars,
  renderConfusion,
  renderCurves,
  renderLayers,
  renderGraph,
  renderMemory,
  renderEquality,
  renderDataset,
  renderReproduce,
];

/** The whole page; the same report gives the same bytes. */
export function renderReport(report: Report): string {
  const views = VIEWS.flatMap((render) => render(report) ?? []);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${report.title} – tinym2net report</title>
<link rel="icon" href="data:,">
<style>${new Html(STYLE)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the sections</a>
<header>
<p class="overline">tinym2net report${
    report.synthetic && html` <span class="badge">Synthetic data</span>`
  }</p>
<h1>${report.title}</h1>
${renderHeadline(report)}
<nav aria-label="Sections"><ul>${views.map(
    ({ id, title }) => html`<li><a href="#${id}">${title}</a></li>\n`,
  )}</ul></nav>
</header>
<main id="main">
${views.map(renderSection)}
</main>
<footer><p>One file, no scripts, no requests. Intervals are 95 %.</p></footer>
</body>
</html>
`;
  return page.markup;
}

function renderSection({ id, title, body }: View): Html {
  return html`<section id="${id}" aria-labelledby="${id}-heading">
<h2 id="${id}-heading">${title}</h2>
${body}
</section>
`;
}
