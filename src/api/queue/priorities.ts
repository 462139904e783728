// Requests and replies that change priorities.
import Type from "typebox";
import { exactly, named, oneOfStrings } from "../schema.ts";
import { PRIORITIES, SchedulerId, Slugid } from "./task.ts";

/** Required: unlike in a definition, the priority has no default here. */
export const GivenPriority = oneOfStrings(PRIORITIES);

export const priorityRequestFile = named(
  "v1/change-task-priority-request.json",
  exactly({ newPriority: GivenPriority }),
);
export const groupPriorityReplyFile = named(
  "v1/task-group-priority-change-response.json",
  exactly({
    taskGroupId: Slugid,
    schedulerId: SchedulerId,
    newPriority: GivenPriority,
    tasksAffected: Type.Integer({ minimum: 0 }),
    taskIds: Type.Array(Slugid, { uniqueItems: true }),
  }),
);
