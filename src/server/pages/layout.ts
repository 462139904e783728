// The layout that all pages share: head, masthead, and HTTP headers.
import { createHash } from "node:crypto";
import { html, trusted, type Html } from "./html.ts";
import { stylesheet } from "./stylesheet.ts";

export interface PageParts {
  readonly title: string;
  /** Makes room for a table of contents beside the text. */
  readonly wide?: boolean;
  /** Whether the server refuses metrics to readers of the page. */
  readonly isClosed: boolean;
  readonly body: Html;
}

/** Returns a whole page as text. */
export const renderPage = ({ title, wide = false, isClosed, body }: PageParts): string =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <link rel="icon" href="data:image/svg+xml,${encodeURIComponent(logo("#0a6b50").text)}" />
        ${styleElement}
      </head>
      <body class="${wide ? "wide" : "narrow"}">
        <header class="masthead">
          <a href="/">${logo("currentcolor")}<strong>Taskyard</strong></a>
          <nav>
            <a href="/docs/api">API</a><a href="/references/manifest.json">References</a>${
              !isClosed && html`<a href="/metrics">Metrics</a>`
            }
          </nav>
        </header>
        ${body}
      </body>
    </html> `.text;

/** Draws one task and two that depend on it. */
const logo = (color: string): Html =>
  html`<svg
    xmlns="http://www.w3.org/2000/svg"
    viewBox="0 0 24 24"
    fill="none"
    stroke="${color}"
    stroke-width="2"
    aria-hidden="true"
  >
    <rect x="3" y="3" width="7" height="7" rx="1.5" fill="${color}" />
    <rect x="14" y="9" width="7" height="7" rx="1.5" />
    <rect x="3" y="14" width="7" height="7" rx="1.5" />
    <path d="M10 6.5h5.5a2 2 0 0 1 2 2M10 17.5h5.5a2 2 0 0 0 2-2" />
  </svg>`;

// Without whitespace around the stylesheet: the hash covers all characters between the tags.
const styleElement = trusted(`<style>${stylesheet}</style>`);
const styleHash = createHash("sha256").update(stylesheet).digest("base64");

/** Loads and runs nothing: a page is text, one stylesheet allowed by its hash, and an icon. */
export const pageHeaders = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": `default-src 'none'; style-src 'sha256-${styleHash}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  "referrer-policy": "no-referrer",
} as const;
