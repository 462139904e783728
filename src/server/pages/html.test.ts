import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { html, trusted } from "./html.ts";
import { inline, paragraphs } from "./markdown.ts";

describe("html", () => {
  it("escapes characters that could end a text or an attribute", () => {
    const evil = `"><script>alert('&')</script>`;
    expect(html`<a href="${evil}">${evil}</a>`.text).toBe(
      '<a href="&quot;&gt;&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;">' +
        "&quot;&gt;&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;</a>",
    );
  });

  it("never emits text that a browser would parse as markup", () => {
    const markup = /[<>"']|&(?!amp;|lt;|gt;|quot;|#39;)/;
    fc.assert(fc.property(fc.string(), (text) => !markup.test(html`${text}`.text)));
  });

  it("accepts pieces, lists of pieces, numbers, and undefined or false for nothing", () => {
    const items = [1, 2].map((n) => html`<li>${n}</li>`);
    expect(html`${items}${undefined}${false}${trusted("<hr>")}`.text).toBe("<li>1</li><li>2</li><hr>");
  });
});

describe("markdown", () => {
  it("renders code between backticks and paragraphs between empty lines, and escapes both", () => {
    expect(inline("a `<b>` & c").text).toBe("a <code>&lt;b&gt;</code> &amp; c");
    expect(paragraphs("One.\n\nTwo `x`.").text).toBe("<p>One.</p><p>Two <code>x</code>.</p>");
  });

  it("renders lines with a star as lists, including items of several lines", () => {
    expect(paragraphs("\nSome:\n\n* **a** <b>\n  c\n* `**d**`\n").text.replace(/\n\s*/g, " ")).toBe(
      "<p>Some:</p><ul> <li><strong>a</strong> &lt;b&gt; c</li><li><code>**d**</code></li> </ul>",
    );
  });

  it("leaves an unpaired backtick as it is", () => {
    expect(inline("a ` b").text).toBe("a ` b");
  });
});
