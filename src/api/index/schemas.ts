// Schemas of the index service.
import Type from "typebox";
import { DateTime, exactly, named } from "../schema.ts";
import { Slugid } from "../queue/task.ts";

/** The greatest length of an index path. Bounds its depth too: a path has at most 128 parts. */
export const MAX_PATH = 255;

const Path = Type.String({ maxLength: MAX_PATH });
const continuationToken = Type.Optional(Type.String());

const entry = {
  taskId: Slugid,
  rank: Type.Number({
    description:
      "An entry is replaced only by one of the same or a higher rank. Often a build time or number.",
  }),
  data: Type.Unsafe<object>({ type: "object", description: "Any JSON object." }),
  expires: DateTime,
};

export const insertTaskFile = named("v1/insert-task-request.json", exactly(entry));

const IndexedTask = exactly({ namespace: Path, ...entry });
export const indexedTaskFile = named("v1/indexed-task-response.json", IndexedTask);

export const listTasksFile = named(
  "v1/list-tasks-response.json",
  exactly({ tasks: Type.Array(exactly(IndexedTask.properties), { uniqueItems: true }), continuationToken }),
);

export const tasksAtIndexFile = named(
  "v1/list-tasks-at-index.json",
  exactly({
    indexes: Type.Optional(
      Type.Array(Type.String(), { default: [], uniqueItems: false, examples: [["app.latest.build"]] }),
    ),
  }),
);

export const listNamespacesRequestFile = named(
  "v1/list-namespaces-request.json",
  exactly({
    continuationToken,
    limit: Type.Optional(Type.Integer({ default: 1000, minimum: 1, maximum: 1000 })),
  }),
);

export const listNamespacesFile = named(
  "v1/list-namespaces-response.json",
  exactly({
    namespaces: Type.Array(exactly({ namespace: Path, name: Type.String(), expires: DateTime }), {
      uniqueItems: true,
    }),
    continuationToken,
  }),
);
