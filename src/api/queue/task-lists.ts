// Many tasks with one call: those that the caller names, and those that depend on one.
import Type from "typebox";
import { exactly, named } from "../schema.ts";
import { DefinitionAndStatus, TaskStatus } from "./status.ts";
import { Slugid, TaskDefinition } from "./task.ts";

const continuationToken = Type.Optional(Type.String());

// Any text is taken for an id: one that cannot be an id is one that nobody knows.
export const taskIdsFile = named(
  "v1/tasks-request.json",
  exactly({ taskIds: Type.Optional(Type.Array(Type.String(), { default: [], uniqueItems: false })) }),
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
