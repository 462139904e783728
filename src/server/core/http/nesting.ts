// How deep JSON is nested, found out from its text.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
// `[` and `]`, of which `{` and `}` differ in this bit alone. A Set takes twice as long.
const CURLY = 0x20;
const OPENING = 0x5b | CURLY;
const CLOSING = 0x5d | CURLY;

/**
 * Whether objects and arrays lie in each other more than `levels` deep. Of the text, since a walk through the value of
 * one with a million keys takes as long as parsing it, and this a fraction. What is no JSON gets some answer.
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

/** Where the string that begins at `from` has its closing quote. */
export function endOfString(text: string, from: number): number {
  // By indexOf, which the engine does many characters at a time.
  for (let at = text.indexOf('"', from + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let start = at;
    while (text.charCodeAt(start - 1) === BACKSLASH) start--;
    if ((at - start) % 2 === 0) return at;
  }
  return text.length;
}
