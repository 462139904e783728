// Task queues, their provisioners and worker types, and their pending and claimed tasks.
import Type, { type Static, type TSchema } from "typebox";
import { DateTime, exactly, named, oneOfStrings } from "../schema.ts";
import { actionsOn } from "./actions.ts";
import { RunId } from "./status.ts";
import { ProvisionerId, Slugid, TaskDefinition, TaskQueueId, WorkerType } from "./task.ts";

const stability = oneOfStrings(["experimental", "stable", "deprecated"]);

/** The common members of task queues, worker types and provisioners. */
const activity = { description: Type.String(), stability, expires: DateTime, lastDateActive: DateTime };
const continuationToken = Type.Optional(Type.String());
const listOf = <T extends TSchema>(item: T) => Type.Array(item, { uniqueItems: true });

const Provisioner = exactly({ provisionerId: ProvisionerId, ...activity });
export type Provisioner = Static<typeof Provisioner>;
const ProvisionerReply = exactly({
  provisionerId: ProvisionerId,
  ...activity,
  actions: actionsOn(["provisioner", "worker-type", "worker"]),
});
export type ProvisionerReply = Static<typeof ProvisionerReply>;
const ProvisionerList = exactly({ provisioners: listOf(Provisioner), continuationToken });

const workerType = {
  provisionerId: ProvisionerId,
  workerType: WorkerType,
  taskQueueId: TaskQueueId,
  ...activity,
};
const WorkerTypeInfo = exactly(workerType);
export type WorkerTypeInfo = Static<typeof WorkerTypeInfo>;
const WorkerTypeReply = exactly({ ...workerType, actions: actionsOn(["worker-type"]) });
export type WorkerTypeReply = Static<typeof WorkerTypeReply>;
const WorkerTypeList = exactly({ workerTypes: listOf(WorkerTypeInfo), continuationToken });

const TaskQueue = exactly({ taskQueueId: TaskQueueId, ...activity });
export type TaskQueue = Static<typeof TaskQueue>;
const TaskQueueList = exactly({ taskQueues: listOf(TaskQueue), continuationToken });

const queue = { provisionerId: ProvisionerId, workerType: WorkerType, taskQueueId: TaskQueueId };
const count = Type.Integer({ minimum: 0 });
const PendingCount = exactly({ ...queue, pendingTasks: count });
const TaskQueueCounts = exactly({ ...queue, pendingTasks: count, claimedTasks: count });
const TaskQueueOverview = exactly({
  taskQueues: listOf(
    exactly({
      taskQueueId: TaskQueueId,
      pendingTasks: count,
      claimedTasks: count,
      lastDateActive: Type.Optional({
        ...DateTime,
        description:
          "When a worker last requested work or renewed a claim, or when the queue was declared before any did. Absent if none did for a day.",
      }),
    }),
  ),
  continuationToken,
});

const task = { taskId: Slugid, runId: RunId, task: TaskDefinition };
const PendingTasks = exactly({ tasks: listOf(exactly({ ...task, inserted: DateTime })), continuationToken });
const ClaimedTasks = exactly({
  tasks: listOf(exactly({ ...task, workerGroup: Type.String(), workerId: Type.String(), claimed: DateTime })),
  continuationToken,
});

/** Limited because a list contains it for each of a thousand queues. */
const description = Type.Optional(Type.String({ maxLength: 4000 }));
const declared = { stability: Type.Optional(stability), description, expires: Type.Optional(DateTime) };
const ProvisionerDeclaration = exactly({
  ...declared,
  actions: Type.Optional(actionsOn(["provisioner", "worker-type", "worker"])),
});
const WorkerTypeDeclaration = exactly(declared);
export type WorkerTypeDeclaration = Static<typeof WorkerTypeDeclaration>;

export const declareProvisionerFile = named("v1/update-provisioner-request.json", ProvisionerDeclaration);
export const declareWorkerTypeFile = named("v1/update-workertype-request.json", WorkerTypeDeclaration);
export const provisionerFile = named("v1/provisioner-response.json", ProvisionerReply);
export const provisionerListFile = named("v1/list-provisioners-response.json", ProvisionerList);
export const workerTypeFile = named("v1/workertype-response.json", WorkerTypeReply);
export const workerTypeListFile = named("v1/list-workertypes-response.json", WorkerTypeList);
export const taskQueueFile = named("v1/taskqueue-response.json", TaskQueue);
export const taskQueueListFile = named("v1/list-taskqueues-response.json", TaskQueueList);
export const pendingCountFile = named("v1/pending-tasks-response.json", PendingCount);
export const taskQueueCountsFile = named("v1/task-queue-counts-response.json", TaskQueueCounts);
export const taskQueueOverviewFile = named("v1/task-queue-overview-response.json", TaskQueueOverview);
export const pendingTasksFile = named("v1/list-pending-tasks-response.json", PendingTasks);
export const claimedTasksFile = named("v1/list-claimed-tasks-response.json", ClaimedTasks);
