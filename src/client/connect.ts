// The client: every service of the contract on one server, with the credentials of one caller.
import { services, type Services } from "../api/services.ts";
import type { Service } from "../api/service.ts";
import { waitingClock, type Clock } from "../lib/clock.ts";
import type { Binding } from "./bindings.ts";
import type { Fetch, Transport } from "./call.ts";
import { cleanRootUrl } from "./endpoint-url.ts";
import { listen, type EventOf, type ListenOptions } from "./event-stream.ts";
import { serviceMethods, type ServiceMethods } from "./service-client.ts";
import { createSigner, type Credentials } from "./signer.ts";

export interface ConnectOptions {
  /** The address of the server. Trailing slashes are ignored. */
  readonly rootUrl: string;
  /** Default: none. Calls are then anonymous. */
  readonly credentials?: Credentials | undefined;
  /** Limits calls to these of the scopes of the credentials. */
  readonly authorizedScopes?: readonly string[] | undefined;
  /** Default: the global `fetch`. */
  readonly fetch?: Fetch;
  /** Retries if there is no answer or the server fails. Default: 5. */
  readonly retries?: number;
  /** The timeout of each try in milliseconds. Default: 30,000. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
}

/** The methods of a service, and a way to call it with other credentials. */
export type ServiceClient<S extends Service> = ServiceMethods<S> & {
  withCredentials(credentials: Credentials): ServiceClient<S>;
};

export interface EventListening {
  /**
   * Resolves to the events of the bindings as soon as the subscription is active, so that no later event is missed:
   * `for await (const event of await client.events.listen([queueEvents.taskCompleted()])) …`.
   */
  listen<const B extends Binding>(
    bindings: readonly B[],
    options?: ListenOptions,
  ): Promise<AsyncGenerator<EventOf<B>, void, undefined>>;
}

type EventsClient = Omit<ServiceClient<Services["events"]>, "connect"> & {
  /** Only the URL, for an `EventSource`: a stream is not a reply. */
  readonly connect: Pick<ServiceMethods<Services["events"]>["connect"], "url">;
} & EventListening;

export type Client = { readonly [K in Exclude<keyof Services, "events">]: ServiceClient<Services[K]> } & {
  readonly events: EventsClient;
  readonly rootUrl: string;
  /** Returns a client of the same server with other credentials. */
  withCredentials(credentials: Credentials): Client;
  /** Returns a URL that anyone may GET until it expires, after `expiresMs`. Default: 15 minutes. */
  buildSignedUrl(url: string, options?: { readonly expiresMs?: number }): Promise<string>;
};

/** Creates a client. Sends nothing before the first call. Throws if the root URL or a certificate is malformed. */
export function connect(options: ConnectOptions): Client {
  const rootUrl = cleanRootUrl(options.rootUrl);
  const { credentials, authorizedScopes, clock = waitingClock } = options;
  if (authorizedScopes && !credentials)
    throw new Error(
      "authorizedScopes limit the scopes of credentials, but there are no credentials: set them, or omit authorizedScopes",
    );
  const signer = credentials && createSigner(credentials, authorizedScopes);
  const transport: Transport = {
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    clock,
    signer,
    retries: options.retries ?? 5,
    timeoutMs: options.timeoutMs ?? 30_000,
  };
  const withCredentials = (other: Credentials): Client => {
    // authorizedScopes limit the original credentials. The new ones may not even satisfy them.
    const { authorizedScopes: _, ...rest } = options;
    return connect({ ...rest, credentials: other });
  };

  const clients: Record<string, object> = {};
  for (const [key, service] of Object.entries(services)) {
    clients[key] = {
      ...serviceMethods(transport, rootUrl, service),
      withCredentials: (other: Credentials) => withCredentials(other)[key as keyof Services],
    };
  }
  const events: EventListening = {
    listen: (bindings, listenOptions) => listen(transport, rootUrl, bindings, listenOptions),
  };
  // The loop above created a member for each service.
  return Object.assign(clients as { [K in keyof Services]: ServiceClient<Services[K]> }, {
    events: { ...clients["events"], ...events },
    rootUrl,
    withCredentials,
    async buildSignedUrl(url: string, { expiresMs = 900_000 }: { readonly expiresMs?: number } = {}) {
      if (!signer) throw new Error("signing a URL requires credentials: pass them to connect");
      return signer.signUrl(url, clock.now() + expiresMs);
    },
  });
}
