// Where the bytes of artifacts and objects are. A store hands out URLs under which clients put and get them, so that no
// byte has to pass through the queue; the queue and the object service keep names, types and expiries.

/** What a store knows an artifact by. Any text is a fit name: the store makes it safe. */
export interface ArtifactKey {
  readonly taskId: string;
  readonly runId: number;
  readonly name: string;
}

/**
 * What uploads of an object of the object service lie under until one of them is kept. Whoever has a URL for it may write
 * to it as long as that lasts. No object is ever taken for an artifact, whatever its name.
 */
export interface UploadKey {
  readonly object: string;
  readonly uploadId: string;
}

/** What the content of a finished object lies under. Nobody ever gets a URL to write to it. */
export interface ContentKey {
  readonly object: string;
  readonly contentId: string;
}

export type StoreKey = ArtifactKey | UploadKey | ContentKey;

/** A complete upload. */
export interface StoredArtifact {
  readonly contentType: string;
  /** As the upload's header said: `gzip` where the stored bytes are compressed. */
  readonly contentEncoding: string | undefined;
  /** Bytes as they are stored. */
  readonly size: number;
  /** Of the bytes as they are stored, in hex, where the store knows it. */
  readonly sha256: string | undefined;
  /** Another one after each upload. */
  readonly etag: string;
  readonly lastModified: Date;
}

interface UrlRequest {
  readonly key: StoreKey;
  /** The root URL under which the caller reached this server; of use to a store that lives behind it. */
  readonly rootUrl: string;
}

export interface UploadUrlRequest extends UrlRequest {
  readonly contentType: string;
  /** When the URL stops working, in milliseconds since the epoch. */
  readonly expires: number;
  /** Just so many bytes, where that is known. */
  readonly contentLength?: number | undefined;
}

export interface DownloadUrlRequest extends UrlRequest {
  /** Whether the caller wants to go to the store itself, although there is something in front of it. */
  readonly skipCdn?: boolean;
}

export interface ArtifactStore {
  /**
   * Throws `InputError` where the store cannot have such a name, or takes so many bytes only in parts. Whoever is going to
   * write a row asks before that, so that what is refused leaves none.
   */
  requireFit(key: StoreKey, contentLength?: number): void;
  /** A URL for one or more PUTs with exactly this Content-Type. The last complete one counts. Throws as `requireFit`. */
  uploadUrl(request: UploadUrlRequest): Promise<string>;
  /** A URL for GET and HEAD, good for as long as the store's configuration says. 404 while no upload is complete. */
  downloadUrl(request: DownloadUrlRequest): Promise<string>;
  /** Stores bytes that the server itself has; few, since they are in memory. */
  put(key: StoreKey, contentType: string, bytes: Uint8Array): Promise<void>;
  /** What is stored under the key; undefined where no upload was completed. */
  stat(key: StoreKey): Promise<StoredArtifact | undefined>;
  /**
   * Copies an upload, with its type, to where nobody can change it. False where it is not the one with this ETag any more;
   * then nothing is copied. The store does it by itself, but for gigabytes that may take it a minute.
   */
  keep(upload: UploadKey, content: ContentKey, etag: string): Promise<boolean>;
  /** Forgets what is stored; what is not there is no error. Answers what could not be removed. */
  delete<K extends StoreKey>(keys: readonly K[]): Promise<readonly DeleteFailure<K>[]>;
  /** Whether pages must be uploaded as attachments, since they would share an origin with what others own. */
  readonly htmlAsAttachment: boolean;
  /** Uploads in parts, where the store has them. One without takes as much in one PUT. */
  readonly parts: PartUploads | undefined;
}

export interface DeleteFailure<K extends StoreKey> {
  readonly key: K;
  readonly error: unknown;
}

/**
 * Uploads in parts: each is a PUT of its own, which can be repeated and go beside others. They end with their upload, so
 * they go to where the content stays.
 */
export interface PartUploads {
  /** Begins one, and answers what it is known by. */
  begin(key: ContentKey, contentType: string): Promise<string>;
  /** URLs for the PUTs of parts `first` to `last`, counted from 1. */
  urls(request: PartUrlsRequest): Promise<string[]>;
  /**
   * Makes one thing of the parts, whose ETags these are, in order. Throws `RequestConflict` where they do not fit. An
   * upload that is not there is no error, for it may be complete already: look for what it should have become.
   */
  complete(key: ContentKey, uploadId: string, etags: readonly string[]): Promise<void>;
  /** Forgets the parts; an upload that is not there is no error. */
  abort(key: ContentKey, uploadId: string): Promise<void>;
}

export interface PartUrlsRequest {
  readonly key: ContentKey;
  readonly uploadId: string;
  readonly first: number;
  readonly last: number;
  /** When the URLs stop working, in milliseconds since the epoch. */
  readonly expires: number;
}

/** Says what a key means, for messages and logs. */
export const describeKey = (key: StoreKey): string =>
  "object" in key
    ? `object "${key.object}"`
    : `artifact "${key.name}" of run ${key.runId} of task ${key.taskId}`;
