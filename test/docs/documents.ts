// The Markdown files of the repository.
import { readdirSync, readFileSync } from "node:fs";
import { readMarkdown, type Markdown } from "./read-markdown.ts";

export interface Document extends Markdown {
  /** The path from the root of the repository. */
  readonly path: string;
}

export const readDocument = (path: string): Document => {
  try {
    return { path, ...readMarkdown(readFileSync(path, "utf8")) };
  } catch (error) {
    throw new Error(`${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
};

/** All Markdown files, sorted by path. */
export const documents: readonly Document[] = [
  ...markdownIn(".", false),
  ...["bench", "docs", "examples", "src"].flatMap((folder) => markdownIn(folder, true)),
]
  .sort()
  .map(readDocument);

function markdownIn(folder: string, recursive: boolean): string[] {
  return readdirSync(folder, { recursive, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
    .map((entry) => `${entry.parentPath}/${entry.name}`.replace(/^\.\//, ""));
}
