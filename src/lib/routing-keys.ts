// Routing keys as AMQP's topic exchanges match them: words between dots, `*` for one word, `#` for any number.

/** The words of a key or pattern; the empty key has none. */
export function keyWords(key: string): string[] {
  return key === "" ? [] : key.split(".");
}

/**
 * A test of keys, given as their words, against one pattern. Takes at most `words × pattern words` steps, whatever
 * the pattern: a regular expression made of several `#` would take exponentially many on a hostile one.
 */
export function topicMatcher(pattern: string): (words: readonly string[]) => boolean {
  const parts = keyWords(pattern);
  if (parts.every((part) => part === "#") && parts.length > 0) return () => true;
  return (words) => {
    let word = 0;
    let part = 0;
    // Where the last `#` stood, and the first word that it has not taken yet. A later `#` never needs an
    // earlier one to take more: what follows it can be found from any place behind.
    let hash = -1;
    let beyond = 0;
    while (word < words.length) {
      if (parts[part] === "#") {
        hash = part++;
        beyond = word;
      } else if (part < parts.length && (parts[part] === "*" || parts[part] === words[word])) {
        part++;
        word++;
      } else if (hash >= 0) {
        part = hash + 1;
        word = ++beyond;
      } else return false;
    }
    while (parts[part] === "#") part++;
    return part === parts.length;
  };
}
