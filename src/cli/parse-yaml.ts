// Reads YAML, and JSON with it. Loaded only by commands that need it: the parser takes longer to load than most run.
import { isAlias, isCollection, isPair, LineCounter, parseDocument, type Document } from "yaml";
import { CliError, messageOf, listProblems } from "./cli-error.ts";

export interface Yaml {
  readonly value: unknown;
  readonly document: Document;
  readonly lines: LineCounter;
}

/** Reads YAML or JSON. Throws a `CliError` with every mistake and where it is; `name` is for these. */
export function parseYaml(source: string, name: string): Yaml {
  const lines = new LineCounter();
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    // An empty file has no lines.
    return `${name}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  try {
    const document = parseDocument(source, { lineCounter: lines, merge: true, prettyErrors: false });
    const problems = [
      // A tag that nobody knows is only a warning to the parser, which then takes it for a text.
      ...[...document.errors, ...document.warnings].map(
        ({ code, message, pos }) => `${at(pos[0])}: ${inOurWords[code] ?? message}`,
      ),
      ...checkAliases(document).map(({ offset, text }) => `${at(offset)}: ${text}`),
    ];
    if (problems.length > 0) throw new CliError(listProblems([...new Set(problems)]));
    // Its aliases were counted just now, otherwise than the parser would: it refuses the hundredth use of one.
    return { value: document.toJS({ maxAliasCount: -1 }), document, lines };
  } catch (error) {
    if (error instanceof CliError) throw error;
    const why = error instanceof RangeError ? "this is nested too deeply" : messageOf(error);
    throw new CliError(`${at(0)}: ${why}`, { cause: error });
  }
}

/** For those of the parser's words that speak of the parser. */
const inOurWords: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: "another document begins here, and a file has one",
  DUPLICATE_KEY: "this key is in the same object twice",
  RESOURCE_EXHAUSTION: "this is nested too deeply",
};

/** Values of a document, those counted again that an alias repeats. A graph of 10,000 tasks has some 200,000. */
const MAX_VALUES = 5_000_000;

interface AliasProblem {
  readonly offset: number;
  readonly text: string;
}

/** Aliases that name nothing, or stand for too much. Throws a `RangeError` where it is nested too deeply. */
function checkAliases({ contents }: Document): AliasProblem[] {
  const problems: AliasProblem[] = [];
  /** How many values each anchor that is complete stands for. */
  const sizes = new Map<string, number>();
  const sizeOf = (node: unknown): number => {
    if (isAlias(node)) {
      const size = sizes.get(node.source);
      const add = (text: string): void => void problems.push({ offset: node.range?.[0] ?? 0, text });
      if (size === undefined)
        add(`*${node.source} stands for nothing: no &${node.source} is complete before it`);
      else if (size > MAX_VALUES)
        add(`*${node.source} stands for more than ${MAX_VALUES} values, which is the most`);
      return size ?? 1;
    }
    if (isPair(node)) return sizeOf(node.key) + sizeOf(node.value);
    const size = isCollection(node) ? node.items.reduce<number>((sum, item) => sum + sizeOf(item), 1) : 1;
    if (hasAnchor(node)) sizes.set(node.anchor, size);
    return size;
  };
  if (sizeOf(contents) > MAX_VALUES && problems.length === 0)
    problems.push({
      offset: 0,
      text: `the file stands for more than ${MAX_VALUES} values, which is the most`,
    });
  return problems;
}

const hasAnchor = (node: unknown): node is { readonly anchor: string } =>
  typeof node === "object" && node !== null && "anchor" in node && typeof node.anchor === "string";
