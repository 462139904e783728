// Deletes objects from S3 in batches, and returns a failure for each one that was not deleted.
import { DeleteObjectsCommand, type S3Client } from "@aws-sdk/client-s3";
import type { ArtifactStore, DeleteFailure, StoreKey } from "../index.ts";
import type { ObjectLocation } from "./object-location.ts";

/** The maximum of one S3 call. */
const BATCH_SIZE = 1000;

export function createDelete(
  client: S3Client,
  locate: (key: StoreKey) => ObjectLocation,
): ArtifactStore["delete"] {
  /** Makes one call. Returns each error with the keys that it affects. */
  async function deleteBatch<K extends StoreKey>(
    bucket: string,
    keys: ReadonlyMap<string, K>,
  ): Promise<DeleteFailure<K>[]> {
    const all = (error: unknown) => [...keys.values()].map((key) => ({ key, error }));
    try {
      const Objects = [...keys.keys()].map((Key) => ({ Key }));
      const { Errors = [] } = await client.send(
        new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }),
      );
      return Errors.flatMap(({ Key = "", Code, Message }) => {
        const error = new Error(
          `S3 did not delete ${bucket}/${Key}: ${Code ?? "?"}: ${Message ?? ""}. Check that the access key may delete.`,
        );
        const key = keys.get(Key);
        // An error without a known key may affect any of them.
        return key === undefined ? all(error) : Code === "NoSuchKey" ? [] : [{ key, error }];
      });
    } catch (error) {
      return all(error);
    }
  }

  return async <K extends StoreKey>(keys: readonly K[]): Promise<DeleteFailure<K>[]> => {
    const failures: DeleteFailure<K>[] = [];
    const buckets = new Map<string, Map<string, K>>();
    for (const key of keys) {
      try {
        const { bucket, key: name } = locate(key);
        const names = buckets.get(bucket) ?? new Map<string, K>();
        buckets.set(bucket, names.set(name, key));
      } catch {
        // Not a valid S3 key, so nothing was ever stored under it.
      }
    }
    for (const [bucket, names] of buckets) {
      const entries = [...names];
      for (let start = 0; start < entries.length; start += BATCH_SIZE)
        failures.push(...(await deleteBatch(bucket, new Map(entries.slice(start, start + BATCH_SIZE)))));
    }
    return failures;
  };
}
