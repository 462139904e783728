// Reads and writes the errors of worker pools.
import Type, { type Static } from "typebox";
import type { PoolError } from "../../../../api/worker-manager/errors.ts";
import { Timestamp, type Queryable } from "../../../core/db.ts";
import { jsonText } from "../../../core/json.ts";
import { unlessFull } from "../../../core/pagination.ts";
import { sql } from "../../../core/sql.ts";
import { events } from "../events.ts";
import type { WorkerKey } from "../workers/store/workers.ts";

export type Report = Pick<PoolError, "kind" | "title" | "description" | "extra">;

export interface NewError {
  readonly errorId: string;
  readonly worker: WorkerKey;
  readonly providerId: string;
  readonly launchConfigId: string | null;
  readonly reported: string;
  readonly report: Report;
}

/** PostgreSQL has no text with NUL. */
const storable = (text: string): string => text.replaceAll("\0", "");

/** Records an error and publishes it. */
export function insertError(db: Queryable, error: NewError): Promise<number> {
  const { errorId, worker, providerId, launchConfigId, reported, report } = error;
  const { workerPoolId, workerGroup, workerId } = worker;
  const [provisionerId = "", workerType = ""] = workerPoolId.split("/");
  const code = report.extra["code"];
  const ofLaunchConfig = launchConfigId === null ? {} : { launchConfigId };
  const { kind, title } = report;
  const logged = events.workerPoolError.publish(
    { providerId, provisionerId, workerType, workerGroup, workerId, ...ofLaunchConfig },
    {
      workerPoolId,
      providerId,
      errorId,
      kind,
      title,
      timestamp: reported,
      workerGroup,
      workerId,
      ...ofLaunchConfig,
    },
    { from: sql`from written` },
  );
  return db.run(sql`
    with written as (
      insert into worker_pool_errors (error_id, worker_pool_id, launch_config_id, reported, report, title, code)
      values (${errorId}, ${workerPoolId}, ${launchConfigId}, ${reported}::timestamptz, ${JSON.stringify(report)},
        ${storable(title)}, ${typeof code === "string" ? storable(code).slice(0, 128) : null})
      returning 1)
    ${logged}`);
}

const ErrorRow = Type.Object({
  error_id: Type.String(),
  launch_config_id: Type.Union([Type.String(), Type.Null()]),
  reported: Timestamp,
  report: Type.Union([jsonText<Report>(), Type.Null()]),
});
export type ErrorRow = Static<typeof ErrorRow>;

interface Position {
  readonly reported: string;
  readonly errorId: string;
}

/** Returns up to `limit` errors before the given position, the newest first. The report is null where the page is full. */
export const listErrors = (
  db: Queryable,
  workerPoolId: string,
  { launchConfigId, errorId }: { readonly launchConfigId?: string; readonly errorId?: string },
  before: Position,
  limit: number,
): Promise<ErrorRow[]> => {
  const ofLaunchConfig = launchConfigId === undefined ? sql`` : sql`and launch_config_id = ${launchConfigId}`;
  const withId = errorId === undefined ? sql`` : sql`and error_id = ${errorId}`;
  return db.many(
    ErrorRow,
    sql`
    select error_id, launch_config_id, reported,
      ${unlessFull(sql`report`, sql`octet_length(report)`, sql`reported desc, error_id desc`)} as report
    from (
      select * from worker_pool_errors
      where worker_pool_id = ${workerPoolId} ${ofLaunchConfig} ${withId}
        and (reported, error_id) < (${before.reported}::timestamptz, ${before.errorId})
      order by reported desc, error_id desc limit ${limit}) e
    order by reported desc, error_id desc`,
  );
};

const NumberRow = Type.Object({ what: Type.String(), name: Type.String(), number: Type.Integer() });

/**
 * Counts the errors of a pool, or of all pools, since a time. It reads all of them, so it runs on the connections for reports.
 * There are at most `most` names of a kind.
 */
export const countErrors = (
  db: Queryable,
  workerPoolId: string | undefined,
  { since, hourly, most }: { readonly since: string; readonly hourly: string; readonly most: number },
) =>
  db.many(
    NumberRow,
    sql`
    select what, name, number from (
      select what, name, count(*) as number, row_number() over (partition by what order by count(*) desc, name) as rank
      from worker_pool_errors e, lateral (values
        ('total', ''),
        ('daily', to_char(e.reported at time zone 'UTC', 'YYYY-MM-DD')),
        ('hourly', case when e.reported >= ${hourly}::timestamptz
          then to_char(date_trunc('hour', e.reported at time zone 'UTC'), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') end),
        ('title', e.title),
        ('code', coalesce(e.code, 'other')),
        ('launchConfig', coalesce(e.launch_config_id, 'unknown')),
        ('workerPool', e.worker_pool_id)) v (what, name)
      where e.reported >= ${since}::timestamptz
        and (${workerPoolId ?? null}::text is null or e.worker_pool_id = ${workerPoolId ?? null})
        and v.name is not null
      group by what, name) n
    where rank <= ${most}
    order by what, name`,
  );

/** Deletes up to `limit` errors that were reported before `cutoff`, and returns their number. */
export const deleteErrors = (db: Queryable, cutoff: string, limit: number): Promise<number> =>
  db.run(sql`
    delete from worker_pool_errors where error_id in (
      select error_id from worker_pool_errors where reported < ${cutoff}::timestamptz
      order by reported limit ${limit} for update skip locked)`);
