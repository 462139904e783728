// Stores the content of artifacts and objects. A store creates URLs for uploads and downloads, so that no content
// passes through the services; the queue and the object service keep names, types and expirations.

/** An upload URL stays valid this much longer than its stated expiry, because a request takes time to reach the store. */
export const UPLOAD_URL_GRACE_MS = 10_000;

/** Identifies an artifact in a store. Any text is a valid name: the store encodes it. */
export interface ArtifactKey {
  readonly taskId: string;
  readonly runId: number;
  readonly name: string;
}

/**
 * Identifies an unfinished upload of an object of the object service. The holder of an upload URL may write to it until
 * the URL expires. Objects and artifacts never share a key, whatever their names.
 */
export interface UploadKey {
  readonly object: string;
  readonly uploadId: string;
}

/** Identifies the content of a finished object. There are no upload URLs for it. */
export interface ContentKey {
  readonly object: string;
  readonly contentId: string;
}

export type StoreKey = ArtifactKey | UploadKey | ContentKey;

/**
 * Throws `AccessDenied` if the service to which the key belongs no longer accepts uploads under it, although there is an
 * upload URL that has not expired. Does nothing for keys of other services.
 */
export type CheckUpload = (key: StoreKey) => Promise<void>;

/** A complete upload. */
export interface StoredArtifact {
  readonly contentType: string;
  /** The upload's `Content-Encoding`: `gzip` if the stored bytes are compressed. */
  readonly contentEncoding: string | undefined;
  /** The size of the stored bytes. */
  readonly size: number;
  /** The hash of the stored bytes in hex, if the store computes it. */
  readonly sha256: string | undefined;
  /** Changes with each upload. */
  readonly etag: string;
  readonly lastModified: Date;
}

interface UrlRequest {
  readonly key: StoreKey;
  /** The root URL that the caller used. The local store's URLs start with it. */
  readonly rootUrl: string;
}

export interface UploadUrlRequest extends UrlRequest {
  readonly contentType: string;
  /** When the URL expires, in milliseconds since the epoch. */
  readonly expires: number;
  /** The exact size of the upload in bytes, if known. */
  readonly contentLength?: number | undefined;
}

export interface DownloadUrlRequest extends UrlRequest {
  /** Requests a URL of the store itself, even if there is a CDN in front of it. */
  readonly skipCdn?: boolean;
}

export interface ArtifactStore {
  /**
   * Throws `InputError` if the store does not support the name, or accepts this size only in parts. Call it before
   * writing a row, so that a refused upload leaves none behind.
   */
  requireStorable(key: StoreKey, contentLength?: number): void;
  /**
   * Returns a URL for PUTs with exactly this Content-Type. The last complete one wins. Throws like `requireStorable`.
   */
  uploadUrl(request: UploadUrlRequest): Promise<string>;
  /** Returns a URL for GET and HEAD, with the configured lifetime. It returns 404 until an upload is complete. */
  downloadUrl(request: DownloadUrlRequest): Promise<string>;
  /** Stores bytes that the server itself has in memory. */
  put(key: StoreKey, contentType: string, bytes: Uint8Array): Promise<void>;
  /** Describes the content stored under the key. Undefined if no upload was completed. */
  stat(key: StoreKey): Promise<StoredArtifact | undefined>;
  /**
   * Copies an upload with its type to a key that no client can write to. Returns false, and copies nothing, if the
   * upload no longer has this ETag. The store copies internally, but gigabytes may take a minute.
   */
  copyUpload(upload: UploadKey, content: ContentKey, etag: string): Promise<boolean>;
  /** Deletes content. A missing key is not an error. Returns the keys that could not be deleted. */
  delete<K extends StoreKey>(keys: readonly K[]): Promise<readonly DeleteFailure<K>[]>;
  /** Whether HTML must be uploaded as an attachment, because it would share its origin with content of others. */
  readonly htmlAsAttachment: boolean;
  /** Uploads in parts, if the store supports them. Other stores accept any size in one PUT. */
  readonly parts: PartUploads | undefined;
}

export interface DeleteFailure<K extends StoreKey> {
  readonly key: K;
  readonly error: unknown;
}

/**
 * Uploads in parts. Each part is a separate PUT, which can be repeated and run concurrently with others. The URLs
 * expire with the upload, so the parts are written directly under the key of the finished content.
 */
export interface PartUploads {
  /** The size of a part. Objects that would have too many parts have larger ones. */
  readonly partBytes: number;
  /** Starts an upload and returns its id. */
  start(key: ContentKey, contentType: string): Promise<string>;
  /** Returns URLs for the PUTs of parts `first` to `last`, counted from 1. */
  urls(request: PartUrlsRequest): Promise<string[]>;
  /**
   * Assembles the parts with these ETags, in order. Throws `RequestConflict` if they do not match. A missing upload is
   * not an error, since it may be complete already: check that the content exists.
   */
  complete(key: ContentKey, uploadId: string, etags: readonly string[]): Promise<void>;
  /** Discards the parts. A missing upload is not an error. */
  abort(key: ContentKey, uploadId: string): Promise<void>;
}

export interface PartUrlsRequest {
  readonly key: ContentKey;
  readonly uploadId: string;
  readonly first: number;
  readonly last: number;
  /** When the URLs expire, in milliseconds since the epoch. */
  readonly expires: number;
}

/** Describes a key in words, for messages and logs. */
export const describeKey = (key: StoreKey): string =>
  "object" in key
    ? `object "${key.object}"`
    : `artifact "${key.name}" of run ${key.runId} of task ${key.taskId}`;
