// Writes artifacts and their events.
import type { STORAGE_TYPES } from "../../../../../api/queue/artifacts.ts";
import type { Queryable } from "../../../../core/db.ts";
import { sql, type Sql } from "../../../../core/sql.ts";
import { events, taskWords } from "../../sql/event-rows.ts";
import { ArtifactRow, columns, type ArtifactId } from "./read-artifacts.ts";

export interface NewArtifact extends ArtifactId {
  readonly storageType: (typeof STORAGE_TYPES)[number];
  readonly contentType: string;
  readonly contentLength: number | null;
  /** JSON text; see the table. */
  readonly details: string;
  /** Whether its content can be read. */
  readonly present: boolean;
  readonly expires: string;
}

/** The worker and the task's status in the event of an artifact. */
export interface Announcement {
  readonly workerGroup: string;
  readonly workerId: string;
  /** JSON text. */
  readonly status: string;
}

/** Locks the task against every transition except claims until the transaction ends. */
export const lockTask = (tx: Queryable, taskId: string): Promise<number> =>
  tx.run(sql`select from tasks where task_id = ${taskId} for no key update`);

/**
 * Inserts an artifact, or updates the one of this name if it has the same content type (except for a link), no later
 * expiration, and the same type and details; a reference may also get another URL or become a link. Otherwise returns
 * undefined and writes nothing. With `announce` the event is logged.
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

/** Makes an artifact readable and logs its event, also if it was readable before. */
export const finishArtifact = (db: Queryable, id: ArtifactId, announce: Announcement): Promise<number> =>
  db.run(sql`
    with a as (
      update artifacts set present = true
      where task_id = ${id.taskId} and run_id = ${id.runId} and name = ${id.name}
      returning *
    ),
    logged as (${announcement(id.runId, announce)})
    select from a`);

/** Inserts the event of the artifact in the CTE `a`. */
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

/** Returns the beginning of the message. Worker ids need no escaping, since their pattern excludes quotes. */
const messageStart = (runId: number, { status, workerGroup, workerId }: Announcement): string =>
  `{"status":${status},"runId":${runId},"workerGroup":"${workerGroup}","workerId":"${workerId}","artifact":`;
