// Parses JSON with one very long list element by element. JSON.parse of 30 MB takes 250 ms, which would block all other
// requests.
import { ApiError } from "../../../lib/errors.ts";
import { startTimeSlice, type TimeSlice } from "../time-slice.ts";
import { endOfString } from "./nesting.ts";

/** A list that is parsed element by element. */
export interface LongListLimits {
  readonly name: string;
  /** The maximum number of elements. */
  readonly elements: number;
  /** The maximum length of an element, and of anything else in the body, in characters. It is parsed in one call. */
  readonly elementLength: number;
}

/**
 * Returns the value of `text`, an object with the list. `parse` is called with the text of each element and of the rest, and
 * with its place in the body. Accepts exactly what JSON.parse accepts, except objects that have the list twice or with escapes
 * in its name, which are refused.
 */
export async function parseLongList(
  text: string,
  limits: LongListLimits,
  parse: (text: string, place: string) => unknown,
): Promise<unknown> {
  const { name, elementLength } = limits;
  const slice = startTimeSlice();
  const list = await findList(text, limits, slice);
  if (!list)
    throw malformed(
      `a body of this size must be an object with the list ${name}, given once, and no other member of more than ${elementLength} characters`,
    );
  // The text around the list, with an empty list in its place.
  const value = parse(`${text.slice(0, list.from)}${text.slice(list.to)}`, "");
  const elements: unknown[] = [];
  for (const [i, [from, to]] of list.spans.entries()) {
    elements.push(parse(text.slice(from, to), `${name}[${i}]`));
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
async function findList(text: string, limits: LongListLimits, slice: TimeSlice): Promise<List | undefined> {
  const { name, elementLength } = limits;
  const key = JSON.stringify(name);
  let found: List | undefined;
  let at = skipSpace(text, 0);
  if (text[at] !== "{") return undefined;
  do {
    const begin = skipSpace(text, at + 1);
    const colon = skipSpace(text, endOfValue(text, begin, elementLength));
    if (text[colon] !== ":") return undefined;
    const value = skipSpace(text, colon + 1);
    if (text.slice(begin, colon).trim() !== key) at = endOfValue(text, value, elementLength);
    else {
      if (found || text[value] !== "[") return undefined;
      found = await readList(text, value, limits, slice);
      at = found.to + 1;
    }
    at = skipSpace(text, at);
    if (slice.isOver()) await slice.next();
  } while (text[at] === ",");
  return found;
}

async function readList(
  text: string,
  bracket: number,
  { name, elements, elementLength }: LongListLimits,
  slice: TimeSlice,
): Promise<List> {
  const spans: [number, number][] = [];
  const first = skipSpace(text, bracket + 1);
  if (text[first] === "]") return { from: bracket + 1, to: first, spans };
  let at = bracket;
  do {
    const from = at + 1;
    if (spans.length >= elements) throw tooLarge(`${name} has more than ${elements} elements`);
    const end = endOfValue(text, skipSpace(text, from), elementLength);
    if (end - from > elementLength)
      throw tooLarge(`${name}[${spans.length}] has more than ${elementLength} characters`);
    at = skipSpace(text, end);
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

/**
 * Returns the end of the value that starts at `from`, by counting brackets outside of strings. Stops after `most` characters,
 * since a longer value is refused.
 */
function endOfValue(text: string, from: number, most: number): number {
  let depth = 0;
  const end = Math.min(text.length, from + most + 1);
  for (let i = from; i < end; i++) {
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
  return end;
}

// Bounded: no JSON that a program wrote has more, and a body of nothing else would take 0.2 s.
const space = /[ \t\r\n]{0,10000}/y;
function skipSpace(text: string, from: number): number {
  space.lastIndex = from;
  space.exec(text);
  return space.lastIndex;
}

// oxlint-disable-next-line messages/next-step -- the callers of this function name the limit
const tooLarge = (what: string): ApiError => new ApiError("InputTooLarge", `${what}, which is the maximum.`);

const malformed = (what: string): ApiError =>
  new ApiError("MalformedPayload", `Failed to parse JSON: ${what}. The body must be JSON.`);
