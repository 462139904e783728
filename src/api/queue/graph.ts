// Task graphs: many tasks in one call, and the timeline of a group. Taskcluster has neither.
import Type, { type Static } from "typebox";
import { DateTime, exactly, named } from "../schema.ts";
import { Run, TaskStatus } from "./status.ts";
import { SchedulerId, Slugid, TaskDefinitionRequest } from "./task.ts";

export const MAX_TASKS_PER_CALL = 10_000;
/** Ten thousand tasks of 4 KB, with room for some larger ones. */
export const CREATE_TASKS_BODY_LIMIT = 64 * 2 ** 20;

export const NewTask = exactly({ taskId: Slugid, task: TaskDefinitionRequest });
export type NewTask = Static<typeof NewTask>;

const CreateTasksRequest = exactly({
  tasks: Type.Array(NewTask, { minItems: 1, maxItems: MAX_TASKS_PER_CALL }),
  dryRun: Type.Optional(
    Type.Boolean({ default: false, description: "Validates everything and writes nothing." }),
  ),
});
export type CreateTasksRequest = Static<typeof CreateTasksRequest>;

const count = (description: string) => Type.Integer({ minimum: 0, description });
const CreateTasksReply = exactly({
  dryRun: Type.Boolean(),
  created: count("The number of new tasks."),
  pending: count("The number of new tasks that are pending, because they wait for no dependency."),
  known: Type.Array(Slugid, {
    description:
      "Tasks that already existed with the same definition, for example because of a repeated call. They are unchanged.",
  }),
  taskGroupIds: Type.Array(Slugid, { description: "The groups of all tasks of the call." }),
});
export type CreateTasksReply = Static<typeof CreateTasksReply>;

const ms = (description: string) =>
  Type.Integer({ minimum: 0, description: `${description} In milliseconds.` });
const TimedRun = exactly({
  ...Run.properties,
  queueMs: ms("From `scheduled` to `started`, or to the end of the run if it never started."),
  runMs: ms("From `started` to `resolved`."),
});
const TimedTask = exactly({
  taskId: Slugid,
  name: Type.String(),
  state: TaskStatus.properties.state,
  created: Type.Optional(DateTime),
  dependencyMs: ms("From the creation of the task until its first run was scheduled."),
  gapMs: ms(
    "From the resolution of its last dependency in the group (or its creation) until its first run was scheduled.",
  ),
  queueMs: ms("The sum of all runs."),
  runMs: ms("The sum of all runs."),
  betweenMs: ms("From the end of each run until the next one was scheduled, for example by a rerun."),
  runs: Type.Array(TimedRun),
});
export type TimedTask = Static<typeof TimedTask>;

const PathTask = exactly({
  taskId: Slugid,
  name: Type.String(),
  from: { ...DateTime, description: "When its last dependency resolved, or when it was created." },
  until: {
    ...DateTime,
    description: "When the run that released the next task on the path ended, or the end of the path.",
  },
  gapMs: ms("Before its first run was scheduled."),
  queueMs: ms("The time for which its runs up to `until` waited for workers."),
  runMs: ms("The duration of its runs up to `until`."),
  betweenMs: ms("Between its runs."),
  share: Type.Number({ minimum: 0, maximum: 1, description: "Share of the group's duration." }),
});
export type PathTask = Static<typeof PathTask>;

const Sums = exactly({
  gapMs: ms("The sum of all tasks."),
  queueMs: ms("The sum of all tasks."),
  runMs: ms("The sum of all tasks."),
  betweenMs: ms("The sum of all tasks."),
});

const Timeline = exactly({
  taskGroupId: Slugid,
  schedulerId: SchedulerId,
  asOf: { ...DateTime, description: "The time of the reply. Unfinished runs count up to this time." },
  summary: Type.Optional(
    exactly(
      {
        resolved: Type.Boolean({ description: "Whether every task of the group is resolved." }),
        tasks: count("The number of tasks of the group."),
        stuck: count(
          "The number of tasks that cannot start, because they wait, directly or indirectly, for a failed task of the group.",
        ),
        from: { ...DateTime, description: "When the first task was created." },
        until: {
          ...DateTime,
          description:
            "When the last task was resolved. Equal to `asOf` while a task that is not stuck is unresolved.",
        },
        wallMs: ms("From `from` to `until`."),
        sums: Sums,
        criticalPath: Type.Array(PathTask, {
          description:
            "The chain of tasks that determined the duration of the group, first to last. Each one was released by the end of the previous one. Their durations and `beforeMs` add up to `wallMs`.",
        }),
        beforeMs: ms("From the start of the group until the first task on the path was created."),
      },
      {
        description:
          "Only on the first page, and only for groups of up to 100,000 tasks and 2,000,000 dependencies.",
      },
    ),
  ),
  tasks: Type.Array(TimedTask),
  continuationToken: Type.Optional(Type.String()),
});
export type Timeline = Static<typeof Timeline>;

export const createTasksRequestFile = named("v1/create-tasks-request.json", CreateTasksRequest);
export const createTasksReplyFile = named("v1/create-tasks-response.json", CreateTasksReply);
export const timelineFile = named("v1/task-group-timeline-response.json", Timeline);
