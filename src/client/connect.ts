// The client: every service of the contract on one server, with the credentials of one caller.
import { services, type Services } from "../api/services.ts";
import type { Service } from "../api/service.ts";
import { waitingClock, type Clock } from "../lib/clock.ts";
import { downloadArtifact, type ArtifactDownload, type ArtifactRequest } from "./artifacts/download.ts";
import { uploadArtifact, type ArtifactUpload, type UploadedArtifact } from "./artifacts/upload.ts";
import type { Binding } from "./bindings.ts";
import type { Fetch, Transport } from "./call.ts";
import { cleanRootUrl } from "./endpoint-url.ts";
import { listen, type EventOf, type ListenOptions } from "./event-stream.ts";
import { serviceMethods, type ServiceMethods } from "./service-client.ts";
import { createSigner, type Credentials } from "./signer.ts";
import {
  createTemporaryCredentials,
  type NamedCredentials,
  type TemporaryCredentialsRequest,
} from "./temporary-credentials.ts";

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

/** Temporary credentials to create. */
export type NewCredentials = Omit<TemporaryCredentialsRequest, "credentials">;

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

export interface ArtifactTransfers {
  /** Uploads an artifact of a run, with the credentials of that run. Rejects with a `ClientError`. */
  upload(artifact: ArtifactUpload): Promise<UploadedArtifact>;
  /** Resolves to the content of an artifact as a stream that verifies its hash. Rejects with a `ClientError`. */
  download(artifact: ArtifactRequest): Promise<ArtifactDownload>;
}

type EventsClient = Omit<ServiceClient<Services["events"]>, "connect"> & {
  /** Only the URL, for an `EventSource`: a stream is not a reply. */
  readonly connect: Pick<ServiceMethods<Services["events"]>["connect"], "url">;
} & EventListening;

export type Client = { readonly [K in Exclude<keyof Services, "events">]: ServiceClient<Services[K]> } & {
  readonly events: EventsClient;
  readonly artifacts: ArtifactTransfers;
  readonly rootUrl: string;
  /** Returns a client of the same server with other credentials. */
  withCredentials(credentials: Credentials): Client;
  /**
   * Creates credentials with these scopes, signed by those of the client, without a request. Rejects if the client's are
   * temporary themselves.
   */
  createTemporaryCredentials(request: NewCredentials): Promise<NamedCredentials>;
  /**
   * Returns a URL that anyone may GET until it expires, after `expiresMs` or when temporary credentials end. Default: 15
   * minutes. Rejects if the URL would be longer than servers accept.
   */
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
  const typed = clients as { [K in keyof Services]: ServiceClient<Services[K]> };
  const artifacts: ArtifactTransfers = {
    upload: (artifact) => uploadArtifact(transport, typed, artifact),
    download: (artifact) => downloadArtifact(transport, typed, artifact),
  };
  return Object.assign(typed, {
    artifacts,
    events: { ...clients["events"], ...events },
    rootUrl,
    withCredentials,
    async createTemporaryCredentials(request: NewCredentials) {
      if (!credentials)
        throw new Error("creating temporary credentials requires credentials: pass them to connect");
      return createTemporaryCredentials({ start: clock.now() - 300_000, ...request, credentials });
    },
    async buildSignedUrl(url: string, { expiresMs = 900_000 }: { readonly expiresMs?: number } = {}) {
      if (!signer) throw new Error("signing a URL requires credentials: pass them to connect");
      if (!Number.isFinite(expiresMs))
        throw new Error(`expiresMs ${expiresMs} must be a number of milliseconds, such as 900_000`);
      return signer.signUrl(url, clock.now() + expiresMs);
    },
  });
}
