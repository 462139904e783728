// Temporary credentials, made without asking a server: a certificate that the issuer's access token signs.
import { certificateText, type Certificate } from "../lib/hawk.ts";
import { slugid } from "../lib/slugid.ts";
import { base64, hmac, hmacKey, type Credentials } from "./signer.ts";

export interface TemporaryCredentialsRequest {
  /** The permanent credentials that sign; temporary ones cannot issue others. */
  readonly credentials: Pick<Credentials, "clientId" | "accessToken">;
  readonly scopes: readonly string[];
  /** Milliseconds since the epoch. */
  readonly expiry: number;
  /** Default: five minutes ago, for clocks that are behind. */
  readonly start?: number;
  /** A name of their own; the issuer needs `auth:create-client:<clientId>`. */
  readonly clientId?: string;
}

const longestMs = 31 * 86_400_000;

/** Makes temporary credentials. Rejects where they would last longer than servers take: 31 days. */
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
  if (expiry - start > longestMs) throw new Error("temporary credentials cannot last longer than 31 days");
  const key = await hmacKey(credentials.accessToken);
  const seed = slugid() + slugid();
  const named = clientId === credentials.clientId ? {} : { issuer: credentials.clientId };
  const signed: Omit<Certificate, "signature"> = { version: 1, scopes, start, expiry, seed, ...named };
  const signature = base64(await hmac(key, certificateText(signed, clientId)));
  const token = base64(await hmac(key, seed));
  return {
    clientId,
    accessToken: token.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, ""),
    certificate: JSON.stringify({ ...signed, signature }),
  };
}
