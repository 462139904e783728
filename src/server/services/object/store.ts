// The SQL statements of the object service.
import Type, { type Static } from "typebox";
import { Timestamp, type Queryable } from "../../core/db.ts";
import { sql, type Sql } from "../../core/sql.ts";

const columns: Sql = sql`
  o.name, o.project_id, o.upload_id, o.upload_expires, o.expires, o.hashes, o.content_length, o.parts_id,
  o.content_id, o.content_ids`;

const ObjectRow = Type.Object({
  name: Type.String(),
  project_id: Type.String(),
  upload_id: Type.String(),
  upload_expires: Type.Union([Timestamp, Type.Null()]),
  expires: Timestamp,
  hashes: Type.Record(Type.String(), Type.String()),
  content_length: Type.Union([Type.Integer(), Type.Null()]),
  parts_id: Type.Union([Type.String(), Type.Null()]),
  content_id: Type.Union([Type.String(), Type.Null()]),
  content_ids: Type.Array(Type.String()),
});
export type ObjectRow = Static<typeof ObjectRow>;

export interface NewUpload {
  readonly name: string;
  readonly projectId: string;
  readonly uploadId: string;
  readonly uploadExpires: string;
  readonly expires: string;
  readonly hashes: Readonly<Record<string, string>>;
  readonly contentLength: number | null;
}

export const readObject = (db: Queryable, name: string): Promise<ObjectRow | undefined> =>
  db.maybeOne(ObjectRow, sql`select ${columns} from objects o where o.name = ${name}`);

/**
 * Inserts an upload, or updates the same unfinished one: with the same project, id and expiration, and no conflicting
 * hashes. Returns undefined, and writes nothing, if the name is taken otherwise.
 */
export const writeUpload = (db: Queryable, upload: NewUpload): Promise<ObjectRow | undefined> =>
  db.maybeOne(
    ObjectRow,
    sql`
    insert into objects as o (name, project_id, upload_id, upload_expires, expires, hashes, content_length)
    values (${upload.name}, ${upload.projectId}, ${upload.uploadId}, ${upload.uploadExpires}, ${upload.expires},
      ${JSON.stringify(upload.hashes)}::jsonb, ${upload.contentLength})
    on conflict (name) do update set
      upload_expires = excluded.upload_expires, hashes = o.hashes || excluded.hashes,
      content_length = excluded.content_length
    where o.project_id = excluded.project_id and o.upload_id = excluded.upload_id
      and o.expires = excluded.expires and o.upload_expires is not null
      and (o.hashes || excluded.hashes) @> o.hashes
    returning ${columns}`,
  );

/** Stores the id of an upload in parts, and the id of its content. Returns 0 if another call was first. */
export const writePartsId = (
  db: Queryable,
  upload: ObjectRow,
  partsId: string,
  contentId: string,
): Promise<number> =>
  db.run(sql`
    update objects set
      parts_id = ${partsId}, content_id = ${contentId}, content_ids = content_ids || ${contentId}::text
    where name = ${upload.name} and upload_id = ${upload.upload_id} and parts_id is null
      and upload_expires is not null`);

/** Clears the upload in parts, so that another one can be started. */
export const clearParts = (db: Queryable, upload: ObjectRow): Promise<number> =>
  db.run(sql`
    update objects set parts_id = null, content_id = null
    where name = ${upload.name} and upload_id = ${upload.upload_id} and parts_id = ${upload.parts_id}
      and upload_expires is not null`);

/** Records a content id before content is stored under it, so that it is always deleted. Returns 0 after the upload. */
export const addContentId = (db: Queryable, upload: ObjectRow, contentId: string): Promise<number> =>
  db.run(sql`
    update objects set content_ids = content_ids || ${contentId}::text
    where name = ${upload.name} and upload_id = ${upload.upload_id} and upload_expires is not null`);

/** Finishes an upload. Returns 0 if it was finished or removed concurrently, or has a conflicting hash. */
export const finish = (
  db: Queryable,
  upload: ObjectRow,
  contentId: string,
  hashes: Readonly<Record<string, string>>,
): Promise<number> =>
  db.run(sql`
    update objects o set
      upload_expires = null, parts_id = null, content_id = ${contentId},
      hashes = o.hashes || ${JSON.stringify(hashes)}::jsonb
    where o.name = ${upload.name} and o.upload_id = ${upload.upload_id} and o.upload_expires is not null
      and (o.hashes || ${JSON.stringify(hashes)}::jsonb) @> o.hashes`);

/** Returns objects that expired before `now`, in order of expiration, without the first `skipped`. */
export const expiredObjects = (
  db: Queryable,
  now: string,
  limit: number,
  skipped: number,
): Promise<ObjectRow[]> =>
  db.many(
    ObjectRow,
    sql`
    select ${columns} from objects o where o.expires < ${now}::timestamptz order by o.expires limit ${limit} offset ${skipped}`,
  );

/** Returns unfinished uploads that expired before `now`, in order of expiration, without the first `skipped`. */
export const abandonedUploads = (
  db: Queryable,
  now: string,
  limit: number,
  skipped: number,
): Promise<ObjectRow[]> =>
  db.many(
    ObjectRow,
    sql`
    select ${columns} from objects o
    where o.upload_expires is not null and o.upload_expires < ${now}::timestamptz
    order by o.upload_expires limit ${limit} offset ${skipped}`,
  );

/** Deletes those of the rows that are still expired or abandoned. Returns their number. */
export const deleteObjects = (db: Queryable, rows: readonly ObjectRow[], now: string): Promise<number> =>
  db.run(sql`
    delete from objects o
    using unnest(${rows.map((row) => row.name)}::text[], ${rows.map((row) => row.upload_id)}::text[])
      as given (name, upload_id)
    where o.name = given.name and o.upload_id = given.upload_id
      and (o.expires < ${now}::timestamptz or o.upload_expires < ${now}::timestamptz)`);
