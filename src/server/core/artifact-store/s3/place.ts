// Where an artifact is in S3: its bucket and its key there.
import { ApiError } from "../../../../lib/errors.ts";
import { describeKey, type StoreKey } from "../index.ts";

export interface Buckets {
  readonly publicBucket: string;
  readonly privateBucket: string;
}

export interface Place {
  readonly bucket: string;
  readonly key: string;
}

/** What S3 takes. */
const MAX_KEY_BYTES = 1024;

/**
 * Artifacts are at `<taskId>/<runId>/<name>`, those whose name begins `public/` in the public bucket. Objects are at
 * `objects/<contentId>/<name>`, and what is uploaded for them at `uploads/<uploadId>/<name>`: these are no tasks' ids, so
 * nobody replaces an artifact by an object of that name.
 */
export function placeOf({ publicBucket, privateBucket }: Buckets, of: StoreKey): Place {
  const name = pathOf(of);
  const isPublic = !("object" in of) && of.name.startsWith("public/");
  const key = name.split("/").map(kept).join("/");
  if (Buffer.byteLength(key) > MAX_KEY_BYTES)
    throw new ApiError(
      "InputError",
      `The name of ${describeKey(of)} is too long for the store: S3 takes keys of ${MAX_KEY_BYTES} bytes, ` +
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
 * Browsers and proxies take `.`, `..` and empty parts out of paths, and MinIO refuses them in keys; so they get a tilde
 * in front, which is doubled where a part begins with one.
 */
const kept = (part: string): string => (/^(\.{0,2}$|~)/.test(part) ? `~${part}` : part);

/** A key as the path of a URL. */
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
