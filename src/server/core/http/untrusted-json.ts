// Parses JSON of callers. Refuses what is expensive to process, and numbers that would be stored as null.
import { ApiError } from "../../../lib/errors.ts";
import { shapeOf } from "./nesting.ts";

/** Deeper JSON is refused: at some thousand levels, serializing it for a reply or error would overflow the stack. */
const MAX_DEPTH = 500;

/**
 * JSON with more values and names is refused, since they determine the time of parsing and checking: a megabyte of `{},{},…`
 * takes as long as 50 MB of text. This many take 10 ms to parse. They are as many as the longest list of ids in a megabyte.
 */
const MAX_VALUES = 50_000;

/**
 * Returns the value of `text`, which is at `place` in the body: empty for all of it. `admit` is called with the number of
 * values and names before they are parsed, and may throw. Errors quote the text near a fault only if `mayQuote`.
 */
export function parseUntrusted(
  text: string,
  place: string,
  admit: (values: number) => void,
  mayQuote = true,
): unknown {
  const { depth, values, mayOverflow } = shapeOf(text);
  if (depth > MAX_DEPTH)
    throw new ApiError(
      "MalformedPayload",
      `Failed to parse JSON: it is nested deeper than the limit of ${MAX_DEPTH} levels`,
    );
  if (values > MAX_VALUES) throw tooManyValues(MAX_VALUES);
  admit(values);
  const value = parse(text, place, mayQuote);
  // Only then, since a walk through the value costs as much as parsing it.
  if (mayOverflow) refuseInfinity(value, place);
  return value;
}

export const tooManyValues = (limit: number): ApiError =>
  new ApiError(
    "InputTooLarge",
    `The JSON has more than ${limit} values and names of members, which is the maximum. Split the request.`,
  );

function parse(text: string, place: string, mayQuote: boolean): unknown {
  try {
    return JSON.parse(text);
  } catch (err) {
    const reason = `${place === "" ? "" : `${place}: `}${mayQuote ? (err as Error).message : "the syntax is wrong"}`;
    throw new ApiError("MalformedPayload", `Failed to parse JSON: ${reason}. The body must be JSON.`);
  }
}

/** Refuses numbers beyond the range of doubles, such as 1e400. */
function refuseInfinity(value: unknown, place: string): void {
  const path = pathToInfinity(value);
  if (path === undefined) return;
  throw new ApiError(
    "MalformedPayload",
    `The number at ${`${place}${path}` || "the top"} is too large: numbers have at most 308 digits before the decimal point. ` +
      "Send it as a string.",
  );
}

/** The depth is limited, see `parseUntrusted`. */
function pathToInfinity(value: unknown): string | undefined {
  if (value === Infinity || value === -Infinity) return "";
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, member] of Object.entries(value)) {
    const path = pathToInfinity(member);
    if (path !== undefined) return `${Array.isArray(value) ? `[${name}]` : `.${name}`}${path}`;
  }
  return undefined;
}
