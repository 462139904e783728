// Clients and roles as authentication sees them: in memory, so that checking a request waits for nothing.
import type { RoleView } from "./role-view.ts";

/** A permanent client. A change replaces the object, which invalidates everything derived from it. */
export interface Client {
  readonly clientId: string;
  readonly accessToken: string;
  /** As assigned: roles are not expanded. */
  readonly scopes: readonly string[];
  /** In milliseconds since the epoch. */
  readonly expires: number;
  readonly disabled: boolean;
}

export interface ClientDirectory {
  readonly roles: RoleView;
  /** Returns the client with this id, even if it is disabled or has expired. */
  client(clientId: string): Client | undefined;
}
