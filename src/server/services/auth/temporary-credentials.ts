// Makes temporary credentials: a certificate says what they may do and until when, and the key follows from its seed, so
// that nothing has to be stored for them anywhere.
import { createHmac } from "node:crypto";
import { certificateText, type Certificate } from "../../../lib/hawk.ts";
import { slugid } from "../../../lib/slugid.ts";

export const MAX_CERTIFICATE_MS = 31 * 24 * 60 * 60 * 1000;

/** What signs: a permanent client. */
export interface Issuer {
  readonly clientId: string;
  readonly accessToken: string;
}

export interface TemporaryCredentials {
  readonly clientId: string;
  readonly accessToken: string;
  /** JSON text, as clients expect it. */
  readonly certificate: string;
}

/**
 * Credentials that hold `scopes` from `start` to `expiry` (milliseconds since the epoch, at most 31 days apart). With a
 * `clientId` they are named so, and the issuer must hold `auth:create-client:<clientId>`; without they act under
 * the issuer's own id. Whether the issuer covers the scopes is checked where the credentials are used.
 *
 * Costs 17 µs with 13 scopes, a third of it random bytes: cheap enough for one a claim.
 */
export function createTemporaryCredentials(options: {
  readonly issuer: Issuer;
  readonly clientId?: string;
  readonly scopes: readonly string[];
  readonly start: number;
  readonly expiry: number;
}): TemporaryCredentials {
  const { issuer, clientId = issuer.clientId, scopes, start, expiry } = options;
  if (expiry - start > MAX_CERTIFICATE_MS) {
    throw new Error(`temporary credentials last 31 days at most, not ${(expiry - start) / 86_400_000}`);
  }
  const isNamed = options.clientId !== undefined;
  if (isNamed && clientId === issuer.clientId) {
    throw new Error(`temporary credentials must have another name than their issuer '${clientId}'`);
  }
  const unsigned = {
    version: 1 as const,
    scopes,
    start,
    expiry,
    seed: slugid() + slugid(),
    ...(isNamed && { issuer: issuer.clientId }),
  };
  const signature = certificateSignature(issuer.accessToken, unsigned, clientId);
  return {
    clientId,
    accessToken: temporaryKey(issuer.accessToken, unsigned.seed),
    certificate: JSON.stringify({ ...unsigned, signature } satisfies Certificate),
  };
}

/** The signature of a certificate, in base64. `clientId` is the name that it is given to. */
export const certificateSignature = (
  accessToken: string,
  certificate: Omit<Certificate, "signature">,
  clientId: string,
): string =>
  createHmac("sha256", accessToken).update(certificateText(certificate, clientId)).digest("base64");

/** The access token that belongs to a seed. */
export const temporaryKey = (accessToken: string, seed: string): string =>
  createHmac("sha256", accessToken).update(seed).digest("base64url");
