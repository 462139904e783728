// Compares a deployment folder with a server, and determines the changes that make them equal.
import { isDeepStrictEqual } from "node:util";
import type { Client } from "../../client/connect.ts";
import type { Change, Found, Kind, ServerState } from "./kind.ts";
import { kinds } from "./kinds.ts";
import { orderChanges } from "./order-changes.ts";
import type { Deployment } from "./read-folder.ts";

export interface Plan {
  /** In an order in which the server accepts them. */
  readonly changes: readonly Change[];
  /** The number of ids on the server that the folder owns, by kind. */
  readonly owned: ReadonlyMap<Kind, number>;
  /** The ids in the folder that it does not own: without their definition, they would stay on the server. */
  readonly unowned: readonly { readonly kind: Kind; readonly id: string }[];
}

/** Reads the kinds that the folder concerns. */
export async function readServer(
  client: Client,
  { concerns }: Pick<Deployment, "concerns">,
): Promise<ServerState> {
  const state = new Map<Kind, ReadonlyMap<string, Found>>();
  for (const kind of kinds) if (concerns(kind)) state.set(kind, await kind.list(client));
  return state;
}

/** Returns the changes. Throws a `CliError` if roles would grant each other in a cycle. */
export function planChanges(deployment: Deployment, state: ServerState): Plan {
  const changes: Change[] = [];
  const kept = new Map<Kind, Set<string>>();
  for (const { kind, id, definition } of deployment.entries) {
    const ids = kept.get(kind) ?? new Set();
    kept.set(kind, ids.add(id));
    const before = state.get(kind)?.get(id);
    const after = kind.complete(definition, before?.definition);
    if (before === undefined) changes.push({ kind, id, action: "create", after });
    else if (!isDeepStrictEqual(before.definition, after))
      changes.push({ kind, id, action: "update", before, after });
  }
  const owned = new Map<Kind, number>();
  for (const [kind, found] of state)
    for (const [id, before] of found) {
      if (!deployment.owns(kind, id)) continue;
      owned.set(kind, (owned.get(kind) ?? 0) + 1);
      if (kept.get(kind)?.has(id) !== true) changes.push({ kind, id, action: "delete", before });
    }
  const ordered = orderChanges(changes, state, (change, cycle) => {
    const entry = deployment.entries.find(({ kind, id }) => kind === change.kind && id === change.id);
    const text = cycle.map((id) => `assume:${id}`).join(" -> ");
    entry?.problems.add(
      [...entry.path, "scopes"],
      `${change.id}: roles must not grant each other in a cycle: ${text}; remove one of these scopes`,
    );
  });
  deployment.throwIfAny();
  const unowned = deployment.entries.filter(({ kind, id }) => !deployment.owns(kind, id));
  return { changes: ordered, owned, unowned };
}
