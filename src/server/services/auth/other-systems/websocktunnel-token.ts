// Tokens for websocktunnel, the proxy through which workers expose live logs: JSON Web Tokens with a shared secret (HS256).
import { createHmac } from "node:crypto";

const VALID_MS = 96 * 60 * 60 * 1000;
/** Tolerates a proxy whose clock is behind. */
const EARLIER_MS = 15 * 60 * 1000;

/** Returns a token with which `clientId` may register as `wstClient`, and when it expires, in milliseconds. */
export function websocktunnelToken(
  secret: string,
  { wstClient, wstAudience, clientId }: { wstClient: string; wstAudience: string; clientId: string },
  now: number,
): { token: string; expires: number } {
  const seconds = Math.floor(now / 1000);
  const exp = seconds + VALID_MS / 1000;
  const claims = {
    iat: seconds,
    exp,
    nbf: seconds - EARLIER_MS / 1000,
    iss: "taskcluster-auth",
    sub: clientId,
    aud: wstAudience,
    tid: wstClient,
  };
  const signed = `${encoded({ alg: "HS256", typ: "JWT" })}.${encoded(claims)}`;
  const signature = createHmac("sha256", secret).update(signed).digest("base64url");
  return { token: `${signed}.${signature}`, expires: exp * 1000 };
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
