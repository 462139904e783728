// The peer in tests of authentication: Hawk and temporary credentials of Taskcluster's client for Node.
import { createRequire } from "node:module";

export interface PeerCredentials {
  readonly id: string;
  readonly key: string;
}

interface Hawk {
  readonly client: {
    header: (url: string, method: string, options: object) => { readonly header: string };
    getBewit: (url: string, options: object) => string;
  };
  readonly server: {
    authenticate: (
      request: object,
      credentials: (id: string) => Promise<object>,
      options: object,
    ) => Promise<{ readonly artifacts: { readonly hash?: string; readonly ext?: string } }>;
    authenticateBewit: (request: object, credentials: (id: string) => Promise<object>) => Promise<object>;
  };
  readonly crypto: {
    generateNormalizedString: (type: string, artifacts: object) => string;
    calculatePayloadHash: (payload: string, algorithm: string, contentType: string | undefined) => string;
  };
}

/** The methods of the client for auth that tests call. */
export interface PeerAuth {
  ping(): Promise<unknown>;
  client(clientId: string): Promise<Record<string, unknown>>;
  currentScopes(): Promise<{ readonly scopes: readonly string[] }>;
  expandScopes(body: object): Promise<{ readonly scopes: readonly string[] }>;
  authenticateHawk(body: object): Promise<Record<string, unknown>>;
  testAuthenticate(body: object): Promise<{ readonly clientId: string; readonly scopes: readonly string[] }>;
  testAuthenticateGet(): Promise<{ readonly clientId: string; readonly scopes: readonly string[] }>;
  buildSignedUrl(method: unknown, ...args: unknown[]): string;
}

export interface PeerClientOptions {
  readonly rootUrl: string;
  readonly credentials?: {
    readonly clientId: string;
    readonly accessToken: string;
    readonly certificate?: string;
  };
  readonly authorizedScopes?: readonly string[];
}

interface TaskclusterClient {
  Auth: new (options: PeerClientOptions & { readonly retries: number }) => PeerAuth;
  createTemporaryCredentials: (options: {
    readonly credentials: { readonly clientId: string; readonly accessToken: string };
    readonly clientId?: string;
    readonly scopes: readonly string[];
    readonly start: Date;
    readonly expiry: Date;
  }) => { readonly clientId: string; readonly accessToken: string; readonly certificate: string };
}

// Neither package has types. The interfaces above cover what the tests use; a mistake in them fails the tests.
const here = createRequire(import.meta.url);
const hawk = createRequire(here.resolve("taskcluster-client"))("hawk") as Hawk;
const taskcluster = here("taskcluster-client") as TaskclusterClient;

const algorithm = "sha256";

/** Returns an Authorization header, signed at `timestamp` (seconds, default: now). */
export const peerHeader = (
  url: string,
  method: string,
  credentials: PeerCredentials,
  options: {
    readonly ext?: string | undefined;
    readonly payload?: string;
    readonly contentType?: string;
    readonly timestamp?: number | string;
  } = {},
): string =>
  hawk.client.header(url, method, { ...options, credentials: { ...credentials, algorithm } }).header;

/** Returns a bewit that is valid for `ttlSec` from now. With a negative value it has expired. */
export const peerBewit = (
  url: string,
  credentials: PeerCredentials,
  { ttlSec = 900, ext }: { readonly ttlSec?: number; readonly ext?: string } = {},
): string => hawk.client.getBewit(url, { ttlSec, ext, credentials: { ...credentials, algorithm } });

/** Rejects if the reference server would not accept the request. */
export const peerChecksHeader = async (
  request: { method: string; url: string; host: string; port: number; authorization: string },
  key: string,
  options: { readonly payload?: string } = {},
): Promise<{ readonly hash?: string; readonly ext?: string }> =>
  (await hawk.server.authenticate(request, () => Promise.resolve({ key, algorithm }), options)).artifacts;

/** Rejects if the reference server would not accept the bewit in the URL. */
export const peerChecksBewit = async (
  request: { method: string; url: string; host: string; port: number },
  key: string,
): Promise<object> => hawk.server.authenticateBewit(request, () => Promise.resolve({ key, algorithm }));

export const peerText = hawk.crypto.generateNormalizedString;

export const peerPayloadHash = (payload: string, contentType: string | undefined): string =>
  hawk.crypto.calculatePayloadHash(payload, algorithm, contentType);

export const peerTemporaryCredentials = taskcluster.createTemporaryCredentials;

/** Returns Taskcluster's client for auth, without retries. Without credentials it sends none. */
export const peerAuth = (options: PeerClientOptions): PeerAuth =>
  new taskcluster.Auth({ retries: 0, ...options });
