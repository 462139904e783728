// Reads the config file into settings with the line that each stands on.
import { readFileSync } from "node:fs";
import { isMap, isNode, isScalar, LineCounter, type Pair, parseDocument, type YAMLMap } from "yaml";
import { didYouMean } from "../../lib/did-you-mean.ts";
import { catalogue, type CatalogueEntry, sections } from "./catalogue.ts";
import type { ConfigProblem } from "../core/config/problem.ts";

/** The name under which config files are looked for. */
export const configFileName = "taskyard.yml";

export interface FileSetting {
  readonly entry: CatalogueEntry;
  readonly value: unknown;
  readonly origin: string;
}

export interface FileContent {
  readonly settings: readonly FileSetting[];
  readonly problems: readonly ConfigProblem[];
}

/** The content of the file, or undefined where there is none. Other trouble with reading it is a problem. */
export function readConfigFile(path: string): FileContent | undefined {
  try {
    return parseConfigFile(readFileSync(path, "utf8"), path);
  } catch (err) {
    if (!(err instanceof Error)) throw err;
    if ("code" in err && err.code === "ENOENT") return undefined;
    return {
      settings: [],
      problems: [{ key: "config file", origin: path, problem: `cannot be read: ${err.message}` }],
    };
  }
}

function parseConfigFile(text: string, path: string): FileContent {
  const lines = new LineCounter();
  // Pretty errors would quote the lines around, and those may hold secrets.
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number | undefined): string =>
    offset === undefined ? path : `${path} line ${lines.linePos(offset).line}`;
  if (doc.errors.length > 0) {
    const problems = doc.errors.map((error) => ({
      key: "config file",
      origin: at(error.pos[0]),
      problem: `is not valid YAML: ${error.message}`,
    }));
    return { settings: [], problems };
  }
  if (doc.contents === null || (isScalar(doc.contents) && doc.contents.value === null)) {
    return { settings: [], problems: [] };
  }
  if (!isMap(doc.contents)) {
    return {
      settings: [],
      problems: [
        {
          key: "config file",
          origin: path,
          problem: "must be sections with keys, such as server: {port: 8080}",
        },
      ],
    };
  }

  const settings: FileSetting[] = [];
  const problems: ConfigProblem[] = [];

  /** Takes the members of the root or of a section. */
  function take(map: YAMLMap, section: string): void {
    for (const pair of map.items) {
      const name = nameOf(pair);
      const key = section === "" ? name : `${section}.${name}`;
      const origin = at(offsetOf(pair));
      const entry = catalogue.get(key);
      if (entry !== undefined) {
        const value: unknown = toValue(pair.value, doc);
        // An empty value reads as null: a key whose value was taken out means its default.
        if (value !== null) settings.push({ entry, value, origin });
      } else if (section === "" && sections.has(name)) {
        if (isMap(pair.value)) take(pair.value, name);
        else if (toValue(pair.value, doc) !== null) {
          problems.push({ key, origin, problem: "is a section: its keys stand indented below it" });
        }
      } else {
        problems.push({ key, origin, problem: unknownKey(key) });
      }
    }
  }

  take(doc.contents, "");
  return { settings, problems };
}

function unknownKey(key: string): string {
  const name = key.slice(key.indexOf(".") + 1);
  const sameName = [...catalogue.values()].find((entry) => entry.name === name)?.key;
  const meant = sameName ?? didYouMean(key, [...catalogue.keys(), ...sections.keys()]);
  return meant === undefined ? "is not a known setting" : `is not a known setting; did you mean ${meant}?`;
}

function nameOf({ key }: Pair): string {
  return String(isScalar(key) ? key.value : key);
}

function offsetOf({ key }: Pair): number | undefined {
  return isScalar(key) ? key.range?.[0] : undefined;
}

function toValue(node: unknown, doc: ReturnType<typeof parseDocument>): unknown {
  return isNode(node) ? node.toJS(doc) : node;
}
