// Clients and roles: the directory against which authentication checks requests.
import { compileRoles, type RoleResolver } from "../../../lib/scopes/roles.ts";
import { ConfigError } from "../../core/config/problem.ts";
import { SERVICE_CLIENT_PREFIX, type ServiceClient } from "../../core/service-client.ts";

/** A permanent client. Times are milliseconds since the epoch. */
export interface Client {
  readonly clientId: string;
  readonly accessToken: string;
  readonly description: string;
  /** As configured: roles are not expanded. */
  readonly scopes: readonly string[];
  readonly created: number;
  readonly expires: number;
  readonly disabled: boolean;
}

/**
 * All clients and roles, in memory, so that checking a request waits for nothing. An update replaces the changed
 * objects and increments `generation`, which invalidates everything derived from the directory.
 */
export interface ClientDirectory {
  readonly generation: number;
  readonly roles: RoleResolver;
  /** The client with this id, even if it is disabled or has expired. */
  client(clientId: string): Client | undefined;
}

export interface StaticClientSettings {
  readonly rootClientId: string;
  readonly rootAccessToken: string;
  readonly staticClients: readonly {
    readonly clientId: string;
    readonly accessToken: string;
    readonly description?: string | undefined;
    readonly scopes: readonly string[];
  }[];
  /** The scopes of the role `anonymous`, which every caller has. */
  readonly anonymousScopes: readonly string[];
  /** The clients that services of this server sign with. */
  readonly serviceClients: readonly ServiceClient[];
}

/**
 * Returns the directory of an instance whose clients are all defined by its configuration. `since` is their creation
 * time in milliseconds. Throws `ConfigError` if a client id is taken twice or reserved.
 */
export function staticClients(settings: StaticClientSettings, since: number): ClientDirectory {
  // They exist as long as the configuration names them, but the API requires a date.
  const expires = new Date(since).setUTCFullYear(new Date(since).getUTCFullYear() + 1000);
  const times = { created: since, expires, disabled: false };
  const clients = new Map<string, Client>();
  for (const client of settings.serviceClients) clients.set(client.clientId, { ...times, ...client });
  if (clients.has(settings.rootClientId))
    throw wrongId("auth.rootClientId", settings.rootClientId, "is the client of one of Taskyard's services");
  clients.set(settings.rootClientId, {
    ...times,
    clientId: settings.rootClientId,
    accessToken: settings.rootAccessToken,
    description: "The root client, which may do everything.",
    scopes: ["*"],
  });
  settings.staticClients.forEach(({ description = "", ...client }, i) => {
    const key = `auth.staticClients[${i}].clientId`;
    if (clients.has(client.clientId))
      throw wrongId(key, client.clientId, "is the id of another client already");
    if (client.clientId.startsWith(SERVICE_CLIENT_PREFIX)) {
      throw wrongId(
        key,
        client.clientId,
        `is reserved: ids below ${SERVICE_CLIENT_PREFIX} belong to Taskyard's services`,
      );
    }
    clients.set(client.clientId, { ...times, ...client, description });
  });
  return {
    generation: 0,
    roles: compileRoles([{ roleId: "anonymous", scopes: settings.anonymousScopes }]),
    client: (clientId) => clients.get(clientId),
  };
}

const wrongId = (key: string, value: string, problem: string): ConfigError =>
  new ConfigError([
    { key, origin: "configuration", value, problem: `${problem}; choose another id, such as static/my-tool` },
  ]);
