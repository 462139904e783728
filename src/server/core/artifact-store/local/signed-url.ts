// URLs that allow their holder to upload or download one artifact, signed and verified by this server.
import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { ApiError } from "../../../../lib/errors.ts";
import type { StoreKey } from "../index.ts";

/** The request that a signed URL allows. */
export interface Grant {
  /** GET includes HEAD. */
  readonly method: "GET" | "PUT";
  readonly key: StoreKey;
  /** The Content-Type that an upload must have; empty for GET. */
  readonly contentType: string;
  /** In milliseconds since the epoch, rounded to seconds. */
  readonly expires: number;
}

export const STORE_PATH = "/artifact-store";
/** In place of a task id, which is longer. */
const OBJECTS = "objects";
const UPLOADS = "uploads";

/** Derives the signing key from the secret of the instance. The key does not reveal the secret. */
export const signingKey = (secret: string): Buffer =>
  Buffer.from(hkdfSync("sha256", secret, "", "taskyard artifact-store urls 1", 32));

/**
 * Returns the URL of a grant. Its path ends with the artifact's name, which `curl -O` and browsers use as file name.
 */
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

/** Returns what the path and query of a request allow at this time. Throws `AccessDenied`. */
export function checkSignedUrl(key: Buffer, method: Grant["method"], target: string, now: number): Grant {
  const grant = readGrant(method, target);
  const given = Buffer.from(grant?.signature ?? "", "base64url");
  if (!grant || given.length !== 32 || !timingSafeEqual(given, signatureOf(key, grant)))
    throw new ApiError(
      "AccessDenied",
      `The signature of this URL is invalid: the URL was modified, or was not created for ${method}. ` +
        `Request a URL from the queue, and use it unchanged.`,
    );
  if (grant.expires <= now)
    throw new ApiError(
      "AccessDenied",
      `This URL expired at ${new Date(grant.expires).toISOString()}. Request a new one from the queue.`,
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
    // Invalid URL or percent-encoding. No signature can match it.
    return undefined;
  }
}

/** Signs a JSON list, which is different for any two grants. */
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
 * Encodes a part of a name as a segment of a path. Browsers, curl and proxies remove `.`, `..` and empty segments,
 * encoded or not, so these get a tilde in front; a leading tilde is doubled.
 */
const toSegment = (part: string): string =>
  (/^(\.{0,2}$|~)/.test(part) ? "~" : "") + encodeURIComponent(part);

const fromSegment = (segment: string): string => decodeURIComponent(segment).replace(/^~/, "");
