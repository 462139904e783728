// Which ids a folder owns: what matches one of its patterns and is not in the folder is deleted on the server.

/** Reports whether an id is owned by a pattern: the id itself, or the beginning of ids with a star. */
export const matchesPattern = (pattern: string, id: string): boolean =>
  pattern.endsWith("*") ? id.startsWith(pattern.slice(0, -1)) : id === pattern;

/** Returns what is wrong with a pattern, and what would be right. */
export function patternProblem(pattern: string): string | undefined {
  if (pattern === "") return 'a pattern must not be empty; to own everything, write "*"';
  return pattern.slice(0, -1).includes("*") ? `${pattern}: a pattern has one star, at its end` : undefined;
}
