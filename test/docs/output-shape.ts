// Compares the output that a document shows with the output of a run.

/** Replaces what differs between runs: ids, times, numbers, bars and the width of columns. */
const shapeOf = (line: string): string =>
  line
    .replaceAll(/\b(?=[\w-]*[A-Z\d])[\w-]{22}(?![\w-])/g, "ID")
    .replaceAll(/[█▒░·]+/g, "▒")
    .replaceAll(/\d[\d,.:TZ-]*/g, "0")
    .replaceAll(/\b0(?:ms|s|m|h|kB|MB|B)\b/g, "0")
    .replaceAll(/\s+/g, " ")
    .trim();

/**
 * Returns the shown lines that have no counterpart in the output, which must come in the same order. The output may have
 * other lines between them only where the document shows a line of `…`.
 */
export function missingFrom(output: string, shown: string): string[] {
  const lines = output
    .split("\n")
    .map(shapeOf)
    .filter((line) => line !== "");
  let next = 0;
  let gap = false;
  const missing: string[] = [];
  for (const line of shown.split("\n").map(shapeOf)) {
    if (line === "") continue;
    if (line === "…") {
      gap = true;
      continue;
    }
    const found = lines.indexOf(line, next);
    if (found === -1 || (!gap && found !== next)) missing.push(line);
    else next = found + 1;
    gap = false;
  }
  return missing;
}
