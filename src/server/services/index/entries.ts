// The use cases on single entries: find, insert and delete.
import type { BodyOf } from "../../../api/endpoint.ts";
import { indexApi } from "../../../api/index/index.ts";
import { MAX_PATH } from "../../../api/index/schemas.ts";
import { ApiError } from "../../../lib/errors.ts";
import { InternalError } from "../../../lib/internal-error.ts";
import type { Caller } from "../../core/caller.ts";
import { timestamp } from "../../core/timestamp.ts";
import type { IndexContext } from "./context.ts";
import { placeOf } from "./index-path.ts";
import { renderEntry } from "./render-entry.ts";
import { deleteEntry, readEntry, type EntryRow } from "./store/entries.ts";
import { writeEntries } from "./store/write-entries.ts";

const { endpoints } = indexApi;

/** Reads the entry at a path. Throws `ResourceNotFound` if there is none, or if it has expired. */
export async function requireEntry(
  ctx: Pick<IndexContext, "db" | "clock">,
  indexPath: string,
): Promise<EntryRow> {
  const row = await readEntry(ctx.db, placeOf(indexPath), timestamp(ctx));
  if (row) return row;
  throw new ApiError(
    "ResourceNotFound",
    `No task is indexed at "${indexPath}", or its entry has expired: check the path, or insert a task with \`index.insertTask\`.`,
  );
}

export const findTask = (ctx: IndexContext) => async (caller: Caller, indexPath: string) => {
  caller.authorize(endpoints.findTask, { indexPath });
  return renderEntry(await requireEntry(ctx, indexPath));
};

export const insertTask =
  ({ db }: IndexContext) =>
  async (caller: Caller, path: string, body: BodyOf<typeof endpoints.insertTask>) => {
    caller.authorize(endpoints.insertTask, { namespace: path });
    if (path.length > MAX_PATH)
      throw new ApiError(
        "InputError",
        `The path has ${path.length} characters, but at most ${MAX_PATH} are possible: shorten its parts, or use fewer of them.`,
      );
    const { taskId, rank, data, expires } = body;
    const [row] = await writeEntries(db, [{ path, taskId, rank, data, expires: Date.parse(expires) }]);
    if (!row) throw new InternalError(`the entry ${path} was neither written nor found`);
    return renderEntry(row);
  };

export const deleteTask =
  ({ db }: IndexContext) =>
  async (caller: Caller, path: string): Promise<void> => {
    caller.authorize(endpoints.deleteTask, { namespace: path });
    await deleteEntry(db, placeOf(path));
  };
