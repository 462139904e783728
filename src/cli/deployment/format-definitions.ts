// Formats definitions as a file of a deployment folder. The same definitions always have the same text.
import { Document, Scalar, visit } from "yaml";
import type { Definition, Kind } from "./kind.ts";

/** Returns the YAML of the definitions of a kind, ordered by id. */
export function formatDefinitions(kind: Kind, definitions: ReadonlyMap<string, Definition>): string {
  const sorted = [...definitions].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const section = new Map(sorted.map(([id, definition]) => [id, kind.compact(definition)]));
  const document = new Document(new Map([[kind.name, section]]));
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value === "string" && needsQuotes(node.value)) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  // Unlimited: folded lines change whole paragraphs in diffs when a word changes.
  return document.toString({ lineWidth: 0 });
}

/**
 * Reports whether a text would be read as another one without quotes. As a key, plain `<<` merges another object. Blocks lose
 * spaces at the start of the text and at the ends of lines, and line ends other than line feeds.
 */
const needsQuotes = (text: string): boolean =>
  text === "<<" ||
  /[^\P{Cc}\n]|[\u2028\u2029\ufeff]/u.test(text) ||
  (text.includes("\n") && /^\s|[^\S\n]$/m.test(text));
