// The SQL statements that read the view of clients and roles, and write when clients were used.
import Type, { type Static } from "typebox";
import { jsonText } from "../../../core/json.ts";
import { Timestamp, type Queryable } from "../../../core/db.ts";
import { sql } from "../../../core/sql.ts";

const ViewedClientRow = Type.Object({
  client_id: Type.String(),
  access_token: Type.String(),
  scopes: jsonText<string[]>(),
  expires: Timestamp,
  disabled: Type.Boolean(),
});
export type ViewedClientRow = Static<typeof ViewedClientRow>;

const ViewedRoleRow = Type.Object({ role_id: Type.String(), scopes: jsonText<string[]>() });
export type ViewedRoleRow = Static<typeof ViewedRoleRow>;

const clientColumns = sql`client_id, access_token, scopes, expires, disabled`;

/** Returns the clients of the API after an id, in the order of their ids. Those of the configuration have no token. */
export const viewedClients = (db: Queryable, after: string, limit: number): Promise<ViewedClientRow[]> =>
  db.many(
    ViewedClientRow,
    sql`
    select ${clientColumns} from clients
    where client_id > ${after} and access_token is not null
    order by client_id limit ${limit}`,
  );

export const viewedClientsById = (db: Queryable, ids: readonly string[]): Promise<ViewedClientRow[]> =>
  db.many(
    ViewedClientRow,
    sql`
    select ${clientColumns} from clients
    where client_id = any (${ids}::text[]) and access_token is not null`,
  );

export const viewedRoles = (db: Queryable, after: string, limit: number): Promise<ViewedRoleRow[]> =>
  db.many(
    ViewedRoleRow,
    sql`select role_id, scopes from roles where role_id > ${after} order by role_id limit ${limit}`,
  );

export const viewedRolesById = (db: Queryable, ids: readonly string[]): Promise<ViewedRoleRow[]> =>
  db.many(ViewedRoleRow, sql`select role_id, scopes from roles where role_id = any (${ids}::text[])`);

/** Writes times of use, in milliseconds since the epoch. Leaves out clients that were deleted meanwhile. */
export const writeUses = (db: Queryable, uses: readonly (readonly [string, number])[]): Promise<number> =>
  db.run(sql`
    insert into client_uses (client_id, last_used)
    select c.client_id, u.last_used
    from unnest(
      ${uses.map(([clientId]) => clientId)}::text[],
      ${uses.map(([, at]) => new Date(at).toISOString())}::timestamptz[]
    ) as u (client_id, last_used)
    join clients c on c.client_id = u.client_id
    order by c.client_id
    on conflict (client_id) do update set last_used = greatest(client_uses.last_used, excluded.last_used)`);
