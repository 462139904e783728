// Parses the ids of tasks and groups on the command line.
import { isSlugid } from "../lib/slugid.ts";
import { UsageError } from "./cli-error.ts";

/** Returns the id of a task or group. Throws a `UsageError` for anything else, before a request is made. */
export function parseId(word: string | undefined, what: "task" | "group" = "task"): string {
  if (word !== undefined && isSlugid(word)) return word;
  throw new UsageError(
    `${word ?? ""} is not a ${what} id: ids have 22 characters, such as fN1SbArXTPSVFNUvaOlinQ`,
  );
}
