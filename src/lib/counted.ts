// Counts in sentences.

/** Formats a count with its noun: `1 task`, `2 tasks`. `plural` is needed only if it is not the noun with an s. */
export const counted = (count: number, noun: string, plural = `${noun}s`): string =>
  `${count} ${count === 1 ? noun : plural}`;
