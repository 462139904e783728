// An artifact store in a folder of this machine, or of a network file system that several servers share.
import { createHash } from "node:crypto";
import type { Clock } from "../../../../lib/clock.ts";
import type { ArtifactStore, StoredArtifact } from "../index.ts";
import { openFolder, type ArtifactFiles, type Description } from "./files.ts";
import { checkSignedUrl, signedUrl, signingKey, type Grant } from "./signed-url.ts";

export interface LocalStoreOptions {
  /** Made, for this user alone, where it does not exist. */
  readonly dir: string;
  /** What the key that signs URLs is made from; the same in all processes that share the folder. */
  readonly secret: string;
  /** How long a download URL is good at least, in milliseconds. */
  readonly signedUrlExpires: number;
  /** Where clients reach this server, if it was said; else URLs begin as the caller's request did. */
  readonly rootUrl?: string | undefined;
  readonly clock: Clock;
}

export interface LocalStore extends ArtifactStore {
  /** For the routes that serve the store. */
  readonly files: ArtifactFiles;
  /** What the path and query of a request allow; throws `AccessDenied`. */
  check(method: Grant["method"], target: string): Grant;
}

const secondsUp = (ms: number): number => Math.ceil(ms / 1000) * 1000;

/** Rejects where the folder cannot be made or written. */
export async function openLocalStore(options: LocalStoreOptions): Promise<LocalStore> {
  const { clock, signedUrlExpires } = options;
  const key = signingKey(options.secret);
  const files = await openFolder(options.dir, clock);
  const root = (asked: string): string => (options.rootUrl ?? asked).replace(/\/$/, "");

  return {
    files,
    check: (method, target) => checkSignedUrl(key, method, target, clock.now()),
    // Any name, and as many bytes as the PUT is allowed, which says so itself.
    requireFit: () => undefined,
    uploadUrl: async ({ key: of, contentType, expires, rootUrl }) =>
      signedUrl(key, root(rootUrl), { method: "PUT", key: of, contentType, expires: secondsUp(expires) }),

    // Signed for public names too, though nobody has to be kept from those: who may read them is a setting (the
    // scopes of the anonymous role), and a URL that anybody can make up would stay open when it is closed. All
    // URLs of half a period end at the same time, so they are equal, and a browser that asks the queue again is
    // led to the URL that it has in its cache.
    async downloadUrl({ key: of, rootUrl }) {
      const step = secondsUp(signedUrlExpires / 2);
      const expires = (Math.floor(clock.now() / step) + 3) * step;
      return signedUrl(key, root(rootUrl), { method: "GET", key: of, contentType: "", expires });
    },

    async put(of, contentType, bytes) {
      const upload = await files.begin();
      try {
        await upload.bytes.appendFile(bytes);
        await upload.commit(of, {
          contentType,
          size: bytes.length,
          sha256: createHash("sha256").update(bytes).digest("hex"),
          stored: new Date(clock.now()).toISOString(),
        });
      } finally {
        await upload.discard();
      }
    },

    async stat(of) {
      const description = await files.describe(of);
      return description && stored(description);
    },

    keep: (upload, content, etag) => files.copy(upload, content, etag),
    delete: (keys) => files.delete(keys),
    // Served with a policy that lets pages do nothing.
    htmlAsAttachment: false,
    parts: undefined,
  };
}

const stored = (description: Description): StoredArtifact => ({
  contentType: description.contentType,
  contentEncoding: description.contentEncoding,
  size: description.size,
  sha256: description.sha256,
  etag: description.file,
  lastModified: new Date(description.stored),
});
