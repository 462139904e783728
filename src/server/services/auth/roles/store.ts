// The SQL statements on roles. Each change increments the version of all roles, and writes its event and its entry of the
// audit log.
import Type, { type Static } from "typebox";
import { authApi } from "../../../../api/auth/index.ts";
import { auditEntry } from "../../../core/audit.ts";
import { Timestamp, type Queryable } from "../../../core/db.ts";
import { publishersOf } from "../../../core/event-log/index.ts";
import { jsonText } from "../../../core/json.ts";
import { unlessFull } from "../../../core/pagination.ts";
import { InternalError } from "../../../../lib/internal-error.ts";
import { sql, type Sql } from "../../../core/sql.ts";
import type { ChangeBy } from "../context.ts";
import { wakingViews } from "../sql/directory-events.ts";

const events = publishersOf(authApi);

const role = {
  role_id: Type.String(),
  description: Type.String(),
  created: Timestamp,
  last_modified: Timestamp,
};
const RoleRow = Type.Object({ ...role, scopes: jsonText<string[]>() });
export type RoleRow = Static<typeof RoleRow>;
const ListedRole = Type.Object({ ...role, scopes: Type.Union([jsonText<string[]>(), Type.Null()]) });
export type ListedRole = Static<typeof ListedRole>;

const columns = sql`r.role_id, r.description, r.created, r.last_modified`;

export const readRole = (db: Queryable, roleId: string): Promise<RoleRow | undefined> =>
  db.maybeOne(RoleRow, sql`select ${columns}, r.scopes from roles r where r.role_id = ${roleId}`);

/** Returns the roles after an id, in the order of their ids. Those that exceed the page lack scopes. */
export const listRoles = (db: Queryable, after: string, limit: number): Promise<ListedRole[]> =>
  db.many(
    ListedRole,
    sql`
    select ${columns}, ${unlessFull(sql`r.scopes`, sql`octet_length(r.scopes)`, sql`r.role_id`)} as scopes
    from roles r where r.role_id > ${after} order by r.role_id limit ${limit}`,
  );

const RoleId = Type.Object({ role_id: Type.String() });

export const listRoleIds = async (db: Queryable, after: string, limit: number): Promise<string[]> => {
  const rows = await db.many(
    RoleId,
    sql`select role_id from roles where role_id > ${after} order by role_id limit ${limit}`,
  );
  return rows.map(({ role_id: roleId }) => roleId);
};

const Version = Type.Object({ version: Type.Integer() });

/** Returns the version of all roles. */
export async function readVersion(db: Queryable): Promise<number> {
  const row = await db.maybeOne(Version, sql`select version from role_set`);
  if (row === undefined) throw new InternalError("the table role_set has no row");
  return row.version;
}

export interface NewRole {
  readonly roleId: string;
  readonly description: string;
  /** A JSON array. */
  readonly scopes: string;
}

export interface RoleChange extends ChangeBy {
  /** The version at which the change was checked. */
  readonly version: number;
}

/** Inserts a role. Returns undefined if roles have changed since `version`, or there is one with its id. */
export const insertRole = (db: Queryable, { roleId, description, scopes }: NewRole, by: RoleChange) =>
  change(
    db,
    sql`
    insert into roles as r (role_id, description, scopes, created, last_modified)
    select ${roleId}, ${description}, ${scopes}, ${by.now}::timestamptz, ${by.now}::timestamptz from turn
    on conflict (role_id) do nothing`,
    { roleId, by, action: "created", event: events.roleCreated },
  );

/** Updates a role. Returns undefined if roles have changed since `version`. */
export const updateRole = (db: Queryable, { roleId, description, scopes }: NewRole, by: RoleChange) =>
  change(
    db,
    sql`
    update roles r set description = ${description}, scopes = ${scopes}, last_modified = ${by.now}
    from turn where r.role_id = ${roleId}`,
    { roleId, by, action: "updated", event: events.roleUpdated },
  );

/** Deletes a role, if it exists. Fewer roles close no cycle, so this needs no certain version. */
export const deleteRole = (db: Queryable, roleId: string, by: ChangeBy) =>
  change(db, sql`delete from roles r using turn where r.role_id = ${roleId}`, {
    roleId,
    by,
    action: "deleted",
    event: events.roleDeleted,
  });

interface Change {
  readonly roleId: string;
  readonly by: ChangeBy & Partial<RoleChange>;
  readonly action: string;
  readonly event: (typeof events)["roleCreated" | "roleUpdated" | "roleDeleted"];
}

/** Runs a statement that changes at most one role, called `r`, when it is its turn, and returns its row. */
function change(
  db: Queryable,
  statement: Sql,
  { roleId, by: { actor, version }, action, event }: Change,
): Promise<RoleRow | undefined> {
  const from = sql`from changed`;
  return db.maybeOne(
    RoleRow,
    wakingViews(sql`
    with turn as (
      update role_set set version = version + 1 where version = coalesce(${version}::bigint, version) returning version
    ),
    changed as (${statement} returning ${columns}, r.scopes),
    audit as (${auditEntry({ entityType: "role", entityId: roleId, clientId: actor, action, from })}),
    event as (${event.publish({}, { version: 1, roleId }, { from })})
    select * from changed`),
  );
}

/** Inserts a role of the configuration, unless there is one with its id. */
export const insertFirst = (
  db: Queryable,
  { roleId, description, scopes }: NewRole,
  now: string,
): Promise<number> =>
  db.run(
    wakingViews(sql`
    with first as (
      insert into roles (role_id, description, scopes, created, last_modified)
      values (${roleId}, ${description}, ${scopes}, ${now}, ${now})
      on conflict (role_id) do nothing returning role_id
    ),
    turn as (update role_set set version = version + 1 from first)
    ${events.roleCreated.publish({}, { version: 1, roleId }, { from: sql`from first` })}`),
  );
