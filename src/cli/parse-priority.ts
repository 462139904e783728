// Parses priorities on the command line.
import { PRIORITIES, type Priority } from "../api/queue/task.ts";
import { didYouMean } from "../lib/did-you-mean.ts";
import { UsageError } from "./cli-error.ts";

/** Returns the priority with this name. `where` begins the error message. */
export function parsePriority(word: string, where: string = word): Priority {
  const priority = PRIORITIES.find((name) => name === word);
  if (priority !== undefined) return priority;
  const meant = didYouMean(word, PRIORITIES);
  const hint = meant === undefined ? `must be one of ${PRIORITIES.join(", ")}` : `did you mean ${meant}?`;
  // oxlint-disable-next-line messages/next-step -- the hint names the priorities
  throw new UsageError(`${where}: ${hint}`);
}

/** For the help of the commands that change priorities. */
export const priorityDetails = [
  `Priorities, highest first: ${PRIORITIES.join(", ")}.`,
  "Only tasks that have never been resolved can change priority. The change applies immediately, including to tasks that " +
    "already wait for a worker.",
];
