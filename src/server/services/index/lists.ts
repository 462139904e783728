// The use cases that return pages: the content of a namespace, and the entries at several paths.
import type { ReplyOf } from "../../../api/endpoint.ts";
import { INDEX_PATH, indexApi } from "../../../api/index/index.ts";
import type { Caller } from "../../core/caller.ts";
import { decodePage, fullPageOf, PAGE_BYTES, pageOf, type PageQuery } from "../../core/pagination.ts";
import { startTimeSlice } from "../../core/time-slice.ts";
import { timestamp } from "../../core/timestamp.ts";
import type { IndexContext } from "./context.ts";
import { pathOf, placeOf, type Place } from "./index-path.ts";
import { renderEntries } from "./render-entry.ts";
import {
  listEntries,
  listNamespaces as readNamespaces,
  readEntries,
  type ListedRow,
} from "./store/entries.ts";

const { endpoints } = indexApi;
const PAGE = 1000;
/** How many paths one statement looks up. */
const CHUNK = 1000;

export const listTasks =
  (ctx: IndexContext) => async (caller: Caller, namespace: string, page: PageQuery) => {
    caller.authorize(endpoints.listTasks, { namespace });
    const { after, limit } = decodePage(page, PAGE);
    const read = await listEntries(ctx.db, namespace, timestamp(ctx), after, limit + 1);
    const { rows, more } = fullPageOf(read, limit, "data", ({ name }) => name);
    return renderEntries(rows, more);
  };

export const listNamespaces =
  (ctx: IndexContext) =>
  async (
    caller: Caller,
    parent: string,
    page: PageQuery,
  ): Promise<ReplyOf<typeof endpoints.listNamespaces>> => {
    caller.authorize(endpoints.listNamespaces, { namespace: parent });
    const { after, limit } = decodePage(page, PAGE);
    const read = await readNamespaces(ctx.db, parent, timestamp(ctx), after, limit + 1);
    const { rows, more } = pageOf(read, limit, ({ name }) => name);
    const namespaces = rows.map(({ name, expires }) => ({
      namespace: pathOf({ namespace: parent, name }),
      name,
      expires: expires.toISOString(),
    }));
    return { namespaces, ...more };
  };

/**
 * Returns a page of the entries at some paths. As in Taskcluster, those that have expired are found until they are removed,
 * and those whose path has no dot are not.
 */
export const findTasksAtIndex =
  ({ db }: IndexContext) =>
  async (caller: Caller, paths: readonly string[], page: PageQuery) => {
    const slice = startTimeSlice();
    const wanted = new Set<string>();
    let from = 0;
    do {
      const some = paths.slice(from, (from += CHUNK));
      caller.authorize(endpoints.findTasksAtIndex, { indexPaths: some });
      for (const path of some) if (path.includes(".") && INDEX_PATH.test(path)) wanted.add(path);
      if (slice.isOver()) await slice.next();
    } while (from < paths.length);
    const { after, limit } = decodePage(page, PAGE);
    const first = placeOf(after);
    const places = [...wanted].map(placeOf).filter((place) => after === "" || compare(place, first) > 0);
    places.sort(compare);
    const found: ListedRow[] = [];
    let room = PAGE_BYTES;
    // One more than the page shows whether there is another.
    for (let i = 0; i < places.length && found.length <= limit && found.at(-1)?.data !== null; i += CHUNK) {
      const rows = await readEntries(db, places.slice(i, i + CHUNK), limit + 1 - found.length, room);
      found.push(...rows);
      for (const { data } of rows) room -= data?.length ?? 0;
    }
    const { rows, more } = fullPageOf(found, limit, "data", pathOf);
    return renderEntries(rows, more);
  };

/** Compares in the order of the database. The characters of paths are ASCII, so that of JavaScript is that of bytes. */
function compare(a: Place, b: Place): number {
  if (a.namespace !== b.namespace) return a.namespace < b.namespace ? -1 : 1;
  return a.name === b.name ? 0 : a.name < b.name ? -1 : 1;
}
