// The options that limit the length of a list.
import { UsageError } from "./cli-error.ts";
import { jsonOption } from "./command.ts";
import { parseLimit } from "./parse-limit.ts";

export const pageOptions = {
  limit: { type: "value", value: "N", summary: "Maximum number of lines. Default: 50." },
  all: { type: "flag", summary: "List all of them." },
  json: jsonOption,
} as const;

interface Given {
  readonly all: boolean;
  readonly limit: string | undefined;
}

/** Returns how many elements to list. */
export function limitOf({ all, limit }: Given): number {
  if (all && limit !== undefined) throw new UsageError("--all and --limit: use one of them");
  return all ? Infinity : parseLimit(limit);
}

/** The note below a list that `limitOf` has cut. */
export const moreNote = "… and possibly more: use --limit or --all";
