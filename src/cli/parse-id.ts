// Parses the ids of tasks and groups on the command line.
import { isSlugid } from "../lib/slugid.ts";
import { UsageError } from "./cli-error.ts";

/** Returns the id of a task or group. Throws a `UsageError` for anything else, before a request is made. */
export function parseId(word: string | undefined, what: "task" | "group" = "task"): string {
  if (word !== undefined && isSlugid(word)) return word;
  const why =
    word?.length === 22
      ? "some of its characters cannot be at their place; copy it again"
      : "ids have 22 characters, such as fN1SbArXTPSVFNUvaOlinQ";
  // oxlint-disable-next-line messages/next-step -- the reason names it
  throw new UsageError(`${word ?? ""} is not a ${what} id: ${why}`);
}
