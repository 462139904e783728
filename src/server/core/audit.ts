// The audit log: who changed which client, role, secret, worker pool, hook or key. An entry commits with its change.
import type { Caller } from "./caller.ts";
import { sql, type Sql } from "./sql.ts";

export type AuditedType = "client" | "hook" | "oidc-key" | "role" | "secret" | "worker-pool";

export interface AuditEntry {
  readonly entityType: AuditedType;
  /** The id, or an expression of type text. */
  readonly entityId: string | Sql;
  /** Who made the change. */
  readonly clientId: string | Sql;
  /** What happened, such as `created`, or an expression of type text. */
  readonly action: string | Sql;
  /** One entry for each row of this, such as `from changed`. */
  readonly from?: Sql;
}

/** A statement that writes an entry, to be run by itself or as a CTE of the statement that makes the change. */
export const auditEntry = ({ entityType, entityId, clientId, action, from = sql`` }: AuditEntry): Sql => sql`
  insert into audit_log (entity_type, entity_id, client_id, action)
  select ${entityType}::text, ${textOf(entityId)}, ${textOf(clientId)}, ${textOf(action)} ${from}`;

const textOf = (value: string | Sql): Sql => (typeof value === "string" ? sql`${value}::text` : value);

/** Returns the client id of a caller. One without credentials gets a name that no client can have. */
export const actorOf = (caller: Caller): string => caller.identity().clientId ?? "(anonymous)";
