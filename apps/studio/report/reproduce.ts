/** How to get the same bytes again. */
import { html } from "./html.ts";
import type { Report } from "./report.ts";
import type { View } from "./view.ts";

export function renderReproduce({ reproduce }: Report): View | undefined {
  const { commands, facts } = reproduce;
  if (commands.length === 0 && facts.length === 0) return undefined;
  return {
    id: "reproduce",
    title: "Reproduce",
    body: html`${
      commands.length > 0 &&
      html`<pre class="scroll" role="region" aria-label="Commands" tabindex="0">
<code>${commands.join("\n")}</code></pre>`
    }
${
  facts.length > 0 &&
  html`<dl class="pairs">${facts.map(
    ({ name, value }) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`,
  )}</dl>`
}`,
  };
}
