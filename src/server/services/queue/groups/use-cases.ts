// Task groups: reading, sealing and canceling them.
import type { QueueContext } from "../context.ts";
import { cancelTaskGroup } from "./cancel-task-group.ts";
import { getTaskGroup, listTaskGroup } from "./read-group.ts";
import { sealTaskGroup } from "./seal-task-group.ts";

export type GroupUseCases = ReturnType<typeof groupUseCases>;

export const groupUseCases = (ctx: QueueContext) => ({
  getTaskGroup: getTaskGroup(ctx),
  listTaskGroup: listTaskGroup(ctx),
  sealTaskGroup: sealTaskGroup(ctx),
  cancelTaskGroup: cancelTaskGroup(ctx),
});
