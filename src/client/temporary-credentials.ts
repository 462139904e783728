// Creates temporary credentials without a request to the server: a certificate signed with the issuer's access token.
import { certificateText, type Certificate } from "../lib/hawk.ts";
import { slugid } from "../lib/slugid.ts";
import { hmac } from "./hmac.ts";
import type { Credentials } from "./signer.ts";

export interface TemporaryCredentialsRequest {
  /** The permanent credentials of the issuer. Temporary ones cannot issue others. */
  readonly credentials: Credentials;
  readonly scopes: readonly string[];
  /** In milliseconds since the epoch. */
  readonly expiry: number;
  /** In milliseconds since the epoch. Default: five minutes ago, for clocks that are behind. */
  readonly start?: number;
  /** The name of the credentials. The issuer needs `auth:create-client:<clientId>` for it. Default: the issuer's. */
  readonly clientId?: string;
}

/** Credentials that the client created. The certificate is JSON text. */
export interface NamedCredentials {
  readonly clientId: string;
  readonly accessToken: string;
  readonly certificate: string;
}

const longestMs = 31 * 86_400_000;

/**
 * Creates temporary credentials. Rejects if servers would not accept them: if the issuer's are temporary, if they would last
 * longer than 31 days or not at all, or if a scope has a character other than printable ASCII.
 */
export async function createTemporaryCredentials(
  request: TemporaryCredentialsRequest,
): Promise<NamedCredentials> {
  const {
    credentials,
    scopes,
    expiry,
    start = Date.now() - 300_000,
    clientId = credentials.clientId,
  } = request;
  if (credentials.certificate)
    throw new Error("temporary credentials cannot issue others: use permanent ones, or authorizedScopes");
  if (!(expiry > start))
    throw new Error(`the expiry ${expiry} must be a time after the start ${start}, in milliseconds`);
  const invalid = scopes.find((scope) => !/^[\x20-\x7e]*$/.test(scope));
  if (invalid !== undefined)
    throw new Error(`the scope ${JSON.stringify(invalid)} must consist of printable ASCII characters`);
  if (expiry - start > longestMs)
    throw new Error("temporary credentials must last at most 31 days: choose an earlier expiry");
  const mac = hmac(credentials.accessToken);
  const seed = slugid() + slugid();
  const named = clientId === credentials.clientId ? {} : { issuer: credentials.clientId };
  const signed: Omit<Certificate, "signature"> = { version: 1, scopes, start, expiry, seed, ...named };
  const signature = await mac(certificateText(signed, clientId));
  const token = await mac(seed);
  return {
    clientId,
    accessToken: token
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replace(/={1,2}$/, ""),
    certificate: JSON.stringify({ ...signed, signature }),
  };
}
