// Parses JSON with one very long list element by element. JSON.parse of 30 MB takes 250 ms, which would block all other
// requests.
import { ApiError } from "../../../lib/errors.ts";
import { startTimeSlice, type TimeSlice } from "../time-slice.ts";
import { endOfString } from "./nesting.ts";

/** An element is parsed in one call, so it must not be large itself. */
const MAX_ELEMENT_LENGTH = 10 * 2 ** 20;

/**
 * Returns the value of `text`, an object with the list `name`. `check` is called with the text of each element and of
 * the rest, and may throw. Accepts exactly what JSON.parse accepts, except objects that have the list twice or with
 * escapes in its name, which are refused.
 */
export async function parseLongList(
  text: string,
  name: string,
  check: (text: string) => void,
): Promise<unknown> {
  const slice = startTimeSlice();
  const list = await findList(text, name, slice);
  if (!list) throw malformed(`a body of this size must be an object with the list ${name}, given once`);
  // JSON.parse gets the text around the list, with an empty list in its place.
  const rest = `${text.slice(0, list.from)}${text.slice(list.to)}`;
  check(rest);
  const value = parse(rest, "");
  const elements: unknown[] = [];
  for (const [i, [from, to]] of list.spans.entries()) {
    if (to - from > MAX_ELEMENT_LENGTH)
      throw new ApiError(
        "InputTooLarge",
        `${name}[${i}] has ${to - from} characters; the limit is ${MAX_ELEMENT_LENGTH}.`,
      );
    const element = text.slice(from, to);
    check(element);
    elements.push(parse(element, `${name}[${i}]: `));
    if (slice.isOver()) await slice.next();
  }
  return { ...(value as object), [name]: elements };
}

interface List {
  /** The positions after the opening bracket and of the closing one. */
  readonly from: number;
  readonly to: number;
  /** The positions of the elements. */
  readonly spans: readonly (readonly [from: number, to: number])[];
}

/** Finds the list among the members of the outermost object. Leaves syntax errors elsewhere to JSON.parse. */
async function findList(text: string, name: string, slice: TimeSlice): Promise<List | undefined> {
  const key = JSON.stringify(name);
  let found: List | undefined;
  let at = skipSpace(text, 0);
  if (text[at] !== "{") return undefined;
  do {
    const begin = skipSpace(text, at + 1);
    const colon = skipSpace(text, endOfValue(text, begin));
    if (text[colon] !== ":") return undefined;
    const value = skipSpace(text, colon + 1);
    if (text.slice(begin, colon).trim() !== key) at = endOfValue(text, value);
    else {
      if (found || text[value] !== "[") return undefined;
      found = await readList(text, value, slice);
      at = found.to + 1;
    }
    at = skipSpace(text, at);
  } while (text[at] === ",");
  return found;
}

async function readList(text: string, bracket: number, slice: TimeSlice): Promise<List> {
  const spans: [number, number][] = [];
  const first = skipSpace(text, bracket + 1);
  if (text[first] === "]") return { from: bracket + 1, to: first, spans };
  let at = bracket;
  do {
    const from = at + 1;
    at = skipSpace(text, endOfValue(text, skipSpace(text, from)));
    spans.push([from, at]);
    if (slice.isOver()) await slice.next();
  } while (text[at] === ",");
  if (text[at] !== "]")
    throw malformed(`Expected ',' or ']' after element ${spans.length - 1} of the list, at position ${at}`);
  return { from: bracket + 1, to: at, spans };
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/** Returns the end of the value that starts at `from`, by counting brackets outside of strings. */
function endOfValue(text: string, from: number): number {
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      i = endOfString(text, i);
      if (depth === 0) return i + 1;
    } else if (OPENING.has(code)) depth++;
    else if (CLOSING.has(code)) {
      if (depth <= 1) return depth === 0 ? i : i + 1;
      depth--;
    } else if (depth === 0 && (code === COMMA || code === COLON)) return i;
  }
  return text.length;
}

const space = /[ \t\r\n]*/y;
function skipSpace(text: string, from: number): number {
  space.lastIndex = from;
  space.exec(text);
  return space.lastIndex;
}

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (err) {
    throw malformed(`${where}${(err as Error).message}`);
  }
}

const malformed = (what: string): ApiError =>
  new ApiError("MalformedPayload", `Failed to parse JSON: ${what}`);
