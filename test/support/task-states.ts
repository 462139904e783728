// Tasks in every state of the queue's state machine, and every operation on them, by name.
import { expect } from "vitest";
import { EXCEPTION_REASONS, type TaskStatus } from "../../src/api/queue/status.ts";
import type { TaskDefinitionRequest } from "../../src/api/queue/task.ts";
import { slugid } from "../../src/lib/slugid.ts";
import type { ManualClock } from "./clock.ts";
import { taskDefinition } from "./factories.ts";
import { queueEvents, story } from "./queue-events.ts";
import type { Stack } from "./stack.ts";

/** A task in a queue of its own, which requires another task, the gate. */
export interface Subject {
  readonly taskId: string;
  readonly gate: string;
  readonly taskQueueId: string;
  readonly definition: TaskDefinitionRequest;
  /** The run that operations on runs are about. */
  readonly runId: number;
}

/** How a task comes into each state, from unscheduled on. `retried2` looks at the first of its two runs. */
const ways = {
  unscheduled: [],
  pending: ["schedule"],
  running: ["schedule", "claim"],
  completed: ["schedule", "claim", "complete"],
  failed: ["schedule", "claim", "fail"],
  malformed: ["schedule", "claim", "malformed-payload"],
  canceled: ["schedule", "cancel"],
  retried: ["schedule", "claim", "worker-shutdown"],
  retried2: ["schedule", "claim", "worker-shutdown"],
  spent: ["schedule", "claim", "worker-shutdown", "claim", "worker-shutdown"],
} as const satisfies Record<string, readonly Operation[]>;
export type State = keyof typeof ways;
export const states = Object.keys(ways) as State[];

export type Operation =
  | "schedule"
  | "rerun"
  | "cancel"
  | "cancel group"
  | "priority"
  | "create"
  | "claim"
  | "claim by another"
  | "claim work"
  | "reclaim"
  | "complete"
  | "fail"
  | (typeof EXCEPTION_REASONS)[number]
  | "release"
  | "claim expiry"
  | "deadline"
  | "expiry";

const isReason = (operation: string): operation is (typeof EXCEPTION_REASONS)[number] =>
  (EXCEPTION_REASONS as readonly string[]).includes(operation);

const worker = { workerGroup: "g", workerId: "w" };

export interface TaskStates {
  subjectIn(state: State): Promise<Subject>;
  /** Does it; answers the status where there is one in the reply. Rejects as the client does. */
  operate(operation: Operation, subject: Subject): Promise<TaskStatus | undefined>;
  lookAt(subject: Subject): Promise<Look>;
}

/** How a task is found. */
export interface Look {
  /** Its runs and retries, such as `exception scheduled worker-shutdown, pending retry; 0 left`; or `gone`. */
  readonly is: string;
  /** What the log says of it. */
  readonly told: readonly string[];
  readonly status?: TaskStatus;
}

export interface StateLimits {
  readonly claimTimeout: number;
  readonly deadlineDelay: number;
  readonly expiryDelay: number;
  /** From a task's creation to its deadline, when it expires as well. */
  readonly toDeadline: number;
}

/** Operations on the tasks of a stack whose loops run only when they are told to. */
export function taskStates(stack: Stack, clock: ManualClock, limits: StateLimits): TaskStates {
  let count = 0;

  async function newSubject(): Promise<Subject> {
    const { queue } = stack.client;
    const [taskId, gate, taskQueueId] = [slugid(), slugid(), `states/q${count++}`];
    const deadline = new Date(clock.now() + limits.toDeadline).toISOString();
    const common = { taskQueueId, deadline, expires: deadline };
    await queue.createTask(
      { taskId: gate },
      taskDefinition({ ...common, taskQueueId: "states/gate" }, clock.now()),
    );
    const definition = taskDefinition({ ...common, dependencies: [gate], retries: 1 }, clock.now());
    await queue.createTask({ taskId }, definition);
    return { taskId, gate, taskQueueId, definition, runId: 0 };
  }

  async function round(name: string, ms: number): Promise<undefined> {
    await clock.advance(ms);
    await stack.loopRuns(name);
  }

  /** Does it; answers the status where there is one in the reply. */
  async function operate(operation: Operation, subject: Subject): Promise<TaskStatus | undefined> {
    const { queue } = stack.client;
    const { taskId, runId } = subject;
    const run = { taskId, runId };
    if (isReason(operation)) return (await queue.reportException(run, { reason: operation })).status;
    switch (operation) {
      case "schedule":
        return (await queue.scheduleTask({ taskId })).status;
      case "rerun":
        return (await queue.rerunTask({ taskId })).status;
      case "cancel":
        return (await queue.cancelTask({ taskId })).status;
      case "cancel group":
        await queue.sealTaskGroup({ taskGroupId: taskId });
        await queue.cancelTaskGroup({ taskGroupId: taskId });
        return undefined;
      case "priority":
        return (await queue.changeTaskPriority({ taskId }, { newPriority: "high" })).status;
      case "create":
        return (await queue.createTask({ taskId }, subject.definition)).status;
      case "claim":
        return (await queue.claimTask(run, worker)).status;
      case "claim by another":
        return (await queue.claimTask(run, { ...worker, workerId: "another" })).status;
      case "claim work":
        return claimWork(subject);
      case "reclaim":
        return (await queue.reclaimTask(run)).status;
      case "complete":
        return (await queue.reportCompleted(run)).status;
      case "fail":
        return (await queue.reportFailed(run)).status;
      case "release":
        await queue.scheduleTask({ taskId: subject.gate });
        await queue.claimTask({ taskId: subject.gate, runId: 0 }, worker);
        await queue.reportCompleted({ taskId: subject.gate, runId: 0 });
        return undefined;
      case "claim expiry":
        return round("claim-expiry", limits.claimTimeout + 1);
      case "deadline":
        return round("deadline", limits.toDeadline + limits.deadlineDelay + 1);
      default:
        return round("task-expiry", limits.toDeadline + limits.expiryDelay + 1);
    }
  }

  /** Claims that may get something. While there is one, the clock stands: it would be sent home before it is served. */
  let hopeful = 0;

  /** Asks as a worker does, who waits where there is nothing: until the test's clock moves on, which it then does. */
  async function claimWork({ taskId, taskQueueId }: Subject): Promise<TaskStatus | undefined> {
    hopeful++;
    const { status } = await stack.client.queue.status({ taskId });
    const isThere = status.state === "pending" && Date.parse(status.deadline) > clock.now();
    if (!isThere) hopeful--;
    let answered = false;
    const asked = stack.client.queue
      .claimWork({ taskQueueId }, { ...worker, tasks: 2 })
      .finally(() => (answered = true));
    while (!isThere && !answered) {
      if (hopeful === 0) await clock.advance(1);
      // No faster than time itself, or requests that are under way would take too long by that clock.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    try {
      return (await asked).tasks[0]?.status;
    } finally {
      if (isThere) hopeful--;
    }
  }

  async function subjectIn(state: State): Promise<Subject> {
    const subject = await newSubject();
    let runId = 0;
    for (const operation of ways[state]) {
      const status = await operate(operation, { ...subject, runId });
      runId = Math.max(0, (status?.runs.length ?? 0) - 1);
    }
    return { ...subject, runId: state === "retried2" ? 0 : runId };
  }

  /** What there is to know of a task: `exception scheduled worker-shutdown, pending retry; 0 left`. */
  async function lookAt({ taskId }: Subject): Promise<Look> {
    const told = story(await queueEvents(stack.database.db, { taskId }));
    try {
      const { status } = await stack.client.queue.status({ taskId });
      const runs = status.runs.map(({ state, reasonCreated, reasonResolved = "" }) =>
        `${state} ${reasonCreated} ${reasonResolved}`.trim(),
      );
      return { is: `${runs.join(", ")}; ${status.retriesLeft} left`, told, status };
    } catch (err) {
      expect(err).toMatchObject({ code: "ResourceNotFound" });
      return { is: "gone", told };
    }
  }

  return { subjectIn, operate, lookAt };
}
