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

interface TaskclusterClient {
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
