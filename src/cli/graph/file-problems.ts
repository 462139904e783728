// Mistakes in a file, all of them at once, each with its line and column.
import { isMap, isNode, isScalar, type Document, type LineCounter } from "yaml";
import { CliError, listProblems } from "../cli-error.ts";

export type FilePath = readonly (string | number)[];

export interface FileProblems {
  /** Where a path, or what is there of it, is written: `graph.yml:3:5`. */
  place(path: FilePath): string;
  add(path: FilePath, text: string): void;
  /** Throws what was added, if anything was. */
  throwAny(): void;
}

export function fileProblems(file: string, document: Document, lines: LineCounter): FileProblems {
  const problems: string[] = [];
  const place = (path: FilePath): string => {
    const offset = offsetOf(document, path);
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  return {
    place,
    add: (path, text) => void problems.push(`${place(path)}: ${text}`),
    throwAny() {
      if (problems.length > 0) throw new CliError(listProblems(problems));
    },
  };
}

/** The key that leads to a value, else the value, else those of what it would stand in. */
function offsetOf(document: Document, path: FilePath): number {
  for (let length = path.length; length > 0; length--) {
    const last = path[length - 1];
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    if (isMap(parent)) {
      const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(last));
      if (pair && isNode(pair.key) && pair.key.range) return pair.key.range[0];
    }
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}
