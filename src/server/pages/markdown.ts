// Renders the subset of Markdown that the contract's descriptions use: paragraphs, lists, bold text and code.
import { html, type Html } from "./html.ts";

/** Renders paragraphs and lists, which are separated by empty lines. */
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

/** Renders text in which backticks enclose code and double stars enclose bold text. */
export const inline = (markdown: string): Html =>
  html`${pieces(markdown, /`([^`]*)`/, (code) => html`<code>${code}</code>`, bold)}`;

const bold = (text: string): Html =>
  html`${pieces(
    text,
    /\*\*([^*]+)\*\*/,
    (strong) => html`<strong>${strong}</strong>`,
    (plain) => html`${plain}`,
  )}`;

/** Splits a text by a pattern with one group. Every second piece is a match of the group. */
const pieces = (
  text: string,
  pattern: RegExp,
  renderMatch: (piece: string) => Html,
  renderRest: (piece: string) => Html,
) => text.split(pattern).map((piece, i) => (i % 2 === 1 ? renderMatch(piece) : renderRest(piece)));
