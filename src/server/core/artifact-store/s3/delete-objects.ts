// Deletion from S3: as many objects a call as it takes, and an answer for each that stayed.
import { DeleteObjectsCommand, type S3Client } from "@aws-sdk/client-s3";
import type { ArtifactStore, DeleteFailure, StoreKey } from "../index.ts";
import type { Place } from "./place.ts";

/** S3 takes no more in one call. */
const BATCH = 1000;

export function createDelete(client: S3Client, place: (key: StoreKey) => Place): ArtifactStore["delete"] {
  /** One call; whatever goes wrong is told for the keys that it concerns. */
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
        const error = new Error(`S3 did not delete ${bucket}/${Key}: ${Code ?? "?"}: ${Message ?? ""}`);
        const key = keys.get(Key);
        // What is not told by its key might be any of them.
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
        const { bucket, key: name } = place(key);
        const names = buckets.get(bucket) ?? new Map<string, K>();
        buckets.set(bucket, names.set(name, key));
      } catch {
        // No key of S3 at all, so nothing was ever stored there.
      }
    }
    for (const [bucket, names] of buckets) {
      const entries = [...names];
      for (let start = 0; start < entries.length; start += BATCH)
        failures.push(...(await deleteBatch(bucket, new Map(entries.slice(start, start + BATCH)))));
    }
    return failures;
  };
}
