// Where the bytes of artifacts are. A store hands out URLs under which clients put and get them, so that no byte
// has to pass through the queue; the queue keeps names, types and expiries.

/** What a store knows an artifact by. Any text is a fit name: the store makes it safe. */
export interface ArtifactKey {
  readonly taskId: string;
  readonly runId: number;
  readonly name: string;
}

/** A complete upload. */
export interface StoredArtifact {
  readonly contentType: string;
  /** As the upload's header said: `gzip` where the stored bytes are compressed. */
  readonly contentEncoding: string | undefined;
  /** Bytes as they are stored. */
  readonly size: number;
  /** Of the bytes as they are stored, in hex. */
  readonly sha256: string;
  readonly lastModified: Date;
}

interface UrlRequest {
  readonly key: ArtifactKey;
  /** The root URL under which the caller reached this server; of use to a store that lives behind it. */
  readonly rootUrl: string;
}

interface UploadUrlRequest extends UrlRequest {
  readonly contentType: string;
  /** When the URL stops working, in milliseconds since the epoch. */
  readonly expires: number;
}

export interface ArtifactStore {
  /** A URL for one or more PUTs with exactly this Content-Type. The last complete one counts. */
  uploadUrl(request: UploadUrlRequest): Promise<string>;
  /** A URL for GET and HEAD, good for as long as the store's configuration says. 404 while no upload is complete. */
  downloadUrl(request: UrlRequest): Promise<string>;
  /** What is stored under the key; undefined where no upload was completed. */
  stat(key: ArtifactKey): Promise<StoredArtifact | undefined>;
  /** Forgets artifacts; one that is not there is no error. Answers those that could not be removed. */
  delete<K extends ArtifactKey>(keys: readonly K[]): Promise<readonly DeleteFailure<K>[]>;
}

export interface DeleteFailure<K extends ArtifactKey> {
  readonly key: K;
  readonly error: unknown;
}
