// The role `anonymous`, whose scopes every caller has. It is created from the configuration, and is then a role like others.
// While access is closed, it grants the scopes of the configuration, whatever the database contains.
import type { Role } from "../../../../lib/scopes/roles.ts";
import { sortScopes } from "../../../../lib/scopes/normal-form.ts";
import type { Access } from "../../../core/config/core-settings.ts";
import { parseJson } from "../../../core/json.ts";
import type { Log } from "../../../core/log.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { AuthContext } from "../context.ts";
import { insertFirst, readRole } from "../roles/store.ts";
import { anonymousScopes } from "./anonymous-scopes.ts";

const roleId = "anonymous";

export interface AnonymousRole {
  /** The role, if no change of it has an effect. */
  readonly fixed: readonly Role[];
  /** Stores the role unless there is one, and logs how it differs from the configuration. */
  store(ctx: Pick<AuthContext, "db" | "clock">, log: Log): Promise<void>;
}

/** Returns the role for an access and additional scopes. */
export function anonymousRole(access: Access, more: readonly string[]): AnonymousRole {
  const isClosed = access === "closed";
  const scopes = sortScopes(new Set([...anonymousScopes[access], ...more]));
  return {
    fixed: isClosed ? [{ roleId, scopes }] : [],
    async store(ctx, log) {
      // Not stored while access is closed: otherwise opening it would have no effect.
      if (!isClosed) {
        const description =
          "The scopes of every caller, also without credentials. Created from the configuration.";
        const role = { roleId, description, scopes: JSON.stringify(scopes) };
        await insertFirst(ctx.db, role, timestamp(ctx));
      }
      const stored = await readRole(ctx.db, roleId);
      if (!stored) return;
      const inDatabase = parseJson(stored.scopes);
      const onlyConfigured = scopes.filter((scope) => !inDatabase.includes(scope));
      const onlyStored = inDatabase.filter((scope) => !scopes.includes(scope));
      if (onlyConfigured.length + onlyStored.length === 0) return;
      log.warn(
        { onlyConfigured, onlyStored },
        isClosed
          ? "the role anonymous in the database has no effect, because access is closed"
          : "the role anonymous in the database is in effect, and differs from the settings access and auth.anonymousScopes; " +
              "change it with updateRole, or delete it and restart the server, which then creates it from the settings",
      );
    },
  };
}
