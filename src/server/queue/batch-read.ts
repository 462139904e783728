// tasks and statuses: what `task` and `status` tell, for many tasks at once.
import type { listEndpoints } from "../../api/queue/list-endpoints.ts";
import { isSlugid } from "../../lib/slugid.ts";
import type { Handler } from "../core/http/serve.ts";
import { RawJson } from "../core/http/replies.ts";
import { decodePage, encodePage } from "../core/pagination.ts";
import type { QueueContext } from "./context.ts";
import { definitionsOf, statusesOf, type JsonRow } from "./store/many.ts";

const PAGE = 1000;

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
  call.authorize({ taskIds });
  const { after, limit } = decodePage(call.query, PAGE);
  const wanted = new Set(taskIds.filter((taskId) => taskId > after && isSlugid(taskId)));
  // One more than the page tells whether there is another.
  const found = wanted.size === 0 ? [] : await read([...wanted], limit + 1);
  const rows = found.slice(0, limit);
  const items = rows.map(({ task_id: taskId, json }) => `{"taskId":"${taskId}","${names.item}":${json}}`);
  const token = found.length > rows.length ? encodePage(rows.at(-1)?.task_id ?? "") : undefined;
  const more = token === undefined ? "" : `,"continuationToken":"${token}"`;
  return new RawJson(`{"${names.list}":[${items.join(",")}]${more}}`);
}

export function tasks(ctx: QueueContext): Handler<typeof listEndpoints.tasks> {
  return (call) =>
    readMany(call, { list: "tasks", item: "task" }, (ids, limit) => definitionsOf(ctx.db, ids, limit));
}

export function statuses(ctx: QueueContext): Handler<typeof listEndpoints.statuses> {
  return (call) =>
    readMany(call, { list: "statuses", item: "status" }, (ids, limit) => statusesOf(ctx.db, ids, limit));
}
