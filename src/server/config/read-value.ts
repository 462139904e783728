// Converts the text of variables and flags, and the values in the config file, to loaded values.
import { isAbsolute, join, resolve } from "node:path";
import { parseDuration, parseSize } from "../../lib/duration.ts";
import type { CatalogEntry } from "./catalog.ts";
import { checkLoaded, type ReadResult } from "./check-value.ts";
import { withoutTrailingSlashes } from "../../lib/trailing-slashes.ts";

/** The base of relative paths and of `~`. */
export interface PathBase {
  readonly folder: string;
  readonly userHome: string;
}

/** Reads the text of a variable or flag. */
export function readText(entry: CatalogEntry, text: string, base: PathBase): ReadResult {
  const { setting } = entry;
  // Text of another form is passed on unchanged, so that the check reports the expected form.
  if (setting.type === "integer" && setting.written === undefined && /^-?\d{1,15}$/.test(text)) {
    return readValue(entry, Number(text), base);
  }
  if (setting.type === "boolean" && (text === "true" || text === "false")) {
    return readValue(entry, text === "true", base);
  }
  if (setting.type !== "array") return readValue(entry, text, base);
  if (!text.trimStart().startsWith("[")) {
    if (setting.items?.type !== "string")
      return { problems: ["must be a list in JSON, such as [] or [{…}]"] };
    const items = text.split(",").map((item) => item.trim());
    return readValue(entry, items.filter(Boolean), base);
  }
  try {
    return readValue(entry, JSON.parse(text), base);
  } catch {
    // The parser's message would quote the text, which may contain access tokens.
    return { problems: ["starts with [ like a list in JSON, but is not valid JSON"] };
  }
}

/** Reads a value in the notation of the config file: `20m` for a duration, lists and numbers as they are. */
export function readValue(entry: CatalogEntry, value: unknown, base: PathBase): ReadResult {
  const { setting } = entry;
  if (setting.written === "duration" || setting.written === "size") {
    const [parse, example] = setting.written === "duration" ? [parseDuration, "20m"] : [parseSize, "10MB"];
    if (typeof value === "number") {
      return { problems: [`is a bare number: write a ${setting.written} with its unit, such as ${example}`] };
    }
    if (typeof value !== "string") {
      return { problems: [`must be a ${setting.written}, such as ${example}`] };
    }
    try {
      return checkLoaded(entry, parse(value));
    } catch (err) {
      return { problems: [err instanceof Error ? err.message : String(err)] };
    }
  }
  if (typeof value === "string" && setting.written === "path")
    return checkLoaded(entry, absolute(value, base));
  if (typeof value === "string" && setting.written === "url")
    return checkLoaded(entry, withoutTrailingSlashes(value));
  return checkLoaded(entry, value);
}

function absolute(path: string, { folder, userHome }: PathBase): string {
  if (path === "~" || path.startsWith("~/")) return join(userHome, path.slice(1));
  return isAbsolute(path) ? path : resolve(folder, path);
}
