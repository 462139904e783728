// What servers refuse in the scopes of clients and roles, found before anything is changed.
import { scopeFault } from "../../lib/scopes/scope-fault.ts";
import type { Problem } from "./kind.ts";

/** Returns the problems of a member `scopes`, if it is a list. `roleId`: the role that grants them. */
export const scopeProblems = (scopes: unknown, roleId?: string): Problem[] =>
  (Array.isArray(scopes) ? scopes : []).flatMap((scope: unknown, i) => {
    const text = typeof scope === "string" ? scopeFault(scope, roleId) : undefined;
    return text === undefined ? [] : [{ path: ["scopes", i], text }];
  });
