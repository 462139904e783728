// Reads artifacts.
import Type, { type Static } from "typebox";
import { STORAGE_TYPES } from "../../../../../api/queue/artifacts.ts";
import { RUN_STATES } from "../../../../../api/queue/status.ts";
import { oneOfStrings } from "../../../../../api/schema.ts";
import { Timestamp, type Queryable } from "../../../../core/db.ts";
import { sql, type Sql } from "../../../../core/sql.ts";

/** The key of an artifact. */
export interface ArtifactId {
  readonly taskId: string;
  readonly runId: number;
  readonly name: string;
}

/** The columns of an ArtifactRow, from artifacts `a`. */
export const columns: Sql = sql`
  a.name, a.storage_type, a.content_type, a.content_length, a.details, a.present, a.expires`;

const listed = {
  name: Type.String(),
  storage_type: oneOfStrings(STORAGE_TYPES),
  content_type: Type.String(),
  content_length: Type.Union([Type.Integer(), Type.Null()]),
  expires: Timestamp,
};
export const ArtifactRow = Type.Object({ ...listed, details: Type.String(), present: Type.Boolean() });
export type ArtifactRow = Static<typeof ArtifactRow>;

/** An artifact without its details, which may be a URL of any length. */
const ListedRow = Type.Object(listed);
export type ListedRow = Static<typeof ListedRow>;

export const readArtifact = (db: Queryable, id: ArtifactId): Promise<ArtifactRow | undefined> =>
  db.maybeOne(
    ArtifactRow,
    sql`
    select ${columns} from artifacts a
    where a.task_id = ${id.taskId} and a.run_id = ${id.runId} and a.name = ${id.name}`,
  );

const UploadTargetRow = Type.Object({
  state: oneOfStrings(RUN_STATES),
  resolved: Type.Union([Timestamp, Type.Null()]),
});

/** Returns the state of the run to whose artifact content can be uploaded. Undefined if the artifact does not exist. */
export const readUploadTarget = (
  db: Queryable,
  { taskId, runId, name }: ArtifactId,
): Promise<Static<typeof UploadTargetRow> | undefined> =>
  db.maybeOne(
    UploadTargetRow,
    sql`
    select r.state, r.resolved from artifacts a
    join runs r on r.task_id = a.task_id and r.run_id = a.run_id
    where a.task_id = ${taskId} and a.run_id = ${runId} and a.name = ${name} and a.storage_type = 's3'`,
  );

/**
 * Returns the link and what it leads to in up to `limit` steps, in any order: further links, and the artifact at their end if
 * there is one.
 */
export const readTargets = (db: Queryable, id: ArtifactId, limit: number): Promise<ArtifactRow[]> =>
  db.many(
    ArtifactRow,
    // `union` reads each name once, so a cycle ends. PostgreSQL evaluates only as many steps as the limit fetches.
    sql`
    with recursive targets (name) as (
      values (${id.name}::text collate "C")
      union
      select a.details::json->>'artifact' from targets t
      join artifacts a on a.task_id = ${id.taskId} and a.run_id = ${id.runId} and a.name = t.name
      where a.storage_type = 'link'
    )
    select ${columns} from (select name from targets limit ${limit + 1}) t
    join artifacts a on a.task_id = ${id.taskId} and a.run_id = ${id.runId} and a.name = t.name`,
  );

const RunCountRow = Type.Object({ run_count: Type.Integer() });

/** Returns the number of runs of a task, or undefined if it does not exist. */
export const readRunCount = async (db: Queryable, taskId: string): Promise<number | undefined> =>
  (await db.maybeOne(RunCountRow, sql`select run_count from tasks where task_id = ${taskId}`))?.run_count;

/** Returns artifacts of a run with names after `after`, in order of names. */
export const readArtifacts = (
  db: Queryable,
  taskId: string,
  runId: number,
  after: string,
  limit: number,
): Promise<ListedRow[]> =>
  db.many(
    ListedRow,
    sql`
    select a.name, a.storage_type, a.content_type, a.content_length, a.expires from artifacts a
    where a.task_id = ${taskId} and a.run_id = ${runId} and a.name > ${after} collate "C"
    order by a.name limit ${limit}`,
  );
