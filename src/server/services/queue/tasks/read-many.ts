// tasks and statuses: what `task` and `status` return, for many tasks.
import { listEndpoints } from "../../../../api/queue/endpoints/task-lists.ts";
import { isSlugid } from "../../../../lib/slugid.ts";
import type { Caller } from "../../../core/caller.ts";
import { jsonArray, jsonMembers, jsonObject, jsonOf } from "../../../core/json.ts";
import { decodePage, fullPageOf, PAGE_BYTES, type PageQuery } from "../../../core/pagination.ts";
import { startTimeSlice } from "../../../core/time-slice.ts";
import type { QueueContext } from "../context.ts";
import { definitionsOf, statusesOf, type TaskJson } from "./store/read-many.ts";

const PAGE = 1000;
/** Checking this many ids takes a few milliseconds. A request has room for 40,000. */
const CHUNK = 2_000;

/**
 * Reads a page of what `read` finds of the ids, after authorizing the caller for all of them. In the order of ids and not
 * of the list: then a token stays valid whatever tasks are created or expire, and whatever becomes of the caller's list.
 */
async function readMany<T>(
  taskIds: readonly string[],
  query: PageQuery,
  authorize: (taskIds: readonly string[]) => void,
  read: (taskIds: readonly string[], limit: number, room: number) => Promise<TaskJson<T>[]>,
) {
  const slice = startTimeSlice();
  const wanted = new Map<string, Set<string>>();
  let from = 0;
  do {
    const some = taskIds.slice(from, from + CHUNK);
    authorize(some);
    for (const taskId of some) if (isSlugid(taskId)) add(wanted, taskId);
    from += CHUNK;
    if (slice.isOver()) await slice.next();
  } while (from < taskIds.length);
  const { after, limit } = decodePage(query, PAGE);
  const found: TaskJson<T>[] = [];
  let room = PAGE_BYTES;
  // One more than the page shows whether there is another.
  for (const ids of inOrder(wanted, after)) {
    const rows = await read(ids, limit + 1 - found.length, room);
    found.push(...rows);
    if (found.length > limit || found.at(-1)?.json === null) break;
    for (const { json } of rows) room -= json?.length ?? 0;
  }
  return fullPageOf(found, limit, "json", (row) => row.task_id);
}

/** Adds to the ids with the same first two characters: sorting all of them in one go would block other calls. */
function add(ids: Map<string, Set<string>>, taskId: string): void {
  const start = taskId.slice(0, 2);
  const known = ids.get(start);
  if (known) known.add(taskId);
  else ids.set(start, new Set([taskId]));
}

/** Yields the ids after `after` in chunks. */
function* inOrder(ids: ReadonlyMap<string, ReadonlySet<string>>, after: string): Generator<string[]> {
  let some: string[] = [];
  for (const start of [...ids.keys()].sort())
    for (const taskId of [...(ids.get(start) ?? [])].sort()) {
      if (taskId <= after) continue;
      some.push(taskId);
      if (some.length < CHUNK) continue;
      yield some;
      some = [];
    }
  if (some.length > 0) yield some;
}

export const tasks =
  (ctx: QueueContext) => async (caller: Caller, taskIds: readonly string[], page: PageQuery) => {
    const { rows, more } = await readMany(
      taskIds,
      page,
      (some) => caller.authorize(listEndpoints.tasks, { taskIds: some }),
      (some, limit, room) => definitionsOf(ctx.db, some, limit, room),
    );
    const found = rows.map(({ task_id, json }) => jsonObject({ taskId: jsonOf(task_id), task: json }));
    return jsonObject({ ...jsonMembers(more), tasks: jsonArray(found) });
  };

export const statuses =
  (ctx: QueueContext) => async (caller: Caller, taskIds: readonly string[], page: PageQuery) => {
    const { rows, more } = await readMany(
      taskIds,
      page,
      (some) => caller.authorize(listEndpoints.statuses, { taskIds: some }),
      (some, limit, room) => statusesOf(ctx.db, some, limit, room),
    );
    const found = rows.map(({ task_id, json }) => jsonObject({ taskId: jsonOf(task_id), status: json }));
    return jsonObject({ ...jsonMembers(more), statuses: jsonArray(found) });
  };
