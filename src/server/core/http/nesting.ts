// Determines from a JSON text how deep it is nested, how many values it has, and whether it may have very large numbers.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const ZERO = 0x30;
const NINE = 0x39;
const LOWER_E = 0x65;
/** `E` differs from `e` only in this bit. */
const LOWER = 0x20;
/** The greatest double has this many digits before the decimal point. */
const MAX_DIGITS = 309;
// `{` and `}` differ from `[` and `]` only in this bit. A Set takes twice as long.
const CURLY = 0x20;
const OPENING = 0x5b | CURLY;
const CLOSING = 0x5d | CURLY;

/** The shape of a JSON text. */
export interface JsonShape {
  /** How deep objects and arrays are nested. */
  readonly depth: number;
  /**
   * The number of values and of names of members, which determines how long parsing takes. An upper bound: empty objects and
   * arrays count as if they had an element.
   */
  readonly values: number;
  /** Whether a number may be beyond the range of doubles: one has an exponent, or very many digits in a row. */
  readonly mayOverflow: boolean;
}

/**
 * Determines the shape of a JSON text. Scans the text: walking a parsed value with a million keys takes as long as parsing,
 * and this takes a fraction. The result is unspecified for invalid JSON.
 */
export function shapeOf(text: string): JsonShape {
  let depth = 0;
  let deepest = 0;
  let values = 1;
  let digits = 0;
  let mayOverflow = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= ZERO && code <= NINE) {
      if (++digits >= MAX_DIGITS) mayOverflow = true;
      continue;
    }
    if (digits > 0 && (code | LOWER) === LOWER_E) mayOverflow = true;
    digits = 0;
    if (code === QUOTE) i = endOfString(text, i);
    else if (code === COMMA || code === COLON) values++;
    else if ((code | CURLY) === OPENING) {
      values++;
      if (++depth > deepest) deepest = depth;
    } else if ((code | CURLY) === CLOSING) depth--;
  }
  return { depth: deepest, values, mayOverflow };
}

/** Returns the position of the closing quote of the string that starts at `from`. */
export function endOfString(text: string, from: number): number {
  // indexOf compares many characters at a time.
  for (let at = text.indexOf('"', from + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let start = at;
    while (text.charCodeAt(start - 1) === BACKSLASH) start--;
    if ((at - start) % 2 === 0) return at;
  }
  return text.length;
}
