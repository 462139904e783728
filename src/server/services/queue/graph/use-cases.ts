// Task graphs: creating many tasks, and where the time of a group went.
import type { QueueContext } from "../context.ts";
import { createTasks } from "./create-tasks.ts";
import { taskGroupTimeline } from "./timeline.ts";

export type GraphUseCases = ReturnType<typeof graphUseCases>;

export const graphUseCases = (ctx: QueueContext) => ({
  createTasks: createTasks(ctx),
  taskGroupTimeline: taskGroupTimeline(ctx),
});
