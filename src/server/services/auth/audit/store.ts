// The SQL statements that read and shorten the audit log.
import Type, { type Static } from "typebox";
import { Timestamp, type Queryable } from "../../../core/db.ts";
import { sql, type Sql } from "../../../core/sql.ts";

const AuditRow = Type.Object({
  id: Type.Integer(),
  created: Timestamp,
  entity_type: Type.String(),
  entity_id: Type.String(),
  client_id: Type.String(),
  action: Type.String(),
});
export type AuditRow = Static<typeof AuditRow>;

/** The entries after `since` and before the entry `before`, the latest first. */
export interface AuditPage {
  readonly since: string;
  readonly before: number;
  readonly limit: number;
}

const entries = (db: Queryable, of: Sql, { since, before, limit }: AuditPage): Promise<AuditRow[]> =>
  db.many(
    AuditRow,
    sql`
    select a.id, a.created, a.entity_type, a.entity_id, a.client_id, a.action from audit_log a
    where ${of} and a.id < ${before} and a.created > ${since}::timestamptz
    order by a.id desc limit ${limit}`,
  );

export const entriesOfEntity = (
  db: Queryable,
  entityType: string,
  entityId: string,
  page: AuditPage,
): Promise<AuditRow[]> => entries(db, sql`a.entity_type = ${entityType} and a.entity_id = ${entityId}`, page);

export const entriesOfClient = (db: Queryable, clientId: string, page: AuditPage): Promise<AuditRow[]> =>
  entries(db, sql`a.client_id = ${clientId}`, page);

/** Deletes up to `limit` entries from before `until`. Returns their number. */
export const deleteEntries = (db: Queryable, until: string, limit: number): Promise<number> =>
  db.run(sql`
    delete from audit_log a where a.id in (
      select e.id from audit_log e where e.created <= ${until}::timestamptz order by e.created limit ${limit}
      for update skip locked
    )`);
