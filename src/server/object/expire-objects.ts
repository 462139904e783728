// Removes objects that expired, and uploads that were never finished.
import type { StoreKey } from "../core/artifact-store/index.ts";
import type { ObjectContext } from "./context.ts";
import { begunParts } from "./upload-methods.ts";
import { abandonedUploads, deleteObjects, expiredObjects, type ObjectRow } from "./store.ts";

const BATCH = 200;

/** The bytes go first and the rows after, so that what fails in between is found again. */
export function expireObjects(
  ctx: Pick<ObjectContext, "db" | "clock" | "monitor" | "artifacts">,
): () => Promise<{ more: boolean }> {
  return async () => {
    const now = new Date(ctx.clock.now()).toISOString();
    const [expired, abandoned] = await Promise.all([
      expiredObjects(ctx.db, now, BATCH),
      abandonedUploads(ctx.db, now, BATCH),
    ]);
    const rows = [...new Map([...expired, ...abandoned].map((row) => [row.name, row])).values()];
    if (rows.length === 0) return { more: false };
    const failed = new Set<string>();
    const report = (name: string, error: unknown): void => {
      failed.add(name);
      ctx.monitor.reportError(error, { object: name });
    };
    for (const row of rows) await abortParts(ctx, row).catch((error: unknown) => report(row.name, error));
    const failures = await ctx.artifacts.delete(rows.flatMap(keysOf));
    for (const { key, error } of failures) report("object" in key ? key.object : key.name, error);
    const gone = rows.filter(({ name }) => !failed.has(name));
    const removed = await deleteObjects(ctx.db, gone, now);
    return { more: removed > 0 && (expired.length === BATCH || abandoned.length === BATCH) };
  };
}

/** Everything under which there may be bytes: also after an upload is finished, somebody may use a URL that is left. */
const keysOf = ({ name: object, upload_id: uploadId, content_ids }: ObjectRow): StoreKey[] => [
  { object, uploadId },
  ...content_ids.map((contentId) => ({ object, contentId })),
];

async function abortParts({ artifacts }: Pick<ObjectContext, "artifacts">, row: ObjectRow): Promise<void> {
  const parts = begunParts(row);
  if (parts) await artifacts.parts?.abort(parts.key, parts.uploadId);
}
