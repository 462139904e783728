// Ids on the command line.
import { isSlugid } from "../lib/slugid.ts";
import { UsageError } from "./cli-error.ts";

/** The id of a task or group; what cannot be one is told before a server is asked. */
export function parseId(word: string | undefined, what: "task" | "group" = "task"): string {
  if (word !== undefined && isSlugid(word)) return word;
  throw new UsageError(
    `${word ?? ""} is not the id of a ${what}: these are 22 characters, such as fN1SbArXTPSVFNUvaOlinQ`,
  );
}
