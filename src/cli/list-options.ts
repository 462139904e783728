// The options that `task list` and `group list` have in common.
import { UsageError } from "./cli-error.ts";
import { limitOf, pageOptions } from "./page-options.ts";
import { relativeMs } from "./task/relative-time.ts";

export const listOptions = {
  name: {
    type: "value",
    value: "TEXT",
    summary: "Only those whose names contain this text, in upper or lower case.",
  },
  since: {
    type: "value",
    value: "TIME",
    summary: "Only those created since then: `2h` or `3 days` ago, `2026-01-31`, or a time.",
  },
  until: { type: "value", value: "TIME", summary: "Only those created before then." },
  scheduler: { type: "value", value: "ID", summary: "Only those of this scheduler." },
  ...pageOptions,
} as const;

interface Given {
  readonly name: string | undefined;
  readonly since: string | undefined;
  readonly until: string | undefined;
  readonly scheduler: string | undefined;
  readonly limit: string | undefined;
  readonly all: boolean;
}

/** Returns the query of the API for these options, and the number of elements to list. */
export function listQuery({ name, since, until, scheduler, limit, all }: Given, now: number) {
  if (name === "") throw new UsageError("--name is empty: omit it, or write a part of the name");
  if (scheduler !== undefined && !/^[\w-]{1,38}$/.test(scheduler))
    throw new UsageError(
      `--scheduler ${scheduler}: must be 1 to 38 letters, digits, hyphens and underscores`,
    );
  const from = since === undefined ? undefined : parseTime("since", since, now);
  const to = until === undefined ? undefined : parseTime("until", until, now);
  if (from !== undefined && to !== undefined && from >= to)
    throw new UsageError(
      `--since ${since ?? ""} is not before --until ${until ?? ""}: use an earlier --since`,
    );
  return {
    limit: limitOf({ all, limit }),
    query: {
      ...(name !== undefined && { name: name.slice(0, MAX_NAME) }),
      ...(from !== undefined && { since: from }),
      ...(to !== undefined && { until: to }),
      ...(scheduler !== undefined && { schedulerId: scheduler }),
    },
  };
}

/** Returns the notice for an empty list. */
export const noneFound = (what: string, query: object): string =>
  Object.keys(query).length === 0 ? `there are no ${what}` : `no ${what} match these options`;

/** Names are not longer. */
const MAX_NAME = 255;

const date = /^(\d{4})-(\d\d)-(\d\d)(?:$|[T ])/;

/** Returns a time as ISO 8601. A time without a zone is in that of the user. */
function parseTime(option: string, text: string, now: number): string {
  const ago = relativeMs(text.replace(/ ago$/, ""));
  if (ago !== undefined && text.trim() !== "") return new Date(Math.max(0, now - ago)).toISOString();
  const [, year, month, day] = date.exec(text) ?? [];
  // JavaScript takes a date alone in UTC, and February 30 as March 2.
  const at = Date.parse(text.length === 10 ? `${text}T00:00` : text);
  const isDay = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() === Number(day);
  if (year !== undefined && isDay && at >= 0) return new Date(at).toISOString();
  throw new UsageError(
    `--${option} ${text}: must be a duration such as 2h or "3 days", or a time such as 2026-01-31 or 2026-01-31T12:00:00Z`,
  );
}
