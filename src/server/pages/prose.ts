// The little Markdown that the contract's descriptions use: paragraphs and code.
import { html, type Html } from "./html.ts";

/** Paragraphs, parted by empty lines. */
export const paragraphs = (markdown: string): Html =>
  html`${markdown.split(/\n{2,}/).map((text) => html`<p>${inline(text)}</p>`)}`;

/** Text in which backticks enclose code. */
export const inline = (markdown: string): Html =>
  // With a group in the pattern, every second piece is what stood between backticks.
  html`${markdown.split(/`([^`]*)`/).map((piece, i) => (i % 2 === 1 ? html`<code>${piece}</code>` : piece))}`;
