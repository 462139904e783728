// Reads one role, or a list of them.
import { roleEndpoints } from "../../../../api/auth/endpoints/roles.ts";
import type { RoleReply } from "../../../../api/auth/roles.ts";
import type { Caller } from "../../../core/caller.ts";
import { decodePage, fullPageOf, pageOf, type PageQuery } from "../../../core/pagination.ts";
import type { AuthContext } from "../context.ts";
import { unknownRole } from "./change-role.ts";
import { renderedRole } from "./rendered-role.ts";
import * as store from "./store.ts";

/** The largest page, and how many roles a statement reads for a list without a limit. */
const MAX_PAGE = 1_000;

interface RolePage {
  roles: RoleReply[];
  continuationToken?: string;
}

export const readRole =
  (ctx: AuthContext) =>
  async (caller: Caller, roleId: string): Promise<RoleReply> => {
    caller.authorize(roleEndpoints.role, { roleId });
    const row = await store.readRole(ctx.db, roleId);
    if (!row) throw unknownRole(roleId);
    return renderedRole(ctx, row);
  };

/** Returns a page of roles; without a limit, all of them. */
export const listRoles =
  (ctx: AuthContext) =>
  async (caller: Caller, query: PageQuery): Promise<RolePage> => {
    caller.authorize(roleEndpoints.listRoles2, {});
    const page = decodePage(query, MAX_PAGE);
    if (query.limit !== undefined) return readPage(ctx, page.after, page.limit);
    const roles: RoleReply[] = [];
    for (let after: string | undefined = ""; after !== undefined;) {
      const { roles: read, continuationToken } = await readPage(ctx, after, MAX_PAGE);
      roles.push(...read);
      after = continuationToken === undefined ? undefined : read.at(-1)?.roleId;
    }
    return { roles };
  };

async function readPage(ctx: AuthContext, after: string, limit: number): Promise<RolePage> {
  const read = await store.listRoles(ctx.db, after, limit + 1);
  const { rows, more } = fullPageOf(read, limit, "scopes", (row) => row.role_id);
  return { roles: rows.map((row) => renderedRole(ctx, row)), ...more };
}

/** Returns a page of ids; without a limit, all of them. */
export const listRoleIds =
  (ctx: AuthContext) =>
  async (caller: Caller, query: PageQuery): Promise<{ roleIds: string[]; continuationToken?: string }> => {
    caller.authorize(roleEndpoints.listRoleIds, {});
    const { after, limit } = decodePage(query, MAX_PAGE);
    if (query.limit === undefined) {
      const roleIds: string[] = [];
      for (let read = await store.listRoleIds(ctx.db, "", MAX_PAGE); read.length > 0;) {
        roleIds.push(...read);
        read = await store.listRoleIds(ctx.db, read.at(-1) ?? "", MAX_PAGE);
      }
      return { roleIds };
    }
    const { rows, more } = pageOf(await store.listRoleIds(ctx.db, after, limit + 1), limit, (id) => id);
    return { roleIds: [...rows], ...more };
  };
