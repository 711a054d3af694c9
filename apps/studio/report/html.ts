/**
 * HTML and SVG as tagged templates: whatever is put in is escaped unless it was made by the tag
 * itself.
 *
 * Convention: attributes are always written with double quotes. A view returns `Html`, never a
 * string, so that text from a data set cannot become markup by mistake.
 */

/** Markup that is safe to insert; only `html` makes it. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

type Insert = Html | string | number | undefined | false | readonly Insert[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Markup with escaped inserts; lists are joined, undefined and false insert nothing. */
export function html(strings: TemplateStringsArray, ...inserts: readonly Insert[]): Html {
  let markup = strings[0];
  inserts.forEach((insert, k) => {
    markup += render(insert) + strings[k + 1];
  });
  return new Html(markup);
}

function render(insert: Insert): string {
  if (insert === undefined || insert === false) return "";
  if (insert instanceof Html) return insert.markup;
  if (typeof insert === "object") return insert.map(render).join("");
  return String(insert).replace(/[&<>"']/g, (character) => ENTITIES[character]);
}
