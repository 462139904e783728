// Routing keys, matched as in AMQP topic exchanges: words separated by dots, `*` for one word, `#` for any number.

/** Splits a key or pattern into its words. The empty key has none. */
export function keyWords(key: string): string[] {
  return key === "" ? [] : key.split(".");
}

/**
 * Returns a function that matches the words of a key against the pattern, in at most `words × pattern words` steps. A
 * regular expression would take exponential time on a malicious pattern with several `#`.
 */
export function topicMatcher(pattern: string): (words: readonly string[]) => boolean {
  const parts = keyWords(pattern);
  if (parts.every((part) => part === "#") && parts.length > 0) return () => true;
  return (words) => {
    let word = 0;
    let part = 0;
    // The position of the last `#`, and the first word that it does not cover yet. Backtracking stops at the last `#`:
    // making an earlier one cover more words never helps.
    let hash = -1;
    let uncovered = 0;
    while (word < words.length) {
      if (parts[part] === "#") {
        hash = part++;
        uncovered = word;
      } else if (part < parts.length && (parts[part] === "*" || parts[part] === words[word])) {
        part++;
        word++;
      } else if (hash >= 0) {
        part = hash + 1;
        word = ++uncovered;
      } else return false;
    }
    while (parts[part] === "#") part++;
    return part === parts.length;
  };
}
