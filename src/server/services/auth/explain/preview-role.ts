// Previews a change of a role: which clients and roles would gain or lose which scopes.
import { clientEndpoints } from "../../../../api/auth/endpoints/clients.ts";
import { explainEndpoints } from "../../../../api/auth/endpoints/explain.ts";
import { roleEndpoints } from "../../../../api/auth/endpoints/roles.ts";
import type { PreviewRoleReply, PreviewRoleRequest } from "../../../../api/auth/explain.ts";
import { previewRole as preview, type ScopeChange } from "../../../../lib/scopes/preview-role.ts";
import { fillScope } from "../../../../lib/scopes/render.ts";
import type { Role } from "../../../../lib/scopes/roles.ts";
import type { Caller } from "../../../core/caller.ts";
import { startTimeSlice, type TimeSlice } from "../../../core/time-slice.ts";
import type { AuthContext } from "../context.ts";
import { check, unknownRole } from "../roles/change-role.ts";
import { refuseScopes } from "../scopes/refuse-scopes.ts";

export interface PreviewContext extends Pick<AuthContext, "directory" | "refreshed"> {
  /** Roles that no change affects, because the configuration defines them. */
  readonly fixedRoles: readonly Role[];
}

/** How many clients and how many roles a reply names. */
const MAX_NAMED = 100;
/** How many scopes it lists of each, and how many characters of scopes in total. */
const MAX_SCOPES = 100;
const MAX_CHARACTERS = 1_000_000;

export const previewRole =
  (ctx: PreviewContext) =>
  async (caller: Caller, { roleId, scopes }: PreviewRoleRequest): Promise<PreviewRoleReply> => {
    refuseScopes(scopes ?? []);
    caller.authorize(explainEndpoints.previewRole, { roleId });
    await ctx.refreshed();
    const { directory, fixedRoles } = ctx;
    const existing = directory.roles.get(roleId);
    if (scopes === null && !existing) throw unknownRole(roleId);
    if (scopes !== null) check(ctx, { roleId, scopes });
    const isFixed = fixedRoles.some((role) => role.roleId === roleId);
    const change = { roleId, scopes: isFixed ? (existing?.scopes ?? null) : scopes };
    const of = preview(directory.roles.values(), change, ["assume:anonymous"]);

    const held = caller.identity().scopes;
    const slice = startTimeSlice();
    const rest = { scopes: MAX_SCOPES, characters: MAX_CHARACTERS };
    const clients = await collect(
      directory.clients(),
      {
        id: ({ clientId }) => clientId,
        change: (client) => of.ofClient(client.scopes),
        mayRead: (clientId) => held.satisfies(fillScope(clientEndpoints.client.scopes, { clientId })),
      },
      slice,
    );
    // A role that does not exist yet is affected too.
    const roleIds = new Set([...directory.roles.values()].map((role) => role.roleId)).add(roleId);
    const roles = await collect(
      roleIds,
      {
        id: (id) => id,
        change: (id) => of.ofScopes([`assume:${id}`]),
        mayRead: (id) => held.satisfies(fillScope(roleEndpoints.role.scopes, { roleId: id })),
      },
      slice,
    );
    return {
      roleId,
      change: kindOf(existing, change.scopes),
      clients: clients.first.map(([clientId, of]) => ({ clientId, ...shortened(of, rest) })),
      affectedClients: clients.count,
      hiddenClients: clients.hidden,
      roles: roles.first.map(([id, of]) => ({ roleId: id, ...shortened(of, rest) })),
      affectedRoles: roles.count,
      hiddenRoles: roles.hidden,
      ...(isFixed && {
        note: `The configuration defines the role ${roleId} while access is closed, so a change of it has no effect.`,
      }),
    };
  };

interface Affected<T> {
  id(of: T): string;
  change(of: T): ScopeChange | undefined;
  mayRead(id: string): boolean;
}

/** Counts the elements that change, and returns the first ones by id, without those that the caller may not read. */
async function collect<T>(
  all: Iterable<T>,
  { id, change, mayRead }: Affected<T>,
  slice: TimeSlice,
): Promise<{ first: [string, ScopeChange][]; count: number; hidden: number }> {
  let first: [string, ScopeChange][] = [];
  let [count, hidden] = [0, 0];
  const sortFirst = (): void => {
    first = first.sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, MAX_NAMED);
  };
  for (const element of all) {
    if (slice.isOver()) await slice.next();
    const found = change(element);
    if (found === undefined) continue;
    count++;
    const elementId = id(element);
    if (!mayRead(elementId)) hidden++;
    // Sorting now and then keeps the changes of a hundred thousand clients out of the memory.
    else if (first.push([elementId, found]) === 10 * MAX_NAMED) sortFirst();
  }
  sortFirst();
  return { first, count, hidden };
}

/** Returns the first scopes of a change, and how many there are beyond. */
function shortened(
  { gained, lost }: ScopeChange,
  rest: { readonly scopes: number; characters: number },
): { gained: string[]; lost: string[]; omittedScopes?: number } {
  const some = (scopes: readonly string[]): string[] =>
    scopes.slice(0, rest.scopes).filter((scope) => (rest.characters -= scope.length) >= 0);
  const listed = { gained: some(gained), lost: some(lost) };
  const omittedScopes = gained.length + lost.length - listed.gained.length - listed.lost.length;
  return { ...listed, ...(omittedScopes > 0 && { omittedScopes }) };
}

function kindOf(existing: Role | undefined, scopes: readonly string[] | null): PreviewRoleReply["change"] {
  if (scopes === null) return existing ? "deleted" : "none";
  if (!existing) return "created";
  const former = new Set(existing.scopes);
  const isSame = scopes.length === former.size && scopes.every((scope) => former.has(scope));
  return isSame ? "none" : "updated";
}
