// The dependencies of authentication.
import type { Clock } from "../../../lib/clock.ts";
import type { ClientDirectory } from "./clients.ts";

export interface AuthContext {
  readonly clients: ClientDirectory;
  readonly clock: Clock;
  /** How far a client's clock may be off, in milliseconds. */
  readonly hawkSkewMs: number;
  /** The URL at which clients reach this server. */
  readonly rootUrl: () => string;
  /** Whether the x-forwarded-* headers come from a trusted proxy in front of this server. */
  readonly trustProxy: boolean;
  /** Whether web pages of other sites have the scopes of callers without credentials. */
  readonly otherSites: boolean;
}
