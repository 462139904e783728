// Whole graphs: many tasks with one call, and where the time of a group went. Ours, beyond the compatible system.
import Type, { type Static } from "typebox";
import { allOf, forEach } from "../../lib/scopes/template.ts";
import { endpoint } from "../endpoint.ts";
import { DateTime, exactly, named } from "../schema.ts";
import { page, slugid } from "./endpoints.ts";
import { Run, TaskStatus } from "./status.ts";
import { SchedulerId, Slugid, TaskDefinitionRequest } from "./task.ts";

export const MAX_TASKS_PER_CALL = 10_000;
/** Ten thousand tasks of 4 KB, with room for the few that are larger. */
const CREATE_TASKS_BODY_LIMIT = 64 * 2 ** 20;

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

const createTasksRequestFile = named("v1/create-tasks-request.json", CreateTasksRequest);
const createTasksReplyFile = named("v1/create-tasks-response.json", CreateTasksReply);
const timelineFile = named("v1/task-group-timeline-response.json", Timeline);

export const graphEndpoints = {
  createTasks: endpoint({
    method: "POST",
    path: "/tasks/create",
    name: "createTasks",
    category: "Tasks",
    stability: "experimental",
    title: "Create many tasks",
    description:
      "Creates up to 10,000 tasks with their dependencies: all of them, or none. Their order is free, and they may depend on each other in any order that is no circle. " +
      "Otherwise each is created as `createTask` would, and repeating the call is safe in the same way, also after the group was sealed.\n\n" +
      "A call that is refused names everything that is wrong with it at once: the reply's `details.faults` is a list of `{path, code, message}`, such as `tasks[17].task.deadline`, and `details.more` counts those that did not fit. " +
      "With `dryRun` nothing is written: the reply tells what would be.\n\n" +
      "The scopes are those of all tasks together. Each of `queues` is written `<priority>:<provisionerId>/<workerType>`: for each task queue one of them is needed, of the highest priority that the call's tasks for it have, or of any higher one.",
    scopes: allOf(
      forEach("scope", "scopes", "<scope>"),
      forEach("route", "routes", "queue:route:<route>"),
      forEach("projectId", "projectIds", "queue:create-task:project:<projectId>"),
      forEach("schedulerId", "schedulerIds", "queue:scheduler-id:<schedulerId>"),
      forEach("queue", "queues", "queue:create-task:<queue>"),
    ),
    body: createTasksRequestFile,
    bodyLimit: CREATE_TASKS_BODY_LIMIT,
    longList: "tasks",
    reply: createTasksReplyFile,
  }),
  taskGroupTimeline: endpoint({
    method: "GET",
    path: "/task-group/:taskGroupId/timeline",
    params: { taskGroupId: slugid },
    query: page,
    name: "taskGroupTimeline",
    category: "Task Groups",
    stability: "experimental",
    title: "Show where the time of a group went",
    description:
      "For each task how long it waited for its dependencies, for a worker, and ran; for the group its critical path. Tasks are in order of their ids, a page at a time.",
    scopes: "queue:list-task-group:<taskGroupId>",
    reply: timelineFile,
  }),
} as const;
