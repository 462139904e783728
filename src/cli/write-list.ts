// Writes a list that a command has read from the server.
import { exitStatus } from "./cli-error.ts";
import { writeJson, writeLine, writeLines, type Io } from "./io.ts";
import { moreNote } from "./page-options.ts";
import { writeTable } from "./table.ts";

export interface List<T> {
  /** The member of the JSON object: the name that the API gives the list. */
  readonly name: string;
  readonly found: readonly T[];
  /** Whether the server has more elements. */
  readonly goesOn: boolean;
  /** Other members of the JSON object. */
  readonly more?: object;
  /** Without a header, the rows are printed as lines. */
  readonly header?: readonly string[];
  row(element: T): readonly string[];
  /** The notice for an empty list. */
  readonly none: string;
}

/** Writes a list as a table, or as JSON. Returns the exit status. */
export function writeList<T>(
  { stdout, stderr }: Pick<Io, "stdout" | "stderr">,
  asJson: boolean,
  { name, found, goesOn, more, header, row, none }: List<T>,
): number {
  if (asJson) {
    writeJson(stdout, { [name]: found, ...more });
    return exitStatus.ok;
  }
  const rows = found.map(row);
  if (rows.length === 0) writeLine(stderr, none);
  else if (header) writeTable(stdout, header, rows);
  else
    writeLines(
      stdout,
      rows.map((cells) => cells.join("  ")),
    );
  if (goesOn) writeLine(stderr, moreNote);
  return exitStatus.ok;
}
