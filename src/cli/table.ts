// Text tables.
import { fitted, visibleLength } from "./format.ts";
import { writeLines, type Output } from "./io.ts";

/** The last column keeps at least this many characters. */
const MIN_LAST = 8;

/**
 * Formats rows as lines of aligned columns, below a header. Cells may be colored. If the lines are longer than `width`, the last
 * column is cut: the others contain ids, which are copied.
 */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  width = Infinity,
): string[] {
  const all = [header, ...rows];
  const last = header.length - 1;
  const widths = header.map((_, i) => Math.max(...all.map((row) => visibleLength(row[i] ?? ""))));
  const before = widths.slice(0, last).reduce((sum, column) => sum + column + 2, 0);
  const room = Math.max(MIN_LAST, width - before);
  return all.map((row) =>
    row
      .map((cell, i) =>
        i === last ? fitted(cell, room) : cell + " ".repeat((widths[i] ?? 0) - visibleLength(cell) + 2),
      )
      .join("")
      .trimEnd(),
  );
}

/** Writes a table. On a terminal, lines are not longer than it is wide. */
export const writeTable = (
  output: Output,
  header: readonly string[],
  rows: readonly (readonly string[])[],
): void => writeLines(output, formatTable(header, rows, terminalWidth(output)));

/** Returns the width of a terminal, or Infinity for other outputs. */
const terminalWidth = (output: Output): number =>
  output.isTTY === true ? (output.columns ?? Infinity) : Infinity;
