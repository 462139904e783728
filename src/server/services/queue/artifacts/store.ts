// Artifacts: their rows, and the events that tell of them.
import Type, { type Static } from "typebox";
import { STORAGE_TYPES } from "../../../../api/queue/artifacts.ts";
import { oneOfStrings } from "../../../../api/schema.ts";
import { Timestamp, type Queryable } from "../../../core/db.ts";
import { sql, type Sql } from "../../../core/sql.ts";
import { column } from "../../../core/columns.ts";
import { events, taskWords } from "../sql/event-rows.ts";

/** By what an artifact is known. */
export interface ArtifactId {
  readonly taskId: string;
  readonly runId: number;
  readonly name: string;
}

export interface NewArtifact extends ArtifactId {
  readonly storageType: (typeof STORAGE_TYPES)[number];
  readonly contentType: string;
  readonly contentLength: number | null;
  /** JSON text; see the table. */
  readonly details: string;
  /** Whether there is something to read. */
  readonly present: boolean;
  readonly expires: string;
}

/** The beginning of the message that tells of an artifact, and whose it is. */
export interface Announcement {
  readonly workerGroup: string;
  readonly workerId: string;
  /** JSON text. */
  readonly status: string;
}

const columns: Sql = sql`
  a.name, a.storage_type, a.content_type, a.content_length, a.details, a.present, a.expires`;

const ArtifactRow = Type.Object({
  name: Type.String(),
  storage_type: oneOfStrings(STORAGE_TYPES),
  content_type: Type.String(),
  content_length: Type.Union([Type.Integer(), Type.Null()]),
  details: Type.String(),
  present: Type.Boolean(),
  expires: Timestamp,
});
export type ArtifactRow = Static<typeof ArtifactRow>;

/** Keeps every transition of the task but claims away until the transaction ends. */
export const lockTask = (tx: Queryable, taskId: string): Promise<number> =>
  tx.run(sql`select from tasks where task_id = ${taskId} for no key update`);

/**
 * Writes an artifact, or one of the same name again where that may be: with the same content type (a link does
 * not care), no earlier expiry, and the same type and details, unless a reference gets another URL or becomes a
 * link. Undefined where it may not be, and nothing is written. With `announce` the event is written along.
 */
export const writeArtifact = (
  db: Queryable,
  artifact: NewArtifact,
  announce: Announcement | null,
): Promise<ArtifactRow | undefined> => {
  const { taskId, runId, name } = artifact;
  return db.maybeOne(
    ArtifactRow,
    sql`
    with a as (
      insert into artifacts as a
        (task_id, run_id, name, storage_type, content_type, content_length, details, present, expires)
      values (${taskId}, ${runId}, ${name}, ${artifact.storageType}, ${artifact.contentType},
        ${artifact.contentLength}, ${artifact.details}, ${artifact.present}, ${artifact.expires})
      on conflict (task_id, run_id, name) do update set
        storage_type = excluded.storage_type, details = excluded.details, expires = excluded.expires
      where a.expires <= excluded.expires
        and (a.content_type = excluded.content_type or excluded.storage_type = 'link')
        and (
          a.storage_type = excluded.storage_type
            and (a.details = excluded.details or a.storage_type = 'reference')
          or a.storage_type = 'reference' and excluded.storage_type = 'link'
        )
      returning a.*
    )${announce === null ? sql`` : sql`, logged as (${announcement(runId, announce)})`}
    select ${columns} from a`,
  );
};

/** The artifact becomes readable, and is announced, again where it was readable before. */
export const finishArtifact = (db: Queryable, id: ArtifactId, announce: Announcement): Promise<number> =>
  db.run(sql`
    with a as (
      update artifacts set present = true
      where task_id = ${id.taskId} and run_id = ${id.runId} and name = ${id.name}
      returning *
    ),
    logged as (${announcement(id.runId, announce)})
    select from a`);

/** Inserts the event of the artifacts in `a`. */
const announcement = (runId: number, announce: Announcement): Sql => {
  const { workerGroup, workerId } = announce;
  return events.artifactCreated.publish(
    { ...ownerOfArtifact, runId, workerGroup, workerId },
    sql`${messageStart(runId, announce)} || ${artifactJson} || ',"version":1}'`,
    { routes: sql`t.routes`, from: sql`from a join tasks t using (task_id)` },
  );
};

const ownerOfArtifact = taskWords(sql`t`);
const artifactJson = sql`json_build_object(
          'storageType', a.storage_type, 'name', a.name, 'expires', iso(a.expires), 'contentType', a.content_type
        )`;

/** The message up to the artifact itself. Ids of workers are matched against a pattern without quotes before. */
const messageStart = (runId: number, { status, workerGroup, workerId }: Announcement): string =>
  `{"status":${status},"runId":${runId},"workerGroup":"${workerGroup}","workerId":"${workerId}","artifact":`;

export const readArtifact = (db: Queryable, id: ArtifactId): Promise<ArtifactRow | undefined> =>
  db.maybeOne(
    ArtifactRow,
    sql`
    select ${columns} from artifacts a
    where a.task_id = ${id.taskId} and a.run_id = ${id.runId} and a.name = ${id.name}`,
  );

const RunCountRow = Type.Object({ run_count: Type.Integer() });

/** How many runs a task has; undefined where there is no such task. */
export const readRunCount = async (db: Queryable, taskId: string): Promise<number | undefined> =>
  (await db.maybeOne(RunCountRow, sql`select run_count from tasks where task_id = ${taskId}`))?.run_count;

/** Artifacts of a run with names after `after`, in order of names. */
export const readArtifacts = (
  db: Queryable,
  taskId: string,
  runId: number,
  after: string,
  limit: number,
): Promise<ArtifactRow[]> =>
  db.many(
    ArtifactRow,
    sql`
    select ${columns} from artifacts a
    where a.task_id = ${taskId} and a.run_id = ${runId} and a.name > ${after} collate "C"
    order by a.name limit ${limit}`,
  );

const ExpiredRow = Type.Object({
  task_id: Type.String(),
  run_id: Type.Integer(),
  name: Type.String(),
  storage_type: Type.String(),
});
export type ExpiredRow = Static<typeof ExpiredRow>;

/** Artifacts that expired before `cutoff`, the longest expired first, but for the first `skipped`. */
export const expiredArtifacts = (
  db: Queryable,
  cutoff: string,
  limit: number,
  skipped: number,
): Promise<ExpiredRow[]> =>
  db.many(
    ExpiredRow,
    sql`
    select task_id, run_id, name, storage_type from artifacts
    where expires < ${cutoff}::timestamptz order by expires limit ${limit} offset ${skipped}`,
  );

/** Removes those of the artifacts that still are expired; answers how many. */
export const deleteExpired = (db: Queryable, ids: readonly ArtifactId[], cutoff: string): Promise<number> =>
  db.run(sql`
    delete from artifacts a
    using unnest(
      ${column(ids, "taskId")}::text[], ${column(ids, "runId")}::smallint[], ${column(ids, "name")}::text[]
    ) as i (task_id, run_id, name)
    where a.task_id = i.task_id and a.run_id = i.run_id and a.name = i.name
      and a.expires < ${cutoff}::timestamptz`);
