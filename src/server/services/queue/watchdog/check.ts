// A check of the watchdog: an invariant of the database, and how violations of it are found.
import Type, { type Static } from "typebox";
import type { Db } from "../../../core/db.ts";
import { sql, type Sql } from "../../../core/sql.ts";
import type { QueueContext } from "../context.ts";
import type { EndTask, Resolve } from "../resolution/end-runs.ts";
import { InternalError } from "../../../../lib/internal-error.ts";

export interface CheckContext extends Pick<QueueContext, "db" | "config"> {
  /** The current time. Read it while holding the locks, so that no transition before it can have a later time. */
  readonly at: string;
  /** The time `ms` before the run of the loop. */
  ago(ms: number): string;
  readonly resolve: Resolve;
  readonly endPastDeadline: EndTask;
  /** Records that dependents became pending. */
  readonly recordReleased: (taskIds: readonly string[]) => void;
}

export interface Violation {
  readonly subject: string;
  /** The problem, as a predicate of the subject: `is not the latest run`. */
  readonly detail: string;
  readonly repaired: boolean;
}

export interface Check {
  /** A constant in kebab case: a label of metrics. */
  readonly name: string;
  /** The invariant, as a sentence. */
  readonly means: string;
  /** How the watchdog repairs a violation; absent if it only reports it. */
  readonly repair?: string;
  /** Whether loops usually repair a violation soon, so that it is reported only after `watchdogPatience`. */
  readonly transient?: true;
  /**
   * Scans up to about `limit` rows after `place` (empty: from the beginning), in the order of the check. It is one statement
   * and so one snapshot, in which every transaction is complete: a suspect is never the result of a race.
   */
  scan(ctx: CheckContext, place: string, limit: number): Promise<Scan>;
  /** Checks these subjects again, under their locks if it repairs them, and returns the remaining violations. */
  confirm(ctx: CheckContext, subjects: readonly string[]): Promise<Violation[]>;
}

const ScanRow = Type.Object({
  /** Where the next scan continues; null at the end. */
  place: Type.Union([Type.String(), Type.Null()]),
  /** Subjects that seem to violate the invariant. */
  suspects: Type.Array(Type.String()),
});
export type Scan = Static<typeof ScanRow>;

/** Suspects that one scan returns at most; the next pass finds the others. */
export const MAX_SUSPECTS = 100;

/**
 * Runs one scan. `slice` selects the rows to scan, with `place` (text) and `n` (their position); `suspects` selects the
 * `subject` of rows of `slice` that violate the invariant. An empty slice is the end.
 */
export async function scanSlice(db: Db, slice: Sql, suspects: Sql): Promise<Scan> {
  const row = await db.maybeOne(
    ScanRow,
    sql`
    with slice as materialized (${slice}),
    suspect as (${suspects})
    select (select place from slice order by n desc limit 1) as place,
      array(select subject from suspect limit ${MAX_SUSPECTS}) as suspects`,
  );
  if (!row) throw new InternalError("a select of scalars returns one row");
  return row;
}

export const ViolationRow = Type.Object({ subject: Type.String(), detail: Type.String() });

/** Parses a subject that begins with `taskId/runId`. */
export const runOf = (subject: string): { taskId: string; runId: number } => {
  const [taskId = "", runId = "0"] = subject.split("/");
  return { taskId, runId: Number(runId) };
};
