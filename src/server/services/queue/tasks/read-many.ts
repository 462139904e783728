// tasks and statuses: what `task` and `status` tell, for many tasks at once.
import type { listEndpoints } from "../../../../api/queue/endpoints/task-lists.ts";
import { isSlugid } from "../../../../lib/slugid.ts";
import type { Handler } from "../../../core/http/serve.ts";
import { RawJson } from "../../../core/http/replies.ts";
import { decodePage, pageOf } from "../../../core/pagination.ts";
import { startTimeSlice } from "../../../core/time-slice.ts";
import type { QueueContext } from "../context.ts";
import { definitionsOf, statusesOf, type JsonRow } from "./store/read-many.ts";

const PAGE = 1000;
/** So many ids are looked at in a few milliseconds. A request has room for 400,000, which would take more than a second. */
const CHUNK = 2_000;

interface Asked {
  readonly body: { readonly taskIds?: readonly string[] };
  readonly query: { readonly continuationToken?: string; readonly limit?: string };
  authorize(params: { taskIds: readonly string[] }): void;
}

/**
 * A page of what `read` knows of the ids. The order of ids and not that of the list: a token is then a place in it
 * that stays right, whatever tasks come and go, and whatever becomes of the caller's list.
 */
async function readMany(
  call: Asked,
  names: { readonly list: string; readonly item: string },
  read: (taskIds: readonly string[], limit: number) => Promise<JsonRow[]>,
): Promise<RawJson> {
  const { taskIds = [] } = call.body;
  const slice = startTimeSlice();
  const asked = new Map<string, Set<string>>();
  let from = 0;
  do {
    const some = taskIds.slice(from, from + CHUNK);
    call.authorize({ taskIds: some });
    for (const taskId of some) if (isSlugid(taskId)) add(asked, taskId);
    from += CHUNK;
    if (slice.isOver()) await slice.next();
  } while (from < taskIds.length);
  const { after, limit } = decodePage(call.query, PAGE);
  const found: JsonRow[] = [];
  // One more than the page tells whether there is another.
  for (const ids of inOrder(asked, after)) {
    found.push(...(await read(ids, limit + 1 - found.length)));
    if (found.length > limit) break;
  }
  const { rows, more } = pageOf(found, limit, (row) => row.task_id);
  const items = rows.map(({ task_id: taskId, json }) => `{"taskId":"${taskId}","${names.item}":${json}}`);
  return new RawJson(`${JSON.stringify({ ...more, [names.list]: [] }).slice(0, -2)}${items.join(",")}]}`);
}

/** By their first two characters, since sorting all at once would keep others waiting. */
function add(ids: Map<string, Set<string>>, taskId: string): void {
  const start = taskId.slice(0, 2);
  const known = ids.get(start);
  if (known) known.add(taskId);
  else ids.set(start, new Set([taskId]));
}

/** Some at a time. */
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

export function tasks(ctx: QueueContext): Handler<typeof listEndpoints.tasks> {
  return (call) =>
    readMany(call, { list: "tasks", item: "task" }, (ids, limit) => definitionsOf(ctx.db, ids, limit));
}

export function statuses(ctx: QueueContext): Handler<typeof listEndpoints.statuses> {
  return (call) =>
    readMany(call, { list: "statuses", item: "status" }, (ids, limit) => statusesOf(ctx.db, ids, limit));
}
