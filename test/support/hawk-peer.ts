// The other side of the wire: Hawk and temporary credentials as the compatible client for Node has them.
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

/** The methods of the client's Auth that tests call. */
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

// Neither package has types; what the tests use of them stands above, and a wrong word there fails the tests.
const here = createRequire(import.meta.url);
const hawk = createRequire(here.resolve("taskcluster-client"))("hawk") as Hawk;
const taskcluster = here("taskcluster-client") as TaskclusterClient;

const algorithm = "sha256";

/** An Authorization header, signed now unless `timestamp` (seconds) says otherwise. */
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

/** A bewit that lasts `ttlSec` from now; a negative one has ended. */
export const peerBewit = (
  url: string,
  credentials: PeerCredentials,
  { ttlSec = 900, ext }: { readonly ttlSec?: number; readonly ext?: string } = {},
): string => hawk.client.getBewit(url, { ttlSec, ext, credentials: { ...credentials, algorithm } });

/** Rejects where the reference server would not let the request in. */
export const peerChecksHeader = async (
  request: { method: string; url: string; host: string; port: number; authorization: string },
  key: string,
  options: { readonly payload?: string } = {},
): Promise<{ readonly hash?: string; readonly ext?: string }> =>
  (await hawk.server.authenticate(request, () => Promise.resolve({ key, algorithm }), options)).artifacts;

/** Rejects where the reference server would not accept the bewit in the URL. */
export const peerChecksBewit = async (
  request: { method: string; url: string; host: string; port: number },
  key: string,
): Promise<object> => hawk.server.authenticateBewit(request, () => Promise.resolve({ key, algorithm }));

export const peerText = hawk.crypto.generateNormalizedString;

export const peerPayloadHash = (payload: string, contentType: string | undefined): string =>
  hawk.crypto.calculatePayloadHash(payload, algorithm, contentType);

export const peerTemporaryCredentials = taskcluster.createTemporaryCredentials;

/** The client's own Auth; without credentials it sends none. It does not repeat what failed. */
export const peerAuth = (options: PeerClientOptions): PeerAuth =>
  new taskcluster.Auth({ retries: 0, ...options });
