// Whole graphs: many tasks with one call, and where the time of a group went. Ours, beyond the compatible system.
import Type, { type Static } from "typebox";
import { DateTime, exactly, named } from "../schema.ts";
import { Run, TaskStatus } from "./status.ts";
import { SchedulerId, Slugid, TaskDefinitionRequest } from "./task.ts";

export const MAX_TASKS_PER_CALL = 10_000;
/** Ten thousand tasks of 4 KB, with room for the few that are larger. */
export const CREATE_TASKS_BODY_LIMIT = 64 * 2 ** 20;

export const NewTask = exactly({ taskId: Slugid, task: TaskDefinitionRequest });
export type NewTask = Static<typeof NewTask>;

const CreateTasksRequest = exactly({
  tasks: Type.Array(NewTask, { minItems: 1, maxItems: MAX_TASKS_PER_CALL }),
  dryRun: Type.Optional(
    Type.Boolean({ default: false, description: "Checks everything and writes nothing." }),
  ),
});
export type CreateTasksRequest = Static<typeof CreateTasksRequest>;

const count = (description: string) => Type.Integer({ minimum: 0, description });
const CreateTasksReply = exactly({
  dryRun: Type.Boolean(),
  created: count("Tasks that are new."),
  pending: count("Those of them that wait for nothing, and are pending."),
  known: Type.Array(Slugid, {
    description:
      "Tasks that were there already with the same definition, and were left as they are: a repeated call.",
  }),
  taskGroupIds: Type.Array(Slugid, { description: "The groups of all of them." }),
});
export type CreateTasksReply = Static<typeof CreateTasksReply>;

const ms = (description: string) => Type.Integer({ minimum: 0, description: `${description} Milliseconds.` });
const TimedRun = exactly({
  ...Run.properties,
  queueMs: ms("From `scheduled` to `started`, or to the end of a run that never started."),
  runMs: ms("From `started` to `resolved`."),
});
const TimedTask = exactly({
  taskId: Slugid,
  name: Type.String(),
  state: TaskStatus.properties.state,
  created: Type.Optional(DateTime),
  dependencyMs: ms("From when it was created to when its first run was scheduled."),
  gapMs: ms("From when the last of its dependencies in the group was resolved (or it was created) to that."),
  queueMs: ms("Of all runs."),
  runMs: ms("Of all runs."),
  betweenMs: ms("From the end of runs to when the next was scheduled: reruns."),
  runs: Type.Array(TimedRun),
});
export type TimedTask = Static<typeof TimedTask>;

const PathTask = exactly({
  taskId: Slugid,
  name: Type.String(),
  from: { ...DateTime, description: "When what it waited for was there." },
  until: { ...DateTime, description: "When the next task of the path could go on, or the end." },
  gapMs: ms("Before its first run was scheduled."),
  queueMs: ms("Of its runs so far, waiting for workers."),
  runMs: ms("Of its runs so far."),
  betweenMs: ms("Between its runs."),
  share: Type.Number({ minimum: 0, maximum: 1, description: "Its part of the time of the group." }),
});
export type PathTask = Static<typeof PathTask>;

const Sums = exactly({
  gapMs: ms("All tasks together."),
  queueMs: ms("All tasks together."),
  runMs: ms("All tasks together."),
  betweenMs: ms("All tasks together."),
});

const Timeline = exactly({
  taskGroupId: Slugid,
  schedulerId: SchedulerId,
  asOf: { ...DateTime, description: "What is not over is counted until then." },
  summary: Type.Optional(
    exactly(
      {
        resolved: Type.Boolean({ description: "Whether every task of the group is." }),
        tasks: count("Tasks of the group."),
        stuck: count(
          "Those of them that wait for one of the group that failed, and so for nothing that goes on.",
        ),
        from: { ...DateTime, description: "When the first task was created." },
        until: {
          ...DateTime,
          description: "When the last one was resolved; `asOf` where one is not, and not stuck.",
        },
        wallMs: ms("From the one to the other."),
        sums: Sums,
        criticalPath: Type.Array(PathTask, {
          description:
            "The tasks that made the group take as long as it did, first to last: each began when the one before was done. Their times add up to `wallMs`, less what passed before the first of them was created.",
        }),
        beforeMs: ms("From the start of the group to when the first task of the path was created."),
      },
      { description: "On the first page, of groups of up to 100,000 tasks and 2,000,000 dependencies." },
    ),
  ),
  tasks: Type.Array(TimedTask),
  continuationToken: Type.Optional(Type.String()),
});
export type Timeline = Static<typeof Timeline>;

export const createTasksRequestFile = named("v1/create-tasks-request.json", CreateTasksRequest);
export const createTasksReplyFile = named("v1/create-tasks-response.json", CreateTasksReply);
export const timelineFile = named("v1/task-group-timeline-response.json", Timeline);
