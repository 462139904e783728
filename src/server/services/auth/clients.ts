// Who can sign requests, and what they and everybody may do: the directory that authentication asks.
import { createHmac } from "node:crypto";
import { compileRoles, type RoleResolver } from "../../../lib/scopes/roles.ts";
import { ConfigError } from "../../core/config/problem.ts";

/** A permanent client. Times are milliseconds since the epoch. */
export interface Client {
  readonly clientId: string;
  readonly accessToken: string;
  readonly description: string;
  /** As they were given, roles not expanded. */
  readonly scopes: readonly string[];
  readonly created: number;
  readonly expires: number;
  readonly disabled: boolean;
}

/**
 * All clients and roles, in memory, so that checking a request waits for nothing. Whoever keeps a directory up to
 * date replaces the objects that change and raises `generation`, which drops all that was derived from it.
 */
export interface ClientDirectory {
  readonly generation: number;
  readonly roles: RoleResolver;
  /** The client of this id, also where it is disabled or has expired. */
  client(clientId: string): Client | undefined;
}

export interface StaticClientSettings {
  /** Signs on behalf of the server: the access tokens of its own clients follow from it. */
  readonly secret: string;
  readonly rootClientId: string;
  readonly rootAccessToken: string;
  readonly staticClients: readonly {
    readonly clientId: string;
    readonly accessToken: string;
    readonly description?: string | undefined;
    readonly scopes: readonly string[];
  }[];
  /** What the role `anonymous` grants, and with it every caller. */
  readonly anonymousScopes: readonly string[];
}

/** The client that signs the credentials of tasks. */
export const QUEUE_CLIENT_ID = "static/taskcluster/queue";

/** Ids below this belong to the services of an instance. */
const ownPrefix = "static/taskcluster/";

/**
 * The directory of an instance whose clients all stand in its configuration. `since` is when they came to be, in
 * milliseconds. Throws `ConfigError` where a client id is taken twice or reserved.
 */
export function staticClients(settings: StaticClientSettings, since: number): ClientDirectory {
  // They end when the configuration says so; the API wants a date all the same.
  const expires = new Date(since).setUTCFullYear(new Date(since).getUTCFullYear() + 1000);
  const times = { created: since, expires, disabled: false };
  const root: Client = {
    ...times,
    clientId: settings.rootClientId,
    accessToken: settings.rootAccessToken,
    description: "The root client: may do everything.",
    scopes: ["*"],
  };
  const queue: Client = {
    ...times,
    clientId: QUEUE_CLIENT_ID,
    accessToken: ownAccessToken(settings.secret, QUEUE_CLIENT_ID),
    description: "The queue: signs the credentials of tasks.",
    scopes: ["*"],
  };
  const clients = new Map([queue, root].map((client) => [client.clientId, client]));
  if (clients.size < 2) throw misnamed("auth.rootClientId", root.clientId, "is the queue's own client");
  settings.staticClients.forEach(({ description = "", ...client }, i) => {
    const key = `auth.staticClients[${i}].clientId`;
    if (clients.has(client.clientId))
      throw misnamed(key, client.clientId, "stands for another client already");
    if (client.clientId.startsWith(ownPrefix)) {
      throw misnamed(
        key,
        client.clientId,
        `is reserved: ids below ${ownPrefix} belong to Taskyard's services`,
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

const misnamed = (key: string, value: string, problem: string): ConfigError =>
  new ConfigError([
    { key, origin: "configuration", value, problem: `${problem}; choose another id, such as static/my-tool` },
  ]);

/**
 * The access token of one of the server's own clients. It follows from the secret, so that all processes of an
 * instance agree on it, and nobody has to make up, store or rotate one more secret.
 */
const ownAccessToken = (secret: string, clientId: string): string =>
  createHmac("sha256", secret).update(`access token of ${clientId}`).digest("base64url");
