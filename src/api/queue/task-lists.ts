// Lists of tasks: by id, and by dependency.
import Type from "typebox";
import { exactly, named } from "../schema.ts";
import { DefinitionAndStatus, TaskStatus } from "./status.ts";
import { Slugid, TaskDefinition } from "./task.ts";

const continuationToken = Type.Optional(Type.String());

// Any text is accepted as an id. An invalid id is treated like an unknown one.
export const taskIdsFile = named(
  "v1/tasks-request.json",
  exactly({
    taskIds: Type.Optional(
      Type.Array(Type.String(), { default: [], uniqueItems: false, examples: [["lHP1sn7bSM6xNSb3gnwdWg"]] }),
    ),
  }),
);
export const tasksFile = named(
  "v1/tasks-response.json",
  exactly({
    tasks: Type.Array(exactly({ taskId: Type.String(), task: TaskDefinition }), { uniqueItems: true }),
    continuationToken,
  }),
);
export const statusesFile = named(
  "v1/tasks-statuses-response.json",
  exactly({
    statuses: Type.Array(exactly({ taskId: Type.String(), status: TaskStatus }), { uniqueItems: true }),
    continuationToken,
  }),
);
export const dependentsFile = named(
  "v1/list-dependent-tasks-response.json",
  exactly({
    taskId: Slugid,
    tasks: Type.Array(DefinitionAndStatus, { uniqueItems: true }),
    continuationToken,
  }),
);
