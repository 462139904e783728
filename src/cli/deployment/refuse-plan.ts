// Refuses plans that would fail in the middle, or that delete more than their author expects.
import type { Client } from "../../client/connect.ts";
import { ClientError } from "../../client/client-error.ts";
import { counted } from "../../lib/counted.ts";
import { compileScopes } from "../../lib/scopes/scope-set.ts";
import { CliError, listProblems } from "../cli-error.ts";
import type { Kind } from "./kind.ts";
import type { Plan } from "./plan.ts";

/** So many deletions of a kind are never too many. */
const FEW = 3;
/** The part of what a folder owns of a kind that may be deleted in one run. */
const MAX_PART = 1 / 4;

/** Throws a `CliError` if the plan deletes a large part of what the folder owns, such as after an incomplete checkout. */
export function refuseManyDeletions({ changes, owned }: Plan): void {
  const deleted = new Map<Kind, number>();
  for (const { kind, action } of changes)
    if (action === "delete") deleted.set(kind, (deleted.get(kind) ?? 0) + 1);
  for (const [kind, count] of deleted) {
    const all = owned.get(kind) ?? 0;
    if (count > FEW && count > all * MAX_PART)
      throw new CliError(
        `this would delete ${count} of the ${all} ${kind.name} that the folder owns: check that the folder is complete, ` +
          "or pass --allow-many-deletions",
      );
  }
}

/** Throws a `CliError` if the plan deletes the client with which it is made. */
export function refuseOwnDeletion({ changes }: Plan, ownClientId: string | undefined): void {
  if (
    changes.some(
      ({ kind, action, id }) => kind.noun === "client" && action === "delete" && id === ownClientId,
    )
  )
    throw new CliError(
      `this would delete the client ${ownClientId}, whose credentials this command uses: add it to the folder, or use other credentials`,
    );
}

/** Throws a `CliError` that lists the scopes that the caller needs for the changes and lacks. */
export async function refuseMissingScopes(client: Client, { changes }: Plan): Promise<void> {
  const own = await currentScopes(client);
  if (own === undefined) return;
  const held = compileScopes(own);
  const missing = changes.flatMap((change) => {
    const scopes = change.kind.scopesFor(change).filter((scope) => !held.satisfies(scope));
    return scopes.map((scope) => `  to ${change.action} the ${change.kind.noun} ${change.id}: ${scope}`);
  });
  if (missing.length > 0)
    throw new CliError(
      `the credentials lack ${counted(missing.length, "scope")}. Nothing was changed. Use credentials that also have:\n${listProblems(missing)}`,
    );
}

/** Returns undefined if the caller may not know its scopes: then the server reports what is missing. */
async function currentScopes({ auth }: Client): Promise<readonly string[] | undefined> {
  try {
    return (await auth.currentScopes()).scopes;
  } catch (error) {
    if (error instanceof ClientError && error.statusCode === 403) return undefined;
    throw error;
  }
}
