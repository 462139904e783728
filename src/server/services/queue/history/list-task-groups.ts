// listTaskGroups: task groups, newest first.
import { historyEndpoints } from "../../../../api/queue/endpoints/history.ts";
import type { ListedTaskGroup } from "../../../../api/queue/history.ts";
import type { Caller } from "../../../core/caller.ts";
import type { QueueContext } from "../context.ts";
import { newestFirst, type ListQuery } from "./newest-first.ts";
import { readGroupsByCreation, type GroupRow } from "./store.ts";

/** The name of a graph is not limited otherwise. */
const MAX_NAME = 255;

export interface GroupQuery extends ListQuery {
  readonly schedulerId?: string;
  readonly resolved?: string;
}

export const listTaskGroups = (ctx: QueueContext) => async (caller: Caller, query: GroupQuery) => {
  const { schedulerId, resolved } = query;
  caller.authorize(historyEndpoints.listTaskGroups, { schedulerId: schedulerId ?? "*" });
  const filter = { schedulerId, resolved: resolved === undefined ? undefined : resolved === "true" };
  const isFiltered = schedulerId !== undefined || resolved !== undefined;
  const { rows, more } = await newestFirst(query, isFiltered, (range, count, room) =>
    readGroupsByCreation(ctx.db, range, filter, count, room),
  );
  return { taskGroups: rows.map(listedGroup), ...more };
};

const listedGroup = (row: Omit<GroupRow, "name"> & { readonly name: string }): ListedTaskGroup => ({
  taskGroupId: row.id,
  schedulerId: row.scheduler_id,
  ...(row.name !== "" && { name: row.name.slice(0, MAX_NAME) }),
  created: row.created.toISOString(),
  expires: row.expires.toISOString(),
  ...(row.sealed && { sealed: row.sealed.toISOString() }),
  unresolved: row.unresolved,
});
