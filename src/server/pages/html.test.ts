import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { html, trusted } from "./html.ts";
import { inline, paragraphs } from "./prose.ts";

describe("html", () => {
  it("escapes what could end a text or an attribute", () => {
    const evil = `"><script>alert('&')</script>`;
    expect(html`<a href="${evil}">${evil}</a>`.text).toBe(
      '<a href="&quot;&gt;&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;">' +
        "&quot;&gt;&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;</a>",
    );
  });

  it("lets no text through that a browser would take for markup", () => {
    const markup = /[<>"']|&(?!amp;|lt;|gt;|quot;|#39;)/;
    fc.assert(fc.property(fc.string(), (text) => !markup.test(html`${text}`.text)));
  });

  it("takes pieces, lists of pieces and numbers, and nothing for nothing", () => {
    const items = [1, 2].map((n) => html`<li>${n}</li>`);
    expect(html`${items}${undefined}${false}${trusted("<hr>")}`.text).toBe("<li>1</li><li>2</li><hr>");
  });
});

describe("prose", () => {
  it("makes code of backticks and paragraphs of empty lines, and escapes both", () => {
    expect(inline("a `<b>` & c").text).toBe("a <code>&lt;b&gt;</code> &amp; c");
    expect(paragraphs("One.\n\nTwo `x`.").text).toBe("<p>One.</p><p>Two <code>x</code>.</p>");
  });

  it("makes lists of lines with a star, which may go on in the next line", () => {
    expect(paragraphs("\nSome:\n\n* **a** <b>\n  c\n* `**d**`\n").text.replace(/\n\s*/g, " ")).toBe(
      "<p>Some:</p><ul> <li><strong>a</strong> &lt;b&gt; c</li><li><code>**d**</code></li> </ul>",
    );
  });

  it("leaves a backtick without its like alone", () => {
    expect(inline("a ` b").text).toBe("a ` b");
  });
});
