// The caller as the audit log names it.
import type { Caller } from "../../core/caller.ts";

/** Returns the client id of a caller. One without credentials gets a name that no client can have. */
export const actorOf = (caller: Caller): string => caller.identity().clientId ?? "(anonymous)";
