// Creates temporary credentials without a request to the server: a certificate signed with the issuer's access token.
import { certificateText, type Certificate } from "../lib/hawk.ts";
import { slugid } from "../lib/slugid.ts";
import { hmac } from "./hmac.ts";
import type { Credentials } from "./signer.ts";

export interface TemporaryCredentialsRequest {
  /** The permanent credentials of the issuer. Temporary ones cannot issue others. */
  readonly credentials: Pick<Credentials, "clientId" | "accessToken">;
  readonly scopes: readonly string[];
  /** In milliseconds since the epoch. */
  readonly expiry: number;
  /** In milliseconds since the epoch. Default: five minutes ago, for clocks that are behind. */
  readonly start?: number;
  /** The name of the credentials. The issuer needs `auth:create-client:<clientId>` for it. Default: the issuer's. */
  readonly clientId?: string;
}

const longestMs = 31 * 86_400_000;

/** Creates temporary credentials. Rejects if they would last longer than 31 days, the maximum that servers accept. */
export async function createTemporaryCredentials(
  request: TemporaryCredentialsRequest,
): Promise<{ clientId: string; accessToken: string; certificate: string }> {
  const {
    credentials,
    scopes,
    expiry,
    start = Date.now() - 300_000,
    clientId = credentials.clientId,
  } = request;
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
