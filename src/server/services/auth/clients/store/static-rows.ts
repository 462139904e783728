// The rows of clients of the configuration, so that lists contain them. Their tokens stay in the configuration.
import type { Queryable } from "../../../../core/db.ts";
import { column } from "../../../../core/columns.ts";
import { sql } from "../../../../core/sql.ts";
import { STATIC_PREFIX, type StaticClient } from "../../directory/static-clients.ts";

/** Inserts and updates the rows of these clients, and deletes those of clients that are no longer configured. */
export const writeStaticRows = (
  db: Queryable,
  clients: readonly StaticClient[],
  now: string,
): Promise<number> =>
  db.run(sql`
    with given as (
      select * from unnest(
        ${column(clients, "clientId")}::text[], ${column(clients, "description")}::text[],
        ${clients.map(({ scopes }) => JSON.stringify(scopes))}::text[],
        ${clients.map(({ expires }) => new Date(expires).toISOString())}::timestamptz[]
      ) as g (client_id, description, scopes, expires)
    ),
    gone as (
      delete from clients c
      where c.client_id >= ${STATIC_PREFIX} and c.client_id < ${STATIC_PREFIX} || chr(127)
        and not exists (select from given g where g.client_id = c.client_id)
    )
    insert into clients as c (client_id, description, scopes, expires, delete_on_expiration, created, last_modified,
      last_rotated)
    select g.client_id, g.description, g.scopes, g.expires, false, ${now}, ${now}, ${now} from given g
    order by g.client_id
    on conflict (client_id) do update set
      description = excluded.description, scopes = excluded.scopes, last_modified = excluded.last_modified
    where c.description <> excluded.description or c.scopes <> excluded.scopes`);
