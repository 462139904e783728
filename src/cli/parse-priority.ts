// Priorities on the command line.
import { PRIORITIES, type Priority } from "../api/queue/task.ts";
import { didYouMean } from "../lib/did-you-mean.ts";
import { UsageError } from "./cli-error.ts";

/** A priority by its name; `where` is what the user is told when it is none. */
export function parsePriority(word: string, where: string = word): Priority {
  const priority = PRIORITIES.find((name) => name === word);
  if (priority !== undefined) return priority;
  const meant = didYouMean(word, PRIORITIES);
  const hint = meant === undefined ? `it is one of ${PRIORITIES.join(", ")}` : `did you mean ${meant}?`;
  throw new UsageError(`${where}: ${hint}`);
}

/** Paragraphs for the help of the commands that change priorities. */
export const priorityDetails = [
  `Priorities are ${PRIORITIES.join(", ")}.`,
  "Only tasks that were never resolved can be given another one. It counts at once, also for tasks that wait for a worker.",
];
