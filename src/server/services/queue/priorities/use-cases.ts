// Priorities of tasks and groups.
import type { QueueContext } from "../context.ts";
import { changeTaskGroupPriority, changeTaskPriority, createReprioritizer } from "./change-priority.ts";

export type PriorityUseCases = ReturnType<typeof priorityUseCases>;

export function priorityUseCases(ctx: QueueContext) {
  const reprioritize = createReprioritizer(ctx);
  return {
    changeTaskPriority: changeTaskPriority(ctx, reprioritize),
    changeTaskGroupPriority: changeTaskGroupPriority(ctx, reprioritize),
  };
}
