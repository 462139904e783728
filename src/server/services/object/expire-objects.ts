// Removes objects that expired, and uploads that were never finished.
import type { ContentKey, DeleteFailure, UploadKey } from "../../core/artifact-store/index.ts";
import { reportFailures } from "../../core/artifact-store/report-failures.ts";
import type { ObjectContext } from "./context.ts";
import { begunParts } from "./upload-methods.ts";
import { abandonedUploads, deleteObjects, expiredObjects, type ObjectRow } from "./store.ts";

const BATCH = 200;

type ObjectKey = UploadKey | ContentKey;

/** The bytes go first and the rows after, so that what fails in between is found again. */
export function expireObjects(
  ctx: Pick<ObjectContext, "db" | "clock" | "monitor" | "artifacts">,
): () => Promise<{ more: boolean }> {
  // What the store does not let go of stays at the heads of both lists, so the next round looks behind it.
  const stuck = { expired: 0, abandoned: 0 };
  return async () => {
    const now = new Date(ctx.clock.now()).toISOString();
    const [expired, abandoned] = await Promise.all([
      expiredObjects(ctx.db, now, BATCH, stuck.expired),
      abandonedUploads(ctx.db, now, BATCH, stuck.abandoned),
    ]);
    const rows = [...new Map([...expired, ...abandoned].map((row) => [row.name, row])).values()];
    const failures = rows.length === 0 ? [] : await removeBytes(ctx, rows);
    reportFailures(ctx.monitor, failures);
    const failed = new Set(failures.map(({ key }) => key.object));
    const stays = ({ name }: ObjectRow): boolean => failed.has(name);
    const behind = (skipped: number, found: readonly ObjectRow[]): number =>
      found.length === BATCH ? skipped + found.filter(stays).length : 0;
    stuck.expired = behind(stuck.expired, expired);
    stuck.abandoned = behind(stuck.abandoned, abandoned);
    const gone = rows.filter((row) => !stays(row));
    const removed = gone.length === 0 ? 0 : await deleteObjects(ctx.db, gone, now);
    return { more: removed > 0 && (expired.length === BATCH || abandoned.length === BATCH) };
  };
}

/** Everything under which there may be bytes: also after an upload is finished, somebody may use a URL that is left. */
const keysOf = ({ name: object, upload_id: uploadId, content_ids }: ObjectRow): ObjectKey[] => [
  { object, uploadId },
  ...content_ids.map((contentId) => ({ object, contentId })),
];

async function removeBytes(
  { artifacts }: Pick<ObjectContext, "artifacts">,
  rows: readonly ObjectRow[],
): Promise<DeleteFailure<ObjectKey>[]> {
  const failures: DeleteFailure<ObjectKey>[] = [];
  for (const parts of rows.map(begunParts))
    if (parts)
      await artifacts.parts
        ?.abort(parts.key, parts.uploadId)
        .catch((error: unknown) => failures.push({ key: parts.key, error }));
  return [...failures, ...(await artifacts.delete(rows.flatMap(keysOf)))];
}
