// The SQL statements on clients. Each change writes its event and its entry of the audit log.
import Type, { type Static } from "typebox";
import { authApi } from "../../../../../api/auth/index.ts";
import { auditEntry } from "../../../../core/audit.ts";
import { Timestamp, type Queryable } from "../../../../core/db.ts";
import { publishersOf } from "../../../../core/event-log/index.ts";
import { jsonText } from "../../../../core/json.ts";
import { unlessFull } from "../../../../core/pagination.ts";
import { sql, type Sql } from "../../../../core/sql.ts";
import type { ChangeBy } from "../../context.ts";
import { wakingViews } from "../../sql/directory-events.ts";

const events = publishersOf(authApi);

const client = {
  client_id: Type.String(),
  description: Type.String(),
  expires: Timestamp,
  disabled: Type.Boolean(),
  delete_on_expiration: Type.Boolean(),
  created: Timestamp,
  last_modified: Timestamp,
  last_rotated: Timestamp,
  last_used: Timestamp,
};
const ClientRow = Type.Object({ ...client, scopes: jsonText<string[]>() });
export type ClientRow = Static<typeof ClientRow>;

/** The token is null for clients of the configuration. */
const ClientWithToken = Type.Object({
  ...client,
  scopes: jsonText<string[]>(),
  access_token: Type.Union([Type.String(), Type.Null()]),
});
export type ClientWithToken = Static<typeof ClientWithToken>;

const ListedClient = Type.Object({ ...client, scopes: Type.Union([jsonText<string[]>(), Type.Null()]) });
export type ListedClient = Static<typeof ListedClient>;

const columns = sql`
  c.client_id, c.description, c.expires, c.disabled, c.delete_on_expiration, c.created, c.last_modified, c.last_rotated,
  coalesce((select u.last_used from client_uses u where u.client_id = c.client_id), c.created) as last_used`;

export const readClient = (db: Queryable, clientId: string): Promise<ClientWithToken | undefined> =>
  db.maybeOne(
    ClientWithToken,
    sql`select ${columns}, c.scopes, c.access_token from clients c where c.client_id = ${clientId}`,
  );

/** Returns the clients after an id whose ids start with the prefix, in their order. Those that exceed the page lack scopes. */
export const listClients = (
  db: Queryable,
  prefix: string,
  after: string,
  limit: number,
): Promise<ListedClient[]> =>
  db.many(
    ListedClient,
    sql`
    select ${columns}, ${unlessFull(sql`c.scopes`, sql`octet_length(c.scopes)`, sql`c.client_id`)} as scopes
    from clients c
    where c.client_id > ${after} and c.client_id >= ${prefix} and c.client_id < ${prefix} || chr(127)
    order by c.client_id limit ${limit}`,
  );

export interface NewClient {
  readonly clientId: string;
  readonly description: string;
  /** Encrypted. */
  readonly accessToken: string;
  /** A JSON array. */
  readonly scopes: string;
  readonly expires: string;
  readonly deleteOnExpiration: boolean;
}

/** Inserts a client. Returns undefined if there is one with its id. */
export const insertClient = (db: Queryable, { clientId, ...of }: NewClient, by: ChangeBy) =>
  change(
    db,
    sql`
    insert into clients as c (client_id, description, access_token, scopes, expires, delete_on_expiration, created,
      last_modified, last_rotated)
    values (${clientId}, ${of.description}, ${of.accessToken}, ${of.scopes}, ${of.expires}, ${of.deleteOnExpiration},
      ${by.now}, ${by.now}, ${by.now})
    on conflict (client_id) do nothing`,
    { clientId, by, action: "created", event: events.clientCreated },
  );

export interface ClientUpdate {
  readonly description: string;
  readonly expires: string;
  readonly deleteOnExpiration: boolean;
  readonly scopes: string;
}

/** Updates a client that still has the scopes `former`. Returns undefined if it has others, or is gone. */
export const updateClient = (
  db: Queryable,
  clientId: string,
  to: ClientUpdate,
  former: string,
  by: ChangeBy,
) =>
  change(
    db,
    sql`
    update clients c set description = ${to.description}, expires = ${to.expires}, scopes = ${to.scopes},
      delete_on_expiration = ${to.deleteOnExpiration}, last_modified = ${by.now}
    where c.client_id = ${clientId} and c.scopes = ${former}`,
    { clientId, by, action: "updated", event: events.clientUpdated },
  );

/** Returns undefined if there is no such client. */
export const setDisabled = (db: Queryable, clientId: string, disabled: boolean, by: ChangeBy) =>
  change(
    db,
    sql`update clients c set disabled = ${disabled}, last_modified = ${by.now} where c.client_id = ${clientId}`,
    { clientId, by, action: disabled ? "disabled" : "enabled", event: events.clientUpdated },
  );

/** Sets an encrypted token. Returns undefined if there is no such client. */
export const setToken = (db: Queryable, clientId: string, accessToken: string, by: ChangeBy) =>
  change(
    db,
    sql`
    update clients c set access_token = ${accessToken}, last_modified = ${by.now}, last_rotated = ${by.now}
    where c.client_id = ${clientId}`,
    { clientId, by, action: "reset-access-token", event: events.clientUpdated },
  );

/** Deletes a client, if it exists. */
export const deleteClient = (db: Queryable, clientId: string, by: ChangeBy) =>
  change(db, sql`delete from clients c where c.client_id = ${clientId}`, {
    clientId,
    by,
    action: "deleted",
    event: events.clientDeleted,
  });

interface Change {
  readonly clientId: string;
  readonly by: ChangeBy;
  readonly action: string;
  readonly event: (typeof events)["clientCreated" | "clientUpdated" | "clientDeleted"];
}

/** Runs a statement that changes at most one client, called `c`, and returns its row. */
function change(
  db: Queryable,
  statement: Sql,
  { clientId, by: { actor }, action, event }: Change,
): Promise<ClientRow | undefined> {
  const from = sql`from changed`;
  return db.maybeOne(
    ClientRow,
    wakingViews(sql`
    with changed as (${statement} returning ${columns}, c.scopes),
    audit as (${auditEntry({ entityType: "client", entityId: clientId, clientId: actor, action, from })}),
    event as (${event.publish({}, { version: 1, clientId }, { from })})
    select * from changed`),
  );
}
