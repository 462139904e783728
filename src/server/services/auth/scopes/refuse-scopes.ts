// Refuses scopes that no client and no role may have.
import { ApiError } from "../../../../lib/errors.ts";
import { scopeFault } from "../../../../lib/scopes/scope-fault.ts";

/** Throws `InputError` for a scope that no client may have or, with `roleId`, that this role may not grant. */
export function refuseScopes(scopes: readonly string[], roleId?: string): void {
  for (const scope of scopes) {
    const fault = scopeFault(scope, roleId);
    // oxlint-disable-next-line messages/next-step -- each fault says what would be right
    if (fault !== undefined) throw new ApiError("InputError", fault);
  }
}
