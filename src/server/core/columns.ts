// Passing many rows to a statement: an array for each column, unnested there.

/** The values of one member of every row, in their order. */
export const column = <T, K extends keyof T>(rows: readonly T[], key: K): T[K][] =>
  rows.map((row) => row[key]);
