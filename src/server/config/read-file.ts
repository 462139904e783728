// Reads the settings in the config file with their line numbers.
import { readFileSync } from "node:fs";
import { isMap, isNode, isScalar, LineCounter, type Pair, parseDocument, type YAMLMap } from "yaml";
import { didYouMean } from "../../lib/did-you-mean.ts";
import { catalog, type CatalogEntry, sections } from "./catalog.ts";
import type { ConfigProblem } from "../core/config/problem.ts";

/** The name of config files. */
export const configFileName = "taskyard.yml";

export interface FileSetting {
  readonly entry: CatalogEntry;
  readonly value: unknown;
  readonly origin: string;
}

export interface FileContent {
  readonly settings: readonly FileSetting[];
  readonly problems: readonly ConfigProblem[];
}

/** Returns the content of the file, or undefined if it does not exist. Reports other read errors as problems. */
export function readConfigFile(path: string): FileContent | undefined {
  try {
    return parseConfigFile(readFileSync(path, "utf8"), path);
  } catch (err) {
    if (!(err instanceof Error)) throw err;
    // If the home folder is a file, that is reported when it is used.
    if ("code" in err && (err.code === "ENOENT" || err.code === "ENOTDIR")) return undefined;
    return {
      settings: [],
      problems: [
        {
          key: "config file",
          origin: path,
          problem: `cannot be read: ${err.message}: change its permissions, or name another file`,
        },
      ],
    };
  }
}

function parseConfigFile(text: string, path: string): FileContent {
  const lines = new LineCounter();
  // Pretty errors would quote the surrounding lines, which may contain secrets.
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number | undefined): string =>
    offset === undefined ? path : `${path} line ${lines.linePos(offset).line}`;
  if (doc.errors.length > 0) {
    const problems = doc.errors.map((error) => ({
      key: "config file",
      origin: at(error.pos[0]),
      problem: `is not valid YAML: ${error.message}: correct the file`,
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
          problem: "must contain sections with keys, such as server: {port: 8080}",
        },
      ],
    };
  }

  const settings: FileSetting[] = [];
  const problems: ConfigProblem[] = [];

  /** Adds the members of the root or of a section. */
  function addMembers(map: YAMLMap, section: string): void {
    for (const pair of map.items) {
      const name = nameOf(pair);
      const key = section === "" ? name : `${section}.${name}`;
      const origin = at(offsetOf(pair));
      const entry = catalog.get(key);
      if (entry !== undefined) {
        const value: unknown = toValue(pair.value, doc);
        // A key without a value reads as null and means the default.
        if (value !== null) settings.push({ entry, value, origin });
      } else if (section === "" && sections.has(name)) {
        if (isMap(pair.value)) addMembers(pair.value, name);
        else if (toValue(pair.value, doc) !== null) {
          problems.push({ key, origin, problem: "is a section: indent its keys below it" });
        }
      } else {
        problems.push({ key, origin, problem: unknownKey(key) });
      }
    }
  }

  addMembers(doc.contents, "");
  return { settings, problems };
}

function unknownKey(key: string): string {
  const name = key.slice(key.indexOf(".") + 1);
  const sameName = [...catalog.values()].find((entry) => entry.name === name)?.key;
  const meant = sameName ?? didYouMean(key, [...catalog.keys(), ...sections.keys()]);
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
