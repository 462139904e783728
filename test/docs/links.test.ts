import { existsSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { documents, type Document } from "./documents.ts";

const isRelative = (target: string): boolean => !/^[a-z][a-z0-9+.-]*:/i.test(target);

const byPath = new Map(documents.map((document) => [document.path, document]));

/** Returns what is wrong with a link, or undefined. */
function problemOf(document: Document, target: string): string | undefined {
  const [file = "", anchor] = target.split("#", 2);
  const destination = file === "" ? document.path : path.join(path.dirname(document.path), decodeURI(file));
  if (destination.startsWith("..")) return "is outside of the repository";
  if (!existsSync(destination)) return "does not exist";
  if (anchor === undefined) return undefined;
  const headings = byPath.get(destination)?.anchors;
  if (headings === undefined) return "has an anchor, but is no document";
  return headings.has(anchor) ? undefined : "has no such heading";
}

test("every relative link leads to a file, and every anchor to a heading", () => {
  const links = documents.flatMap((document) =>
    document.links.filter(({ text }) => isRelative(text)).map((link) => ({ document, ...link })),
  );
  // Would fail if links were no longer found.
  expect(links.length).toBeGreaterThan(50);
  const broken = links.flatMap(({ document, text, line }) => {
    const problem = problemOf(document, text);
    return problem === undefined ? [] : [`${document.path}:${line}: ${text} ${problem}`];
  });
  expect(broken).toEqual([]);
});
