// The little Markdown that the contract's descriptions use: paragraphs, lists, bold words and code.
import { html, type Html } from "./html.ts";

/** Paragraphs and lists, parted by empty lines. */
export const paragraphs = (markdown: string): Html =>
  html`${markdown
    .trim()
    .split(/\n{2,}/)
    .map((block) => (block.startsWith("* ") ? list(block) : html`<p>${inline(block)}</p>`))}`;

const list = (block: string): Html =>
  html`<ul>
    ${block
      .slice(2)
      .split("\n* ")
      .map((item) => html`<li>${inline(item)}</li>`)}
  </ul>`;

/** Text in which backticks enclose code and two stars what is bold. */
export const inline = (markdown: string): Html =>
  html`${pieces(markdown, /`([^`]*)`/, (code) => html`<code>${code}</code>`, bold)}`;

const bold = (text: string): Html =>
  html`${pieces(
    text,
    /\*\*([^*]+)\*\*/,
    (strong) => html`<strong>${strong}</strong>`,
    (plain) => html`${plain}`,
  )}`;

/** Parts a text by a pattern with one group: every second piece is then what the group matched. */
const pieces = (
  text: string,
  by: RegExp,
  within: (piece: string) => Html,
  between: (piece: string) => Html,
) => text.split(by).map((piece, i) => (i % 2 === 1 ? within(piece) : between(piece)));
