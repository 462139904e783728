// The statement that deletes expired clients.
import Type from "typebox";
import { authApi } from "../../../../../api/auth/index.ts";
import { auditEntry } from "../../../../core/audit.ts";
import type { Queryable } from "../../../../core/db.ts";
import { logEvents, publishersOf } from "../../../../core/event-log/index.ts";
import { sql } from "../../../../core/sql.ts";
import { wakingViews } from "../../sql/directory-events.ts";

const { clientDeleted } = publishersOf(authApi);
const Deleted = Type.Object({ client_id: Type.String() });

/** Deletes up to `limit` clients that expired before `now` and were created to be deleted then. Returns their number. */
export async function deleteExpired(
  db: Queryable,
  now: string,
  limit: number,
  actor: string,
): Promise<number> {
  const message = sql`json_build_object('version', 1, 'clientId', gone.client_id)::text`;
  const from = sql`from gone`;
  const deleted = await db.many(
    Deleted,
    wakingViews(sql`
      with gone as (
        delete from clients c where c.client_id in (
          select e.client_id from clients e
          where e.delete_on_expiration and e.expires < ${now}::timestamptz
          order by e.expires limit ${limit} for update skip locked
        )
        returning c.client_id
      ),
      audit as (${auditEntry({
        entityType: "client",
        entityId: sql`gone.client_id`,
        clientId: actor,
        action: "deleted",
        from,
      })}),
      event as (${logEvents(sql`select ${clientDeleted.event({}, message)} ${from}`)})
      select client_id from gone`),
  );
  return deleted.length;
}
