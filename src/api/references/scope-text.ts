// The required scopes of a method as text.
import type { ScopeTemplate, ScopeTemplatePart } from "../../lib/scopes/template.ts";

/** Renders a template as a nested Markdown list. A single scope is a list of one. */
export function scopesAsMarkdown(template: ScopeTemplate): string {
  return lines(template, 0).join("\n");
}

function lines(part: ScopeTemplatePart, depth: number): string[] {
  const item = (text: string): string => `${"  ".repeat(depth)}* ${text}`;
  const nested = (heading: string, parts: readonly ScopeTemplatePart[]): string[] => [
    item(heading),
    ...parts.flatMap((inner) => lines(inner, depth + 1)),
  ];
  if (typeof part === "string") return [item(`\`${part}\``)];
  if ("AllOf" in part) return nested("all of", part.AllOf);
  if ("AnyOf" in part) return nested("one of", part.AnyOf);
  if ("for" in part) return [item(`\`${part.each}\` for each \`${part.for}\` of \`${part.in}\``)];
  return [
    ...nested(`if \`${part.if}\``, [part.then]),
    ...(part.else === undefined ? [] : nested("otherwise", [part.else])),
  ];
}
