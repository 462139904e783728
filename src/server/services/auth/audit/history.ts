// Who changed what in the last 30 days.
import type { AuditHistory } from "../../../../api/auth/audit.ts";
import { auditEndpoints } from "../../../../api/auth/endpoints/audit.ts";
import { inBatches } from "../../../core/in-batches.ts";
import type { RunOnce } from "../../../core/loop.ts";
import type { HandlersOf } from "../../../core/http/serve.ts";
import { decodePage, pageOf, type PageQuery } from "../../../core/pagination.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { AuthContext } from "../context.ts";
import { deleteEntries, entriesOfClient, entriesOfEntity, type AuditPage, type AuditRow } from "./store.ts";

type Context = Pick<AuthContext, "db" | "clock">;

const KEEP_MS = 30 * 24 * 60 * 60 * 1000;
const MAX_PAGE = 1_000;
const BATCH = 1_000;
/** The keys of entries are positive numbers that fit a double. */
const entryId = /^[1-9][0-9]{0,14}$/;

export const auditHandlers = (ctx: Context): HandlersOf<typeof auditEndpoints> => ({
  getEntityHistory({ caller, params: { entityType, entityId }, query }) {
    caller.authorize(auditEndpoints.getEntityHistory, { entityType });
    return history(ctx, query, (page) => entriesOfEntity(ctx.db, entityType, entityId, page));
  },
  listAuditHistory({ caller, params: { clientId }, query }) {
    caller.authorize(auditEndpoints.listAuditHistory, { clientId });
    return history(ctx, query, (page) => entriesOfClient(ctx.db, clientId, page));
  },
});

async function history(
  ctx: Context,
  query: PageQuery,
  read: (page: AuditPage) => Promise<AuditRow[]>,
): Promise<AuditHistory> {
  const { after, limit } = decodePage(query, MAX_PAGE, entryId);
  const before = after === "" ? Number.MAX_SAFE_INTEGER : Number(after);
  const found = await read({ since: timestamp(ctx, -KEEP_MS), before, limit: limit + 1 });
  const { rows, more } = pageOf(found, limit, ({ id }) => String(id));
  return {
    auditHistory: rows.map((row) => ({
      clientId: row.client_id,
      actionType: row.action,
      created: row.created.toISOString(),
      entityId: row.entity_id,
      entityType: row.entity_type,
    })),
    ...more,
  };
}

/** A loop that deletes entries that are no longer shown. */
export const deleteOldEntries = (ctx: Context): RunOnce =>
  inBatches(BATCH, (limit) => deleteEntries(ctx.db, timestamp(ctx, -KEEP_MS), limit));
