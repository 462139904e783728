// Renders the scopes that a method requires as a nested list.
import type { ScopeTemplate, ScopeTemplatePart } from "../../lib/scopes/template.ts";
import { html, type Html } from "./html.ts";

export const renderScopes = (scopes: ScopeTemplate): Html =>
  html`<ul>
    ${renderPart(scopes)}
  </ul>`;

function renderPart(part: ScopeTemplatePart): Html {
  if (typeof part === "string") return html`<li><code>${part}</code></li>`;
  if ("AllOf" in part) return nested(html`all of`, part.AllOf);
  if ("AnyOf" in part) return nested(html`one of`, part.AnyOf);
  if ("for" in part)
    return html`<li>
      <code>${part.each}</code> for each <code>${part.for}</code> of <code>${part.in}</code>
    </li>`;
  const then = nested(html`if <code>${part.if}</code>`, [part.then]);
  return part.else === undefined ? then : html`${then}${nested(html`otherwise`, [part.else])}`;
}

const nested = (heading: Html, parts: readonly ScopeTemplatePart[]): Html =>
  html`<li>
    ${heading}
    <ul>
      ${parts.map(renderPart)}
    </ul>
  </li>`;
