// What authentication stands on.
import type { Clock } from "../../../lib/clock.ts";
import type { ClientDirectory } from "./clients.ts";

export interface AuthContext {
  readonly clients: ClientDirectory;
  readonly clock: Clock;
  /** How far a client's clock may be off, in milliseconds. */
  readonly hawkSkewMs: number;
  /** The URL that clients know this server by. */
  readonly rootUrl: () => string;
  /** Whether a proxy stands in front whose x-forwarded-* headers tell what the client saw. */
  readonly trustProxy: boolean;
}
