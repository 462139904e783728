// The bucket and key of an artifact in S3.
import { ApiError } from "../../../../lib/errors.ts";
import { describeKey, type StoreKey } from "../index.ts";

export interface Buckets {
  readonly publicBucket: string;
  readonly privateBucket: string;
}

export interface ObjectLocation {
  readonly bucket: string;
  readonly key: string;
}

/** The limit of S3. */
const MAX_KEY_BYTES = 1024;

/**
 * Returns the location of content. Artifacts are at `<taskId>/<runId>/<name>`, in the public bucket if the name starts
 * with `public/`. Objects are at `objects/<contentId>/<name>`, and their uploads at `uploads/<uploadId>/<name>`:
 * neither prefix is a valid task id, so no object can replace an artifact.
 */
export function locateObject({ publicBucket, privateBucket }: Buckets, of: StoreKey): ObjectLocation {
  const name = pathOf(of);
  const isPublic = !("object" in of) && of.name.startsWith("public/");
  const key = name.split("/").map(escapePart).join("/");
  if (Buffer.byteLength(key) > MAX_KEY_BYTES)
    throw new ApiError(
      "InputError",
      `The name of ${describeKey(of)} is too long for the store: S3 keys have at most ${MAX_KEY_BYTES} bytes, ` +
        `and this one has ${Buffer.byteLength(key)}. Use a shorter name.`,
    );
  return { bucket: isPublic ? publicBucket : privateBucket, key };
}

function pathOf(of: StoreKey): string {
  if ("contentId" in of) return `objects/${of.contentId}/${of.object}`;
  if ("uploadId" in of) return `uploads/${of.uploadId}/${of.object}`;
  return `${of.taskId}/${of.runId}/${of.name}`;
}

/**
 * Puts a tilde in front of `.`, `..` and empty parts, which browsers and proxies remove from paths and MinIO refuses in
 * keys. A leading tilde is doubled.
 */
const escapePart = (part: string): string => (/^(\.{0,2}$|~)/.test(part) ? `~${part}` : part);

/** Encodes a key as the path of a URL. */
export const encodeKey = (key: string): string =>
  key
    .split("/")
    .map((part) =>
      encodeURIComponent(part).replaceAll(
        /[!'()*]/g,
        (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
      ),
    )
    .join("/");
