import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { html } from "./html.ts";

describe("html", () => {
  test("escapes what is put in, and leaves its own markup", () => {
    const name = `<script>"1"</script> & 'more'`;
    expect(html`<p title="${name}">${html`<b>${1}</b>`}</p>`.markup).toBe(
      '<p title="&lt;script&gt;&quot;1&quot;&lt;/script&gt; &amp; &#39;more&#39;"><b>1</b></p>',
    );
  });

  test("joins lists and leaves out undefined and false", () => {
    expect(html`<i>${[1, "a", html`<br>`, undefined, false]}</i>`.markup).toBe("<i>1a<br></i>");
  });

  test("no text can open a tag or end an attribute", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(html`${text}`.markup).not.toMatch(/[<>"']/);
      }),
    );
  });

  test("an object that only looks like markup is not trusted", () => {
    const forged = JSON.parse('{"markup":"<script>"}');
    expect(() => html`${forged}`).toThrow();
  });
});
