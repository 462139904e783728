// Determines the nesting depth of JSON from its text.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
// `{` and `}` differ from `[` and `]` only in this bit. A Set takes twice as long.
const CURLY = 0x20;
const OPENING = 0x5b | CURLY;
const CLOSING = 0x5d | CURLY;

/**
 * Reports whether objects and arrays are nested more than `levels` deep. Scans the text: walking a parsed value with a
 * million keys takes as long as parsing, and this takes a fraction. The result is unspecified for invalid JSON.
 */
export function isDeeperThan(levels: number, text: string): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) i = endOfString(text, i);
    else if ((code | CURLY) === OPENING) {
      if (++depth > levels) return true;
    } else if ((code | CURLY) === CLOSING) depth--;
  }
  return false;
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
