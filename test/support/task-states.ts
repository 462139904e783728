// Creates tasks in every state of the queue's state machine, and performs every operation on them, by name.
import { expect } from "vitest";
import { EXCEPTION_REASONS, type TaskStatus } from "../../src/api/queue/status.ts";
import type { TaskDefinitionRequest } from "../../src/api/queue/task.ts";
import { slugid } from "../../src/lib/slugid.ts";
import type { ManualClock } from "./clock.ts";
import { taskDefinition } from "./factories.ts";
import { queueEvents, summarize } from "./queue-events.ts";
import type { Stack } from "./stack.ts";

/** A task in a separate task queue, which depends on another task, the gate. */
export interface Subject {
  readonly taskId: string;
  readonly gate: string;
  readonly taskQueueId: string;
  readonly definition: TaskDefinitionRequest;
  /** The run that operations on runs apply to. */
  readonly runId: number;
}

/** The operations that lead from unscheduled to each state. `retried2` is about the first of its two runs. */
const paths = {
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
export type State = keyof typeof paths;
export const states = Object.keys(paths) as State[];

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
  /** Performs an operation. Returns the status from the reply, if any. Rejects as the client does. */
  perform(operation: Operation, subject: Subject): Promise<TaskStatus | undefined>;
  snapshot(subject: Subject): Promise<Snapshot>;
}

/** The state of a task at one time. */
export interface Snapshot {
  /** Its runs and retries, such as `exception scheduled worker-shutdown, pending retry; 0 left`; or `gone`. */
  readonly summary: string;
  /** Its events in the log. */
  readonly events: readonly string[];
  readonly status?: TaskStatus;
}

export interface StateLimits {
  readonly claimTimeout: number;
  readonly deadlineDelay: number;
  readonly expiryDelay: number;
  /** From the creation of a task to its deadline, at which it also expires. */
  readonly toDeadline: number;
}

/** Returns the operations on tasks of a stack whose loops only the test runs. */
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

  async function runLoopAfter(name: string, ms: number): Promise<undefined> {
    await clock.advance(ms);
    await stack.runLoop(name);
  }

  async function perform(operation: Operation, subject: Subject): Promise<TaskStatus | undefined> {
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
        return runLoopAfter("claim-expiry", limits.claimTimeout + 1);
      case "deadline":
        return runLoopAfter("deadline", limits.toDeadline + limits.deadlineDelay + 1);
      default:
        return runLoopAfter("task-expiry", limits.toDeadline + limits.expiryDelay + 1);
    }
  }

  /** Number of claims in flight that get a task. The clock must not move until they end, or their long polls would time out. */
  let claimsWithTask = 0;

  /** Claims by a long poll. Without a task it only ends when the test's clock moves, so this moves it. */
  async function claimWork({ taskId, taskQueueId }: Subject): Promise<TaskStatus | undefined> {
    claimsWithTask++;
    const { status } = await stack.client.queue.status({ taskId });
    const hasTask = status.state === "pending" && Date.parse(status.deadline) > clock.now();
    if (!hasTask) claimsWithTask--;
    let settled = false;
    const claim = stack.client.queue
      .claimWork({ taskQueueId }, { ...worker, tasks: 2 })
      .finally(() => (settled = true));
    while (!hasTask && !settled) {
      if (claimsWithTask === 0) await clock.advance(1);
      // No faster than real time, or requests in flight would time out by that clock.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    try {
      return (await claim).tasks[0]?.status;
    } finally {
      if (hasTask) claimsWithTask--;
    }
  }

  async function subjectIn(state: State): Promise<Subject> {
    const subject = await newSubject();
    let runId = 0;
    for (const operation of paths[state]) {
      const status = await perform(operation, { ...subject, runId });
      runId = Math.max(0, (status?.runs.length ?? 0) - 1);
    }
    return { ...subject, runId: state === "retried2" ? 0 : runId };
  }

  async function snapshot({ taskId }: Subject): Promise<Snapshot> {
    const events = summarize(await queueEvents(stack.database.db, { taskId }));
    try {
      const { status } = await stack.client.queue.status({ taskId });
      const runs = status.runs.map(({ state, reasonCreated, reasonResolved = "" }) =>
        `${state} ${reasonCreated} ${reasonResolved}`.trim(),
      );
      return { summary: `${runs.join(", ")}; ${status.retriesLeft} left`, events, status };
    } catch (err) {
      expect(err).toMatchObject({ code: "ResourceNotFound" });
      return { summary: "gone", events };
    }
  }

  return { subjectIn, perform, snapshot };
}
