// Passes many rows to a statement: an array for each column, which the statement unnests.

/** Returns the values of one member of every row, in their order. */
export const column = <T, K extends keyof T>(rows: readonly T[], key: K): T[K][] =>
  rows.map((row) => row[key]);

/** What a statement processes in a few ten milliseconds; other calls run between the statements. */
const CHUNK = 500;

/** Splits rows for several statements. */
export function* chunks<T>(rows: readonly T[], size = CHUNK): Generator<T[], void, undefined> {
  for (let i = 0; i < rows.length; i += size) yield rows.slice(i, i + size);
}
