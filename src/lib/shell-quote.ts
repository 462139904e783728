/** Quotes words so that a POSIX shell reads the same words back. Words without special characters stay as they are. */
export function shellQuote(...words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(" ");
}
