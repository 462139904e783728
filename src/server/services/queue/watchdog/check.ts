// What a check of the watchdog is: something that is always true of the database, and how to see where it is not.
import Type, { type Static } from "typebox";
import type { Db } from "../../../core/db.ts";
import { sql, type Sql } from "../../../core/sql.ts";
import type { QueueContext } from "../context.ts";
import type { End, Resolve } from "../resolution/end-runs.ts";

export interface CheckContext extends Pick<QueueContext, "db" | "config"> {
  /** The time, as it is when it is asked for: read it with the locks held, and nobody acted by a later one. */
  readonly at: string;
  /** `ms` before it. */
  ago(ms: number): string;
  readonly resolve: Resolve;
  readonly endPastDeadline: End;
  /** Records that tasks that had waited are pending. */
  readonly recordReleased: (taskIds: readonly string[]) => void;
}

/** Something wrong. */
export interface Verdict {
  readonly subject: string;
  /** What is wrong with it, in words that go on from its name: `is not the latest run`. */
  readonly detail: string;
  readonly repaired: boolean;
}

export interface Check {
  /** A constant in kebab case: a label of metrics. */
  readonly name: string;
  /** What always holds, as a sentence. */
  readonly means: string;
  /** What the watchdog does where it does not hold; absent: it only tells. */
  readonly repair?: string;
  /** Whether others put it right by themselves soon, so that it is told only when it stays for `watchdogPatience`. */
  readonly passing?: true;
  /**
   * Looks at up to about `limit` things after `place` (empty: from the beginning), in an order of its own. One
   * statement, so one snapshot, in which every transaction is whole: what is wrong there is no race.
   */
  look(ctx: CheckContext, place: string, limit: number): Promise<Look>;
  /** Looks at these again, holding their locks where it repairs; answers what is wrong still. */
  judge(ctx: CheckContext, subjects: readonly string[]): Promise<Verdict[]>;
}

const LookRow = Type.Object({
  /** Where to go on; null: that was the end. */
  place: Type.Union([Type.String(), Type.Null()]),
  /** What looks wrong. */
  wrong: Type.Array(Type.String()),
});
export type Look = Static<typeof LookRow>;

/** How many wrong things a look tells; the rest is met again in the next pass. */
export const MAX_WRONG = 100;

/**
 * One look. `slice` gives what to look at, with `place` (text) and `n` (its position, growing); `wrong` selects
 * `subject` of those of `slice` that are wrong. An empty slice is the end.
 */
export async function lookAt(db: Db, slice: Sql, wrong: Sql): Promise<Look> {
  const row = await db.maybeOne(
    LookRow,
    sql`
    with slice as materialized (${slice}),
    wrong as (${wrong})
    select (select place from slice order by n desc limit 1) as place,
      array(select subject from wrong limit ${MAX_WRONG}) as wrong`,
  );
  if (!row) throw new Error("a select of scalars answers with a row");
  return row;
}

export const VerdictRow = Type.Object({ subject: Type.String(), detail: Type.String() });

/** The ids of a subject such as `taskId/runId`. */
export const runOf = (subject: string): { taskId: string; runId: number } => {
  const [taskId = "", runId = "0"] = subject.split("/");
  return { taskId, runId: Number(runId) };
};
