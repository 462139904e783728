// URLs that let their holder put or get one artifact, signed by this server for itself.
import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { ApiError } from "../../../../lib/errors.ts";
import type { StoreKey } from "../index.ts";

/** What a signed URL allows. */
export interface Grant {
  /** HEAD goes with GET. */
  readonly method: "GET" | "PUT";
  readonly key: StoreKey;
  /** The Content-Type that an upload must have; empty for GET. */
  readonly contentType: string;
  /** Milliseconds since the epoch; whole seconds. */
  readonly expires: number;
}

export const STORE_PATH = "/artifact-store";
/** They stand where a task's id would, which is longer. */
const OBJECTS = "objects";
const UPLOADS = "uploads";

/** The key that signs, from the secret of the instance: whoever learns the one does not know the other. */
export const signingKey = (secret: string): Buffer =>
  Buffer.from(hkdfSync("sha256", secret, "", "taskyard artifact-store urls 1", 32));

/** The URL of a grant. The path ends in the artifact's own name, so that `curl -O` and browsers name files well. */
export function signedUrl(key: Buffer, rootUrl: string, grant: Grant): string {
  const { key: of } = grant;
  const path = partsOf(of).join("/").split("/").map(toSegment).join("/");
  const query = new URLSearchParams({
    ...(grant.method === "PUT" && { "content-type": grant.contentType }),
    expires: String(grant.expires / 1000),
    signature: signatureOf(key, grant).toString("base64url"),
  });
  return `${rootUrl}${STORE_PATH}/${path}?${query.toString()}`;
}

/** What the path and query of a request allow now; throws `AccessDenied`. */
export function checkSignedUrl(key: Buffer, method: Grant["method"], target: string, now: number): Grant {
  const grant = readGrant(method, target);
  const given = Buffer.from(grant?.signature ?? "", "base64url");
  if (!grant || given.length !== 32 || !timingSafeEqual(given, signatureOf(key, grant)))
    throw new ApiError(
      "AccessDenied",
      `The signature of this URL does not fit: it was changed on the way, or was not made for ${method}. ` +
        `Ask the queue for a URL, and use it as it is.`,
    );
  if (grant.expires <= now)
    throw new ApiError(
      "AccessDenied",
      `This URL expired at ${new Date(grant.expires).toISOString()}. Ask the queue for a new one.`,
    );
  return grant;
}

function readGrant(method: Grant["method"], target: string): (Grant & { signature: string }) | undefined {
  try {
    const { pathname, searchParams } = new URL(target, "http://store");
    const [first = "", ...rest] = pathname
      .slice(STORE_PATH.length + 1)
      .split("/")
      .map(fromSegment);
    const [second = "", ...others] = rest;
    const name = others.join("/");
    return {
      method,
      key:
        first === OBJECTS
          ? { object: name, contentId: second }
          : first === UPLOADS
            ? { object: name, uploadId: second }
            : { taskId: first, runId: Number(second), name },
      contentType: method === "PUT" ? (searchParams.get("content-type") ?? "") : "",
      expires: Number(searchParams.get("expires")) * 1000,
      signature: searchParams.get("signature") ?? "",
    };
  } catch {
    // Not a URL, or not percent-encoding: then its signature fits nothing either.
    return undefined;
  }
}

/** Over a JSON list, in which no two grants look the same. */
function signatureOf(key: Buffer, { method, key: of, contentType, expires }: Grant): Buffer {
  return createHmac("sha256", key)
    .update(JSON.stringify([method, ...partsOf(of), contentType, expires]))
    .digest();
}

function partsOf(key: StoreKey): readonly (string | number)[] {
  if ("contentId" in key) return [OBJECTS, key.contentId, key.object];
  return "uploadId" in key ? [UPLOADS, key.uploadId, key.object] : [key.taskId, key.runId, key.name];
}

/**
 * A part of a name as a segment of a path. `.`, `..` and empty segments are taken out of paths by browsers,
 * curl and proxies, encoded or not; a tilde in front keeps them, and so is doubled where a part begins with one.
 */
const toSegment = (part: string): string =>
  (/^(\.{0,2}$|~)/.test(part) ? "~" : "") + encodeURIComponent(part);

const fromSegment = (segment: string): string => decodeURIComponent(segment).replace(/^~/, "");
