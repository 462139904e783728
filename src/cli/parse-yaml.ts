// Parses YAML, and with it JSON. Loaded only by commands that need it: it takes longer to load than most commands take to run.
import {
  isAlias,
  isCollection,
  isPair,
  isScalar,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type ParsedNode,
  type Scalar,
} from "yaml";
import { CliError, listProblems, messageOf } from "./cli-error.ts";
import { WrittenScalar } from "./written-scalar.ts";

export interface Yaml {
  /** Keys are as written. Values other than strings are `WrittenScalar`s; `plainValue` converts them. */
  readonly value: unknown;
  readonly document: Document;
  readonly lines: LineCounter;
}

/** Parses YAML or JSON. Throws a `CliError` that lists every problem with its position in the file `name`. */
export function parseYaml(source: string, name: string): Yaml {
  const lines = new LineCounter();
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    // An empty file has no lines.
    return `${name}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  try {
    const document = parseDocument(source, {
      lineCounter: lines,
      merge: true,
      prettyErrors: false,
      uniqueKeys: (a, b) => isScalar(a) && isScalar(b) && keyText(a) === keyText(b),
    });
    const problems = [
      // The parser only warns of an unknown tag, and parses its value as a string.
      ...[...document.errors, ...document.warnings].map(
        ({ code, message, pos }) => `${at(pos[0])}: ${ownMessages[code] ?? message}`,
      ),
      ...checkAliases(document).map(({ offset, text }) => `${at(offset)}: ${text}`),
    ];
    // oxlint-disable-next-line messages/next-step -- each problem names its place, and most what would be right
    if (problems.length > 0) throw new CliError(listProblems([...new Set(problems)]));
    keepText(document);
    // checkAliases has limited the aliases. The parser's own limit would refuse the hundredth use of an anchor.
    return { value: document.toJS({ maxAliasCount: -1 }), document, lines };
  } catch (error) {
    if (error instanceof CliError) throw error;
    const why = error instanceof RangeError ? "nested too deeply" : messageOf(error);
    throw new CliError(`${at(0)}: ${why}. The file must be YAML or JSON.`, { cause: error });
  }
}

/** Replaces the values of scalars, so that their text remains known wherever aliases and merges repeat them. */
function keepText(document: Document<ParsedNode>): void {
  visit(document, {
    Scalar(at, node) {
      if (typeof node.value === "string") return;
      if (at === "key") node.value = keyText(node);
      // Objects are those of explicit tags, such as !!binary. Times have a text.
      else if (typeof node.value !== "object" || node.value === null || node.value instanceof Date)
        node.value = new WrittenScalar(node.value, node.source ?? "");
    },
  });
}

const keyText = (key: Scalar): unknown =>
  typeof key.value === "symbol" ? key.value : (key.source ?? key.value);

/** Messages that replace those that describe the parser rather than the file. */
const ownMessages: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: "a second document starts here; the file must contain only one",
  DUPLICATE_KEY: "duplicate key: the object has this key already",
  RESOURCE_EXHAUSTION: "nested too deeply",
};

/** Maximum number of values in a document, including repetitions by aliases. A graph of 10,000 tasks has about 200,000. */
const MAX_VALUES = 5_000_000;

interface AliasProblem {
  readonly offset: number;
  readonly text: string;
}

/** Finds aliases that are undefined or expand to too many values. Throws a `RangeError` if nested too deeply. */
function checkAliases({ contents }: Document): AliasProblem[] {
  const problems: AliasProblem[] = [];
  /** Number of values of each anchor that is complete. */
  const sizes = new Map<string, number>();
  const sizeOf = (node: unknown): number => {
    if (isAlias(node)) {
      const size = sizes.get(node.source);
      const add = (text: string): void => void problems.push({ offset: node.range?.[0] ?? 0, text });
      if (size === undefined) add(`*${node.source} is undefined: no anchor &${node.source} ends before it`);
      else if (size > MAX_VALUES) add(`*${node.source} expands to more than ${MAX_VALUES} values`);
      return size ?? 1;
    }
    if (isPair(node)) return sizeOf(node.key) + sizeOf(node.value);
    const size = isCollection(node) ? node.items.reduce<number>((sum, item) => sum + sizeOf(item), 1) : 1;
    if (hasAnchor(node)) sizes.set(node.anchor, size);
    return size;
  };
  if (sizeOf(contents) > MAX_VALUES && problems.length === 0)
    problems.push({ offset: 0, text: `the file expands to more than ${MAX_VALUES} values` });
  return problems;
}

const hasAnchor = (node: unknown): node is { readonly anchor: string } =>
  typeof node === "object" && node !== null && "anchor" in node && typeof node.anchor === "string";
