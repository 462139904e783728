// Commands for POSIX shells that set up a shell for the local server.
import { join } from "node:path";
import { shellQuote } from "../lib/shell-quote.ts";
import type { Io } from "./io.ts";

/**
 * Returns the line that a user runs in another shell to use the local server, from any folder. It names the program by its
 * path, because the shell may not find it yet, or find another program of that name. `home` is given if it is not the default.
 */
export function setupLine({ programFolder }: Pick<Io, "programFolder">, home?: string): string {
  const where = home === undefined ? "" : `TASKYARD_HOME=${shellQuote(home)} `;
  return `eval "$(${where}${shellQuote(join(programFolder, "taskyard"))} env)"`;
}

/**
 * Returns the line that puts `folder` on the PATH, unless `taskyard` already leads to the same program: through this folder, or
 * through the link of an installed package.
 */
export function pathLine(folder: string): string {
  const program = shellQuote(join(folder, "taskyard"));
  return `[ "$(command -v taskyard)" -ef ${program} ] || export PATH=${shellQuote(folder)}:"$PATH"`;
}
