// An artifact store in a local folder, or in a network file system that several servers share.
import { createHash } from "node:crypto";
import type { Clock } from "../../../../lib/clock.ts";
import type { ArtifactStore, StoredArtifact } from "../index.ts";
import { openFolder, type ArtifactFiles, type Description } from "./files.ts";
import { checkSignedUrl, signedUrl, signingKey, type Grant } from "./signed-url.ts";

export interface LocalStoreOptions {
  /** Created if it does not exist, accessible only to this user. */
  readonly dir: string;
  /** The secret from which the signing key is derived. The same in all processes that share the folder. */
  readonly secret: string;
  /** The minimum lifetime of a download URL in milliseconds. */
  readonly signedUrlExpires: number;
  /** The configured root URL of this server. Otherwise URLs start with the one that the caller used. */
  readonly rootUrl?: string | undefined;
  readonly clock: Clock;
}

export interface LocalStore extends ArtifactStore {
  /** For the routes that serve the store. */
  readonly files: ArtifactFiles;
  /** Returns what the path and query of a request allow. Throws `AccessDenied`. */
  check(method: Grant["method"], target: string): Grant;
}

const secondsUp = (ms: number): number => Math.ceil(ms / 1000) * 1000;

/** Rejects if the folder cannot be created or written. */
export async function openLocalStore(options: LocalStoreOptions): Promise<LocalStore> {
  const { clock, signedUrlExpires } = options;
  const key = signingKey(options.secret);
  const files = await openFolder(options.dir, clock);
  const root = (callersUrl: string): string => (options.rootUrl ?? callersUrl).replace(/\/$/, "");

  return {
    files,
    check: (method, target) => checkSignedUrl(key, method, target, clock.now()),
    // Any name is storable, and the PUT itself limits the size.
    requireStorable: () => undefined,
    uploadUrl: async ({ key: of, contentType, expires, rootUrl }) =>
      signedUrl(key, root(rootUrl), { method: "PUT", key: of, contentType, expires: secondsUp(expires) }),

    // URLs of public names are signed too: a setting decides who may read them (the scopes of the anonymous role), and
    // unsigned URLs would keep working after access is revoked. All URLs created within half a period expire at the
    // same time and are equal, so that a browser that requests the artifact again can use its cache.
    async downloadUrl({ key: of, rootUrl }) {
      const step = secondsUp(signedUrlExpires / 2);
      const expires = (Math.floor(clock.now() / step) + 3) * step;
      return signedUrl(key, root(rootUrl), { method: "GET", key: of, contentType: "", expires });
    },

    async put(of, contentType, bytes) {
      const upload = await files.startUpload();
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
      return description && toStoredArtifact(description);
    },

    copyUpload: (upload, content, etag) => files.copy(upload, content, etag),
    delete: (keys) => files.delete(keys),
    // HTML pages are served with a policy that forbids everything.
    htmlAsAttachment: false,
    parts: undefined,
  };
}

const toStoredArtifact = (description: Description): StoredArtifact => ({
  contentType: description.contentType,
  contentEncoding: description.contentEncoding,
  size: description.size,
  sha256: description.sha256,
  etag: description.file,
  lastModified: new Date(description.stored),
});
