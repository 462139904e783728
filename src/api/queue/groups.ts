// Task groups.
import Type from "typebox";
import { DateTime, exactly, named } from "../schema.ts";
import { DefinitionAndStatus } from "./status.ts";
import { SchedulerId, Slugid } from "./task.ts";

const group = {
  taskGroupId: Slugid,
  schedulerId: SchedulerId,
  expires: DateTime,
  sealed: Type.Optional(DateTime),
};
const TaskGroup = exactly(group);
const TaskGroupList = exactly({
  ...group,
  tasks: Type.Array(DefinitionAndStatus, { uniqueItems: true }),
  continuationToken: Type.Optional(Type.String()),
});

export const taskGroupFile = named("v1/task-group-response.json", TaskGroup);
export const taskGroupListFile = named("v1/list-task-group-response.json", TaskGroupList);
export const cancelTaskGroupReplyFile = named(
  "v1/cancel-task-group-response.json",
  exactly({
    taskGroupId: Slugid,
    taskGroupSize: Type.Integer({ minimum: 0 }),
    cancelledCount: Type.Integer({ minimum: 0 }),
    taskIds: Type.Array(Slugid, { uniqueItems: true }),
  }),
);
