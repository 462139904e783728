// The client: every service of the contract at one server, called as one caller.
import { services, type Services } from "../api/services.ts";
import type { Service } from "../api/service.ts";
import { waitingClock, type Clock } from "../lib/clock.ts";
import type { Binding } from "./bindings.ts";
import type { Transport } from "./call.ts";
import { cleanRootUrl } from "./endpoint-url.ts";
import { listen, type EventOf, type ListenOptions } from "./event-stream.ts";
import { serviceMethods, type ServiceMethods } from "./service-client.ts";
import { createSigner, type Credentials } from "./signer.ts";

export interface ConnectOptions {
  /** The address of the server; slashes at its end do not matter. */
  readonly rootUrl: string;
  /** Without them, calls are anonymous. */
  readonly credentials?: Credentials | undefined;
  /** Limits calls to these scopes, of those that the credentials give. */
  readonly authorizedScopes?: readonly string[] | undefined;
  /** Default: the global one. */
  readonly fetch?: typeof fetch;
  /** Tries after the first, where no answer came or the server failed. Default: 5. */
  readonly retries?: number;
  /** Of each try, in milliseconds. Default: 30,000. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
}

/** A service with its methods, and the same service called as somebody else. */
export type ServiceClient<S extends Service> = ServiceMethods<S> & {
  withCredentials(credentials: Credentials): ServiceClient<S>;
};

export interface EventListening {
  /**
   * Resolves, once the server listens, to the events of the bindings from then on:
   * `for await (const event of await client.events.listen([queueEvents.taskCompleted()])) …`.
   */
  listen<const B extends Binding>(
    bindings: readonly B[],
    options?: ListenOptions,
  ): Promise<AsyncGenerator<EventOf<B>, void, undefined>>;
}

type EventsClient = Omit<ServiceClient<Services["events"]>, "connect"> & {
  /** Only its address, for an `EventSource`: a stream is no reply. */
  readonly connect: Pick<ServiceMethods<Services["events"]>["connect"], "url">;
} & EventListening;

export type Client = { readonly [K in Exclude<keyof Services, "events">]: ServiceClient<Services[K]> } & {
  readonly events: EventsClient;
  readonly rootUrl: string;
  /** The same server, called as somebody else. */
  withCredentials(credentials: Credentials): Client;
  /** A URL that anybody may GET for a while. `expiresMs`: how long, default 15 minutes. */
  buildSignedUrl(url: string, options?: { readonly expiresMs?: number }): Promise<string>;
};

/** Makes a client. Nothing is sent before the first call. Throws where the root URL or a certificate is malformed. */
export function connect(options: ConnectOptions): Client {
  const rootUrl = cleanRootUrl(options.rootUrl);
  const { credentials, authorizedScopes, clock = waitingClock } = options;
  if (authorizedScopes && !credentials)
    throw new Error("authorizedScopes limit credentials, and there are none");
  const signer = credentials && createSigner(credentials, authorizedScopes);
  const transport: Transport = {
    fetch: options.fetch ?? ((...args) => fetch(...args)),
    clock,
    signer,
    retries: options.retries ?? 5,
    timeoutMs: options.timeoutMs ?? 30_000,
  };
  const withCredentials = (other: Credentials): Client => {
    // The limit was one on the former credentials, which the new ones need not even satisfy.
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
    listen: (bindings, how) => listen(transport, rootUrl, bindings, how),
  };
  // One member was made for each service just above.
  return Object.assign(clients as { [K in keyof Services]: ServiceClient<Services[K]> }, {
    events: { ...clients["events"], ...events },
    rootUrl,
    withCredentials,
    async buildSignedUrl(url: string, { expiresMs = 900_000 }: { readonly expiresMs?: number } = {}) {
      if (!signer) throw new Error("a signed URL needs credentials to sign with");
      return signer.signUrl(url, clock.now() + expiresMs);
    },
  });
}
