// Signs URLs with the client of a service.
import { createHmac } from "node:crypto";
import { ApiError } from "../../lib/errors.ts";
import { bewitText, encodeBewit, encodeExt, MAX_HAWK_LENGTH } from "../../lib/hawk.ts";
import type { ServiceClient } from "./service-client.ts";

export interface SignOptions {
  readonly client: Pick<ServiceClient, "clientId" | "accessToken">;
  /** In milliseconds since the epoch. */
  readonly expires: number;
  /** What the URL allows at most. */
  readonly authorizedScopes: readonly string[];
}

/** Returns the URL with a bewit: anyone may GET it until `expires`. Throws `InputError` if it gets too long to be accepted. */
export function signUrl(url: string, { client, expires, authorizedScopes }: SignOptions): string {
  const signed = new URL(url);
  const { hostname: host, port, protocol, pathname, search } = signed;
  const ext = encodeExt({ authorizedScopes });
  const exp = Math.floor(expires / 1000);
  const text = bewitText({
    resource: pathname + search,
    host,
    port: port || (protocol === "https:" ? 443 : 80),
    exp,
    ext,
  });
  const mac = createHmac("sha256", client.accessToken).update(text).digest("base64");
  const bewit = encodeBewit({ id: client.clientId, exp, mac, ext });
  // Appended as text: URLSearchParams would reformat the rest of the query, which is signed as it is.
  signed.search += `${search ? "&" : "?"}bewit=${bewit}`;
  if (signed.pathname.length + signed.search.length > MAX_HAWK_LENGTH)
    throw new ApiError(
      "InputError",
      `The signed URL would have more than ${MAX_HAWK_LENGTH} characters. Call the method of the queue with credentials instead.`,
    );
  return signed.href;
}
