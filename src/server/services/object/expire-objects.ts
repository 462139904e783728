// Removes expired objects and abandoned uploads.
import type { ContentKey, DeleteFailure, UploadKey } from "../../core/artifact-store/index.ts";
import { reportFailures } from "../../core/artifact-store/report-failures.ts";
import type { ObjectContext } from "./context.ts";
import { startedParts } from "./upload-methods.ts";
import { abandonedUploads, deleteObjects, expiredObjects, type ObjectRow } from "./store.ts";

const BATCH_SIZE = 200;

type ObjectKey = UploadKey | ContentKey;

/** Returns the loop's iteration. It deletes the content first and then the rows, so that failures are retried. */
export function expireObjects(
  ctx: Pick<ObjectContext, "db" | "clock" | "monitor" | "artifacts">,
): () => Promise<{ more: boolean }> {
  // Rows whose content cannot be deleted stay at the head of both lists, so the next iteration skips them.
  const stuck = { expired: 0, abandoned: 0 };
  return async () => {
    const now = new Date(ctx.clock.now()).toISOString();
    const [expired, abandoned] = await Promise.all([
      expiredObjects(ctx.db, now, BATCH_SIZE, stuck.expired),
      abandonedUploads(ctx.db, now, BATCH_SIZE, stuck.abandoned),
    ]);
    const rows = [...new Map([...expired, ...abandoned].map((row) => [row.name, row])).values()];
    const failures = rows.length === 0 ? [] : await deleteContent(ctx, rows);
    reportFailures(ctx.monitor, failures);
    const failed = new Set(failures.map(({ key }) => key.object));
    const isStuck = ({ name }: ObjectRow): boolean => failed.has(name);
    const nextOffset = (skipped: number, found: readonly ObjectRow[]): number =>
      found.length === BATCH_SIZE ? skipped + found.filter(isStuck).length : 0;
    stuck.expired = nextOffset(stuck.expired, expired);
    stuck.abandoned = nextOffset(stuck.abandoned, abandoned);
    const deleted = rows.filter((row) => !isStuck(row));
    const removed = deleted.length === 0 ? 0 : await deleteObjects(ctx.db, deleted, now);
    return { more: removed > 0 && (expired.length === BATCH_SIZE || abandoned.length === BATCH_SIZE) };
  };
}

/** Returns all keys that may have content. A client may use its upload URL even after the upload was finished. */
const keysOf = ({ name: object, upload_id: uploadId, content_ids }: ObjectRow): ObjectKey[] => [
  { object, uploadId },
  ...content_ids.map((contentId) => ({ object, contentId })),
];

async function deleteContent(
  { artifacts }: Pick<ObjectContext, "artifacts">,
  rows: readonly ObjectRow[],
): Promise<DeleteFailure<ObjectKey>[]> {
  const failures: DeleteFailure<ObjectKey>[] = [];
  for (const parts of rows.map(startedParts))
    if (parts)
      await artifacts.parts
        ?.abort(parts.key, parts.uploadId)
        .catch((error: unknown) => failures.push({ key: parts.key, error }));
  return [...failures, ...(await artifacts.delete(rows.flatMap(keysOf)))];
}
