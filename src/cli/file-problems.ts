// Collects the problems in a file, each with its line and column, to report them together.
import { isMap, isNode, isScalar, type Document, type LineCounter } from "yaml";
import { CliError, listProblems } from "./cli-error.ts";

export type FilePath = readonly (string | number)[];

export interface FileProblems {
  /** Returns the position of a path, or of the part of it that exists: `graph.yml:3:5`. */
  positionOf(path: FilePath): string;
  /** Returns the path of which the fewest parts are missing in the file, or the first of several. */
  closest(paths: readonly [FilePath, ...FilePath[]]): FilePath;
  add(path: FilePath, text: string): void;
  /** Throws a `CliError` that lists the problems, if there are any. */
  throwIfAny(): void;
}

export function fileProblems(file: string, document: Document, lines: LineCounter): FileProblems {
  const problems: string[] = [];
  const positionOf = (path: FilePath): string => {
    const offset = offsetOf(document, path);
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  return {
    positionOf,
    closest: ([first, ...others]) =>
      others.reduce(
        (best, path) => (missingParts(document, path) < missingParts(document, best) ? path : best),
        first,
      ),
    add: (path, text) => void problems.push(`${positionOf(path)}: ${text}`),
    throwIfAny() {
      // oxlint-disable-next-line messages/next-step -- each problem states what would be right
      if (problems.length > 0) throw new CliError(listProblems(problems));
    },
  };
}

function missingParts(document: Document, path: FilePath): number {
  let missing = 0;
  while (missing < path.length && !document.hasIn(path.slice(0, path.length - missing))) missing++;
  return missing;
}

/** Returns the offset of the key of a value, or else of the value, or else of its closest parent that exists. */
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
