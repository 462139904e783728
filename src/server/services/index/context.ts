// The dependencies of the index service.
import type { Clock } from "../../../lib/clock.ts";
import type { ScopeSet } from "../../../lib/scopes/scope-set.ts";
import type { Db } from "../../core/db.ts";
import type { Monitor } from "../../core/monitor.ts";
import type { ServiceClient } from "../../core/service-client.ts";
import type { Queue } from "../queue/index.ts";

export interface IndexContext {
  readonly db: Db;
  readonly clock: Clock;
  readonly monitor: Monitor;
  readonly queue: Pick<Queue, "task" | "getLatestArtifact">;
  /** Returns the scopes of callers without credentials. */
  readonly anonymousScopes: () => ScopeSet;
  /** The client that signs URLs of artifacts. */
  readonly client: Pick<ServiceClient, "clientId" | "accessToken">;
}
