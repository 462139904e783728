// Orders changes so that none fails because another one has not been made yet.
import { findRoleCycle } from "../../lib/scopes/find-role-cycle.ts";
import { createRoleIndex, type Role, type RoleIndex } from "../../lib/scopes/roles.ts";
import type { Change, Definition, ServerState } from "./kind.ts";
import { roles as roleKind } from "./kinds/roles.ts";

/**
 * Returns the changes in this order: roles that gain scopes; clients and all else; deletions of these; roles that lose scopes;
 * deletions of roles. So what refers to a role comes after it, and the caller loses what it holds through roles last.
 *
 * A change of a role that would close a cycle waits for another that opens it. There always is one: a cycle that the result
 * does not have contains a grant that some later change removes, and if all of them waited for each other, there would have been
 * a cycle to begin with. `onCycle` is called for a cycle that the result has.
 */
export function orderChanges(
  changes: readonly Change[],
  state: ServerState,
  onCycle: (change: Change, cycle: readonly string[]) => void,
): Change[] {
  const before = [...(state.get(roleKind) ?? [])].map(([id, { definition }]) => roleOf(id, definition));
  const after = createRoleIndex(before);
  for (const change of changes) makeIn(after, change);
  const reported = new Set<string>();
  for (const change of changes) {
    const cycle = cycleThrough(change, after);
    if (cycle === undefined || reported.has(change.id)) continue;
    for (const id of cycle) reported.add(id);
    onCycle(change, cycle);
  }
  if (reported.size > 0) return [];

  const now = createRoleIndex(before);
  const waiting = changes.toSorted((a, b) => rankOf(a) - rankOf(b));
  const ordered: Change[] = [];
  while (waiting.length > 0) {
    const next = waiting.findIndex((change) => cycleThrough(change, now) === undefined);
    // One is always found. Otherwise the server reports the cycle.
    const [change] = waiting.splice(Math.max(0, next), 1);
    if (change === undefined) break;
    makeIn(now, change);
    ordered.push(change);
  }
  return ordered;
}

function rankOf(change: Change): number {
  if (change.kind !== roleKind) return change.action === "delete" ? 2 : 1;
  if (change.action === "delete") return 4;
  return change.action === "update" && losesScopes(change.before.definition, change.after) ? 3 : 0;
}

function losesScopes(before: Definition, after: Definition): boolean {
  const kept = new Set(scopesOf(after));
  return scopesOf(before).some((scope) => !kept.has(scope));
}

// Definitions of roles have scopes.
const scopesOf = (definition: Definition): readonly string[] => definition["scopes"] as readonly string[];
const roleOf = (roleId: string, definition: Definition): Role => ({ roleId, scopes: scopesOf(definition) });

/** Returns the cycle that a change would close among these roles. */
const cycleThrough = (change: Change, roles: RoleIndex): readonly string[] | undefined =>
  change.kind === roleKind && change.action !== "delete"
    ? findRoleCycle(roleOf(change.id, change.after), roles)
    : undefined;

function makeIn(roles: RoleIndex, change: Change): void {
  if (change.kind !== roleKind) return;
  if (change.action === "delete") roles.delete(change.id);
  else roles.set(roleOf(change.id, change.after));
}
