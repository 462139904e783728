// Tasks and groups in the order of their creation. Taskcluster has no such lists.
import Type, { type Static } from "typebox";
import { DateTime, exactly, named } from "../schema.ts";
import { Run, TaskStatus } from "./status.ts";
import { Slugid } from "./task.ts";

const { taskId, taskGroupId, taskQueueId, schedulerId, projectId, expires, state } = TaskStatus.properties;
const created = { ...DateTime, description: "When the queue accepted it." };
const continuationToken = Type.Optional(Type.String());

const ListedTask = exactly({
  taskId,
  taskGroupId,
  taskQueueId,
  schedulerId,
  projectId,
  name: Type.String(),
  state,
  created,
  started: Type.Optional({ ...DateTime, description: "When the latest run was claimed." }),
  resolved: Type.Optional({ ...DateTime, description: "When the latest run was resolved." }),
  reasonResolved: Run.properties.reasonResolved,
});
export type ListedTask = Static<typeof ListedTask>;

const ListedTaskGroup = exactly({
  taskGroupId: Slugid,
  schedulerId,
  name: Type.Optional(
    Type.String({
      description:
        "The name of the graph file that `taskyard graph run` created it from (`extra.taskyard.graph` of the task), otherwise that of the task with the id of the group, or of the first task by id.",
    }),
  ),
  created: { ...DateTime, description: "When the queue accepted its first task." },
  expires,
  sealed: Type.Optional(DateTime),
  unresolved: Type.Integer({ minimum: 0, description: "The number of tasks that were never resolved." }),
});
export type ListedTaskGroup = Static<typeof ListedTaskGroup>;

export const listedTasksFile = named(
  "v1/list-tasks-response.json",
  exactly({ tasks: Type.Array(ListedTask), continuationToken }),
);
export const listedTaskGroupsFile = named(
  "v1/list-task-groups-response.json",
  exactly({ taskGroups: Type.Array(ListedTaskGroup), continuationToken }),
);
