// Inserts tasks by their routes `index.<path>` when they complete.
import { INDEX_PATH } from "../../../api/index/index.ts";
import { queueApi } from "../../../api/queue/index.ts";
import { ApiError } from "../../../lib/errors.ts";
import { compileScopes } from "../../../lib/scopes/scope-set.ts";
import { callerWith } from "../../core/caller.ts";
import { defineBatchConsumer, publishersOf, type ConsumerOptions } from "../../core/event-log/index.ts";
import { parseJson } from "../../core/json.ts";
import type { IndexContext } from "./context.ts";
import { writeEntries, type NewEntry } from "./store/write-entries.ts";

const ROUTE = "index.";
const { taskCompleted } = publishersOf(queueApi);
/** A definition may have a megabyte, and those of a batch are read together. */
const BATCH = 20;

/** The consumer `index-completed-tasks` of the event log. It skips tasks without such routes. */
export const completedTasksConsumer = (ctx: IndexContext): ConsumerOptions =>
  defineBatchConsumer({
    name: "index-completed-tasks",
    // Otherwise tasks that complete before the first start of the consumer would never be indexed.
    begin: "start",
    batch: BATCH,
    on: [taskCompleted],
    where: ({ routes }) => pathsIn(routes).length > 0,
    async handle(events) {
      const found = await Promise.all(
        events.map(({ message, routes }) => entriesOf(ctx, message.status.taskId, pathsIn(routes))),
      );
      await writeEntries(ctx.db, lastOfEach(found.flat()));
    },
  });

/** Returns the paths of the routes for the index. Others with this prefix are not valid paths. */
const pathsIn = (routes: readonly string[]): string[] =>
  routes
    .filter((route) => route.startsWith(ROUTE))
    .map((route) => route.slice(ROUTE.length))
    .filter((path) => INDEX_PATH.test(path));

/** Returns the entries of a task, whose `extra.index` may define rank, expiry and data. */
async function entriesOf(ctx: IndexContext, taskId: string, paths: readonly string[]): Promise<NewEntry[]> {
  const task = await readTask(ctx, taskId);
  if (task === undefined) return [];
  const { index } = task.extra;
  const {
    rank = 0,
    data = {},
    expires = task.expires,
  }: Record<string, unknown> = isObject(index) ? index : {};
  const until = typeof expires === "string" ? Date.parse(expires) : NaN;
  if (typeof rank !== "number" || !isObject(data) || !(until >= FIRST_TIME && until <= LAST_TIME)) {
    ctx.monitor.log.info({ taskId }, "task-not-indexed: extra.index is not valid");
    return [];
  }
  return paths.map((path) => ({ path, taskId, rank, data, expires: until }));
}

/** Returns the definition of a task, or undefined if it was removed. */
async function readTask({ queue }: IndexContext, taskId: string) {
  const caller = callerWith({ clientId: undefined, scopes: compileScopes([`queue:get-task:${taskId}`]) });
  try {
    return parseJson(await queue.task(caller, taskId));
  } catch (err) {
    if (err instanceof ApiError && err.code === "ResourceNotFound") return undefined;
    throw err;
  }
}

/** Returns one entry for each path: the one that would remain if they were written one after the other. */
function lastOfEach(entries: readonly NewEntry[]): NewEntry[] {
  const last = new Map<string, NewEntry>();
  for (const entry of entries) {
    const before = last.get(entry.path);
    if (before === undefined || before.rank <= entry.rank) last.set(entry.path, entry);
  }
  return [...last.values()];
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The times that can be stored. */
const [FIRST_TIME, LAST_TIME] = [Date.parse("0001-01-01T00:00:00Z"), Date.parse("9999-12-31T23:59:59.999Z")];
