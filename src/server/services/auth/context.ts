// The dependencies of the auth service's use cases.
import type { Clock } from "../../../lib/clock.ts";
import { actorOf } from "../../core/audit.ts";
import type { Caller } from "../../core/caller.ts";
import type { Db } from "../../core/db.ts";
import type { KeyRing } from "../../core/encryption/key-ring.ts";
import { timestamp } from "../../core/timestamp.ts";
import type { ChangeFollower } from "./directory/follow-changes.ts";
import type { ScopeView } from "./directory/scope-view.ts";
import type { DirectoryView } from "./directory/view.ts";

export interface AuthContext {
  readonly db: Db;
  readonly clock: Clock;
  readonly keyRing: KeyRing;
  readonly directory: DirectoryView;
  readonly view: ScopeView;
  /** Brings the directory up to date, so that a change applies to the next request before its caller has the reply. */
  readonly refreshed: ChangeFollower["refreshed"];
}

/** Who makes a change, and when. */
export interface ChangeBy {
  readonly actor: string;
  readonly now: string;
}

/** Returns what a change by this caller records. */
export const changeBy = (ctx: Pick<AuthContext, "clock">, caller: Caller): ChangeBy => ({
  actor: actorOf(caller),
  now: timestamp(ctx),
});
