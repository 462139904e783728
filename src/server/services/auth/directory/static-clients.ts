// Clients of the configuration: the root client, those of the services, and further ones.
import { ConfigError } from "../../../core/config/problem.ts";
import { SERVICE_CLIENT_PREFIX, type ServiceClient } from "../../../core/service-client.ts";
import type { Client } from "./client-directory.ts";

/** Ids with this prefix are those of the configuration. No method of the API creates or changes such a client. */
export const STATIC_PREFIX = "static/";

export interface StaticClient extends Client {
  readonly description: string;
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
  /** The clients that services of this server sign with. */
  readonly serviceClients: readonly ServiceClient[];
}

/** Returns the clients of the configuration. Throws `ConfigError` if a client id is taken twice or reserved. */
export function staticClients(settings: StaticClientSettings, now: number): StaticClient[] {
  // They exist as long as the configuration names them, but the API requires a date.
  const expires = new Date(now).setUTCFullYear(new Date(now).getUTCFullYear() + 1000);
  const clients = new Map<string, StaticClient>();
  const add = (client: Omit<StaticClient, "expires" | "disabled">): void => {
    const { clientId, accessToken, description, scopes } = client;
    clients.set(clientId, { clientId, accessToken, description, scopes, expires, disabled: false });
  };
  settings.serviceClients.forEach(add);
  if (clients.has(settings.rootClientId))
    throw wrongId("auth.rootClientId", settings.rootClientId, "is the client of one of Taskyard's services");
  add({
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
    add({ ...client, description });
  });
  return [...clients.values()];
}

const wrongId = (key: string, value: string, problem: string): ConfigError =>
  new ConfigError([
    { key, origin: "configuration", value, problem: `${problem}; choose another id, such as static/my-tool` },
  ]);
