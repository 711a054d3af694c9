/**
 * The style sheet: system fonts, one accent colour, both colour schemes, paper.
 *
 * Every pair of text and ground has a contrast of at least 4.5 (WCAG AA) in both schemes.
 */
export const STYLE: string = `
:root {
  color-scheme: light dark;
  --ground: #fdfdfc; --panel: #f4f5f3; --ink: #1b1f22; --quiet: #5a6268; --line: #dfe2df;
  --accent: #0b6b64; --accent-soft: #b9d9d5; --bar: #7f8b8d; --warn: #9a4a00; --shade: #0002;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #121618; --panel: #1b2124; --ink: #e6eaea; --quiet: #9fabae; --line: #2e373b;
    --accent: #5cc9be; --accent-soft: #24504c; --bar: #66757a; --warn: #f0a35e; --shade: #0009;
  }
}
@media print {
  :root {
    color-scheme: light;
    --ground: #fff; --panel: #f4f5f3; --ink: #1b1f22; --quiet: #5a6268; --line: #dfe2df;
    --accent: #0b6b64; --accent-soft: #b9d9d5; --bar: #7f8b8d; --warn: #9a4a00; --shade: #0002;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 3.5rem 1.25rem 4rem; max-width: 70rem;
  background: var(--ground); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
@media (min-width: 60rem) { body { padding-inline: 2.5rem; } }
h1, h2, p, dl, figure, ul, pre { margin: 0; }
h1 { font-size: 1.05rem; font-weight: 600; }
h2 { font-size: 1.35rem; font-weight: 650; letter-spacing: -0.01em; margin-bottom: 1rem; }
a { color: var(--accent); text-underline-offset: 0.2em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
section { margin-top: 4.5rem; scroll-margin-top: 1.5rem; }
section > * + * { margin-top: 1rem; }
section > p { max-width: 44rem; }
.small, .note, .interval, footer { color: var(--quiet); }
.small { font-size: 0.875rem; }
.interval { font-weight: 400; white-space: nowrap; }
.overline { color: var(--quiet); font-size: 0.875rem; }
.badge {
  display: inline-block; padding: 0.05rem 0.5rem;
  border: 1px solid currentColor; border-radius: 1rem;
  color: var(--warn); font-size: 0.75rem; font-weight: 600; letter-spacing: 0.03em;
}
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: 0.5rem; }
.unseen {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap;
}

.headline {
  margin-top: 1.25rem; max-width: 58rem; text-wrap: pretty;
  font-size: clamp(1.6rem, 1.1rem + 2.2vw, 2.6rem); line-height: 1.2; letter-spacing: -0.02em;
  font-weight: 600;
}
.headline b { color: var(--accent); font-weight: 700; white-space: nowrap; }
.headline .interval { font-size: 0.65em; letter-spacing: 0; }
.verdict {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr));
  gap: 0.75rem 2.5rem; align-items: center; margin-top: 1.75rem; padding: 1rem 1.25rem;
  background: var(--panel); border-left: 4px solid var(--bar); border-radius: 4px;
}
.verdict.helps { border-color: var(--accent); }
.verdict.hurts { border-color: var(--warn); }
.facts {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 1.5rem;
  margin-top: 2rem;
}
.facts dt { color: var(--quiet); font-size: 0.875rem; }
.facts dd { margin: 0; font-size: 1.5rem; font-weight: 600; letter-spacing: -0.01em; }
.facts dd.note { font-size: 0.8125rem; font-weight: 400; letter-spacing: 0; }
nav { margin-top: 2.25rem; padding-top: 1rem; border-top: 1px solid var(--line); }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; padding: 0; list-style: none; }
nav a { font-size: 0.875rem; text-decoration: none; }
nav a:hover { text-decoration: underline; }

main { display: grid; grid-template-columns: minmax(0, 1fr); }
@media screen and (min-width: 64rem) {
  main { grid-template-columns: fit-content(52%) minmax(0, 1fr); column-gap: 4rem; }
  section { grid-column: 1 / -1; min-width: 0; }
  #graph { grid-column: 1; }
  #memory { grid-column: 2; }
}

.scroll {
  overflow-x: auto;
  background:
    linear-gradient(to left, var(--ground) 40%, transparent) right / 3rem 100% no-repeat local,
    linear-gradient(to left, var(--shade), transparent) right / 1rem 100% no-repeat scroll;
}
table { border-collapse: collapse; min-width: 100%; font-size: 0.875rem; }
caption { padding-bottom: 0.5rem; text-align: left; color: var(--quiet); }
caption span { display: block; position: sticky; left: 0; max-width: calc(100vw - 2.5rem); }
th, td {
  padding: 0.45rem 0.75rem; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top;
}
th { font-weight: 600; }
thead th { color: var(--quiet); font-weight: 500; white-space: nowrap; border-color: var(--bar); }
tbody th { position: sticky; left: 0; background: var(--ground); }
th:first-child { padding-left: 0; }
tfoot th, tfoot td { border-bottom: 0; font-weight: 600; }
tfoot .note { font-weight: 400; }
td, tbody th { white-space: nowrap; }
td.sentence { min-width: 14rem; white-space: normal; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.share { display: block; width: 100%; height: 4px; margin-top: 0.2rem; }
.status { font-weight: 600; white-space: nowrap; }
.status.equal { color: var(--accent); }
.status.differs { color: var(--warn); }
.status.skipped { color: var(--quiet); }
details { margin-top: 0.5rem; font-size: 0.875rem; }
summary { width: fit-content; color: var(--quiet); cursor: pointer; }
summary:hover { color: var(--ink); }
details[open] summary { margin-bottom: 0.5rem; }
figcaption { margin-bottom: 0.75rem; font-weight: 600; }
.cards {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr));
  gap: 2.5rem;
}
.cards svg { max-width: 24rem; }
pre.scroll { padding: 1rem 1.25rem; background: var(--panel); border-radius: 4px; }
code, .pairs dd {
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 0.8125rem;
}
.pairs {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr));
  gap: 0 2.5rem;
}
.pairs div { display: flex; gap: 1rem; padding: 0.4rem 0; border-bottom: 1px solid var(--line); }
.pairs dt { flex: 0 0 8rem; color: var(--quiet); font-size: 0.875rem; }
.pairs dd { margin: 0; overflow-wrap: anywhere; }
footer {
  margin-top: 5rem; padding-top: 1rem;
  border-top: 1px solid var(--line); font-size: 0.8125rem;
}

svg { display: block; max-width: none; }
.cards svg, .verdict svg { width: 100%; }
svg text { fill: var(--ink); font-size: 12px; font-variant-numeric: tabular-nums; }
figure > svg, .verdict svg { overflow: visible; }
svg .name { font-weight: 600; }
svg .tick { fill: var(--quiet); font-size: 11px; }
svg .label { fill: var(--quiet); }
figure > svg .name, svg .label, svg .value {
  paint-order: stroke; stroke: var(--ground); stroke-width: 4px; stroke-linejoin: round;
}
svg .count { font-size: 11px; }
svg .cell + .count { font-weight: 600; }
.grid { stroke: var(--line); }
.zero, .arena { stroke: var(--quiet); }
.chance { stroke: var(--quiet); stroke-dasharray: 3 3; }
.bar.single { fill: var(--bar); }
.bar.fused { fill: var(--accent); }
.whisker { fill: none; stroke: var(--ink); stroke-width: 2; }
.halo { stroke: var(--ground); stroke-width: 5; }
.dot { fill: var(--accent); stroke: var(--panel); stroke-width: 2; }
.ring { fill: none; stroke: var(--accent); stroke-width: 2; }
.curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
.curve.strong { stroke: var(--accent); }
.curve.quiet { stroke: var(--quiet); stroke-dasharray: 4 3; stroke-width: 1.5; }
.cell { fill: var(--accent); stroke: var(--line); }
.cell.right { stroke: var(--accent); stroke-width: 1.5; }
.track { fill: var(--line); }
.fill { fill: var(--accent); }
.box { fill: var(--panel); stroke: var(--line); }
.box.input { fill: none; stroke: var(--quiet); stroke-dasharray: 3 3; }
.box.bits-8 { fill: var(--accent-soft); stroke: var(--accent); }
.box.bits-4 { fill: var(--panel); stroke: var(--accent); stroke-width: 2; }
.edge { fill: none; stroke: var(--quiet); stroke-width: 1.5; }
.block { stroke: var(--accent); fill: var(--accent); }
.block.tone-0 { fill-opacity: 0.12; }
.block.tone-1 { fill-opacity: 0.24; }
.block.tone-2 { fill-opacity: 0.36; }

@media print {
  body { padding: 0; max-width: none; font-size: 10pt; }
  nav, .skip, details { display: none; }
  section { margin-top: 2rem; }
  figure, tr, .verdict { break-inside: avoid; }
  h2, figcaption { break-after: avoid; }
  .scroll { overflow: visible; background: none; }
  pre { white-space: pre-wrap; }
  table { font-size: 8pt; }
  th, td { padding: 0.25rem 0.3rem; }
  thead th, td.word, tbody th { white-space: normal; }
  .cards { grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 1.5rem; }
  figure .scroll svg { max-width: 100%; height: auto; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
