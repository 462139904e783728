// Opens the artifact store that the configuration selects.
import type { Clock } from "../../../lib/clock.ts";
import type { CoreConfig } from "../config/core-settings.ts";
import type { ArtifactStore } from "./index.ts";
import { openLocalStore, type LocalStore } from "./local/index.ts";
import type { BucketLog } from "./s3/bucket-cors.ts";
import { InternalError } from "../../../lib/internal-error.ts";

export interface OpenedStore {
  readonly store: ArtifactStore;
  /** Set if this server must serve the store's URLs. */
  readonly local: LocalStore | undefined;
  close(): void;
}

/** Rejects if the folder is not writable, a bucket does not exist, or the store refuses the access key. */
export async function openArtifactStore(options: {
  readonly config: Pick<CoreConfig, "artifacts" | "s3" | "server">;
  readonly secret: string;
  readonly partBytes: number | undefined;
  readonly clock: Clock;
  readonly log: BucketLog;
}): Promise<OpenedStore> {
  const { config, secret, partBytes, clock, log } = options;
  const { dir, signedUrlExpires } = config.artifacts;
  if (config.artifacts.store === "local") {
    const { rootUrl } = config.server;
    const local = await openLocalStore({ dir, secret, signedUrlExpires, rootUrl, clock });
    return { store: local, local, close: () => undefined };
  }
  const { publicBucket, privateBucket } = config.s3;
  // The check of the configuration guarantees both.
  if (publicBucket === undefined || privateBucket === undefined)
    throw new InternalError("the S3 store has no buckets");
  const buckets = { publicBucket, privateBucket };
  const { createS3Store, prepareBuckets } = await import("./s3/index.ts");
  const store = await createS3Store({ ...config.s3, ...buckets, signedUrlExpires, partBytes, clock });
  if (config.s3.manageCors) await prepareBuckets(store.client, buckets, log);
  return { store, local: undefined, close: () => store.close() };
}
