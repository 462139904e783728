// From what people write to what the server uses: the text of variables and flags, and values of the file.
import { isAbsolute, join, resolve } from "node:path";
import { parseDuration, parseSize } from "../../lib/duration.ts";
import type { CatalogueEntry } from "./catalogue.ts";
import { checkLoaded, type Read } from "./check-value.ts";

/** Where relative paths and `~` lead. */
export interface PathBase {
  readonly folder: string;
  readonly userHome: string;
}

/** Reads the text of a variable or flag. */
export function readText(entry: CatalogueEntry, text: string, base: PathBase): Read {
  const { setting } = entry;
  // What is not of the right form is handed on as text: the check then says what it should have been.
  if (setting.type === "integer" && setting.written === undefined && /^-?\d{1,15}$/.test(text)) {
    return readWritten(entry, Number(text), base);
  }
  if (setting.type === "boolean" && (text === "true" || text === "false")) {
    return readWritten(entry, text === "true", base);
  }
  if (setting.type !== "array") return readWritten(entry, text, base);
  if (!text.trimStart().startsWith("[")) {
    if (setting.items?.type !== "string")
      return { problems: ["must be a list in JSON, such as [] or [{…}]"] };
    const items = text.split(",").map((item) => item.trim());
    return readWritten(entry, items.filter(Boolean), base);
  }
  try {
    return readWritten(entry, JSON.parse(text), base);
  } catch {
    // The parser's own message quotes the text, which may hold access tokens.
    return { problems: ["starts with [ and so must be a list in JSON, but it is not valid JSON"] };
  }
}

/** Reads a value as the file has it: `20m` for a duration, lists and numbers as they are. */
export function readWritten(entry: CatalogueEntry, value: unknown, base: PathBase): Read {
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
    return checkLoaded(entry, value.replace(/\/+$/, ""));
  return checkLoaded(entry, value);
}

function absolute(path: string, { folder, userHome }: PathBase): string {
  if (path === "~" || path.startsWith("~/")) return join(userHome, path.slice(1));
  return isAbsolute(path) ? path : resolve(folder, path);
}
