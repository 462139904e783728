// Finds members of tasks in a graph file.
import type { FilePath } from "../file-problems.ts";
import type { FileTask, GraphFile } from "./graph-file.ts";

/** Returns the place of a member of a task in the file, which may be in the defaults. */
export const placeOf = ({ problems }: GraphFile, { path }: FileTask, member: FilePath): FilePath =>
  problems.closest([
    [...path, ...member],
    ["defaults", ...member],
  ]);
