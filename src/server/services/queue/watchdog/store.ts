// The watchdog's tables: the place of each check, and its findings.
import Type, { type Static } from "typebox";
import { Timestamp, type Queryable } from "../../../core/db.ts";
import { sql, type Sql } from "../../../core/sql.ts";
import { column } from "../../../core/columns.ts";

const NullableTime = Type.Union([Timestamp, Type.Null()]);

const DueRow = Type.Object({ name: Type.String(), place: Type.String() });

/**
 * Returns the checks that are due, and makes them due again at `next`, so that several processes together run each check
 * once per interval. A slice that a dying process had taken is scanned again after `next`.
 */
export const takeDueChecks = (
  db: Queryable,
  names: readonly string[],
  at: string,
  next: string,
): Promise<Static<typeof DueRow>[]> =>
  db.many(
    DueRow,
    sql`
    insert into watchdog_checks as c (name, due)
    select n, ${next}::timestamptz from unnest(${names}::text[]) n order by n
    on conflict (name) do update set due = excluded.due where c.due <= ${at}::timestamptz
    returning name, place`,
  );

/** Stores where the next scan continues. An empty place is the beginning, after a complete pass. */
export const savePlace = (db: Queryable, name: string, place: string, at: string): Promise<number> =>
  db.run(sql`
    update watchdog_checks set place = ${place},
      passed = case when ${place} = '' then ${at}::timestamptz else passed end
    where name = ${name}`);

const PassedRow = Type.Object({ name: Type.String(), passed: NullableTime });

/** Returns when each check last completed a pass. */
export const readPassed = (db: Queryable): Promise<Static<typeof PassedRow>[]> =>
  db.many(PassedRow, sql`select name, passed from watchdog_checks order by name`);

const FindingRow = Type.Object({
  check_name: Type.String(),
  subject: Type.String(),
  detail: Type.String(),
  first_seen: Timestamp,
  last_seen: Timestamp,
  confirmed: NullableTime,
  repaired: NullableTime,
  ended: NullableTime,
});
export type FindingRow = Static<typeof FindingRow>;

const columns: Sql = sql`check_name, subject, detail, first_seen, last_seen, confirmed, repaired, ended`;

/** Returns findings of these subjects, and up to `limit` open findings of the check, those last seen longest ago first. */
export const readKnown = (
  db: Queryable,
  checkName: string,
  subjects: readonly string[],
  limit: number,
): Promise<FindingRow[]> =>
  db.many(
    FindingRow,
    sql`
    select ${columns} from watchdog_findings
    where check_name = ${checkName} and subject = any(${subjects}::text[])
    union
    (select ${columns} from watchdog_findings
      where check_name = ${checkName} and ended is null order by last_seen limit ${limit})`,
  );

export interface NewFinding {
  readonly subject: string;
  readonly detail: string;
  readonly confirmed: boolean;
  readonly repaired: boolean;
}

/** Inserts or updates findings as seen at `at`. A finding that had ended begins again. */
export const writeFindings = (
  db: Queryable,
  checkName: string,
  findings: readonly NewFinding[],
  at: string,
): Promise<number> =>
  db.run(sql`
    insert into watchdog_findings as f (${columns})
    select ${checkName}, i.subject, i.detail, ${at}::timestamptz, ${at}::timestamptz,
      case when i.confirmed then ${at}::timestamptz end, case when i.repaired then ${at}::timestamptz end,
      case when i.repaired then ${at}::timestamptz end
    from unnest(
      ${column(findings, "subject")}::text[], ${column(findings, "detail")}::text[],
      ${column(findings, "confirmed")}::boolean[], ${column(findings, "repaired")}::boolean[]
    ) as i (subject, detail, confirmed, repaired)
    on conflict (check_name, subject) do update set
      detail = excluded.detail,
      first_seen = case when f.ended is null then f.first_seen else excluded.first_seen end,
      last_seen = excluded.last_seen,
      confirmed = case when f.ended is null then coalesce(f.confirmed, excluded.confirmed) else excluded.confirmed end,
      repaired = excluded.repaired,
      ended = excluded.ended`);

/** Ends findings whose violation is gone. Findings that were never confirmed are deleted. */
export async function endFindings(
  db: Queryable,
  checkName: string,
  subjects: readonly string[],
  at: string,
): Promise<void> {
  await db.run(sql`
    delete from watchdog_findings
    where check_name = ${checkName} and subject = any(${subjects}::text[]) and confirmed is null`);
  await db.run(sql`
    update watchdog_findings set ended = ${at}::timestamptz
    where check_name = ${checkName} and subject = any(${subjects}::text[]) and ended is null`);
}

/** Deletes findings that ended before `before`. */
export const deleteEndedFindings = (db: Queryable, before: string): Promise<number> =>
  db.run(sql`delete from watchdog_findings where ended < ${before}::timestamptz`);

const OpenRow = Type.Object({ check_name: Type.String(), open: Type.Integer() });

/** Counts the confirmed findings of each check that have not ended. */
export const countOpen = (db: Queryable): Promise<Static<typeof OpenRow>[]> =>
  db.many(
    OpenRow,
    sql`
    select check_name, count(*)::integer as open from watchdog_findings
    where confirmed is not null and ended is null group by check_name order by check_name`,
  );

/** Returns the confirmed findings after (check, subject), in that order. */
export const readFindings = (
  db: Queryable,
  after: { readonly checkName: string; readonly subject: string },
  limit: number,
): Promise<FindingRow[]> =>
  db.many(
    FindingRow,
    sql`
    select ${columns} from watchdog_findings
    where (check_name, subject) > (${after.checkName} collate "C", ${after.subject} collate "C")
      and confirmed is not null
    order by check_name, subject limit ${limit}`,
  );
