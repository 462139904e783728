// The JSON of index entries in replies.
import type { ReplyOf } from "../../../api/endpoint.ts";
import type { indexApi } from "../../../api/index/index.ts";
import { jsonArray, jsonMembers, jsonObject, type Json } from "../../core/json.ts";
import { pathOf } from "./index-path.ts";
import type { EntryRow } from "./store/entries.ts";

type Entry = ReplyOf<typeof indexApi.endpoints.findTask>;

/** Returns an entry as JSON. Its data is the stored text. */
export const renderEntry = ({ data, ...row }: EntryRow): Json<Entry> =>
  jsonObject({
    ...jsonMembers({
      namespace: pathOf(row),
      taskId: row.task_id,
      rank: row.rank,
      expires: row.expires.toISOString(),
    }),
    data,
  });

/** Returns a page of entries as JSON. */
export const renderEntries = (rows: readonly EntryRow[], more: { readonly continuationToken?: string }) =>
  jsonObject({ ...jsonMembers(more), tasks: jsonArray(rows.map(renderEntry)) });
