// Random sequences of calls, compared with a small model: replies, states, runs, retries, and events.
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { manualClock } from "../../../../test/support/clock.ts";
import { taskDefinition } from "../../../../test/support/factories.ts";
import { queueEvents, summarize } from "../../../../test/support/queue-events.ts";
import type { TaskStatus } from "../../../api/queue/status.ts";
import type { ClientError } from "../../../client/index.ts";
import {
  withoutTimes,
  queueModel,
  type Outcome,
  type QueueModel,
} from "../../../../test/support/queue-model.ts";
import { testStack, type Stack } from "../../../../test/support/stack.ts";
import { slugid } from "../../../lib/slugid.ts";

const minute = 60_000;
const limits = { claimTimeout: 2 * minute, deadlineDelay: minute, maxRuns: 4 };
const clock = manualClock();
let stack: Stack;
beforeAll(async () => {
  // Loops run only when the test runs them.
  const queue = { ...limits };
  stack = await testStack({ clock, manualLoops: true, config: { queue } });
  const expires = new Date(clock.now() + 365 * 24 * 60 * minute).toISOString();
  await stack.client.queue.declareWorker(another, { expires });
});
afterAll(() => stack.stop());

/** The worker that is sometimes in quarantine. */
const another = { provisionerId: "test", workerType: "queue", workerGroup: "g", workerId: "other" };

/** A command for the queue and the model; tasks are identified by their position. */
type Command =
  | {
      readonly do: "create";
      readonly on: readonly number[];
      readonly any: boolean;
      readonly retries: number;
      readonly minutes: number;
    }
  | { readonly do: "schedule" | "rerun" | "cancel"; readonly task: number }
  | {
      readonly do: "claim";
      readonly task: number;
      readonly runId: number | undefined;
      readonly workerId: string;
    }
  | {
      readonly do: "reclaim" | "complete" | "fail";
      readonly task: number;
      readonly runId: number | undefined;
    }
  | {
      readonly do: "except";
      readonly task: number;
      readonly runId: number | undefined;
      readonly reason: Reason;
    }
  | { readonly do: "prioritize"; readonly task: number; readonly priority: Priority }
  | { readonly do: "prioritizeGroup"; readonly priority: Priority }
  | { readonly do: "seal" | "cancelGroup" }
  | { readonly do: "quarantine"; readonly minutes: number }
  | { readonly do: "wait"; readonly ms: number };
type Priority = "lowest" | "high" | "highest";
type Reason = "worker-shutdown" | "intermittent-task" | "malformed-payload";

const task = fc.nat({ max: 3 });
// Mostly the latest run, which is the one that can change.
const runId = fc.option(fc.nat({ max: 3 }), { nil: undefined, freq: 1 });
const onRun = {
  task,
  runId: fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: runId }),
};
const oneOf = <const T extends readonly string[]>(...values: T) => fc.constantFrom<T[number][]>(...values);
const create = fc.record({
  do: oneOf("create"),
  on: fc.uniqueArray(task, { maxLength: 2 }),
  any: fc.boolean(),
  retries: fc.nat({ max: 2 }),
  minutes: fc.integer({ min: 4, max: 30 }),
});
const priority = oneOf("lowest", "high", "highest");
const step: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: oneOf("schedule", "rerun", "rerun", "cancel"), task }) },
  {
    weight: 8,
    arbitrary: fc.record({ do: oneOf("claim"), ...onRun, workerId: oneOf("one", "one", "other") }),
  },
  { weight: 4, arbitrary: fc.record({ do: oneOf("reclaim", "complete", "complete", "fail"), ...onRun }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: oneOf("except"),
      ...onRun,
      reason: oneOf("worker-shutdown", "intermittent-task", "malformed-payload"),
    }),
  },
  { weight: 1, arbitrary: create },
  { weight: 2, arbitrary: fc.record({ do: oneOf("prioritize"), task, priority }) },
  { weight: 1, arbitrary: fc.record({ do: oneOf("prioritizeGroup"), priority }) },
  { weight: 1, arbitrary: fc.record({ do: oneOf("seal", "cancelGroup", "cancelGroup") }) },
  { weight: 1, arbitrary: fc.record({ do: oneOf("quarantine"), minutes: fc.integer({ min: -1, max: 5 }) }) },
  // Not whole minutes, so that no two times are equal.
  {
    weight: 2,
    arbitrary: fc.record({ do: oneOf("wait"), ms: oneOf("1", "2", "3").map((n) => Number(n) * minute + 7) }),
  },
);
/** Creations of some tasks, followed by other commands. */
const commands: fc.Arbitrary<Command[]> = fc
  .tuple(
    fc.array(create, { minLength: 2, maxLength: 3, size: "max" }),
    fc.array(step, { minLength: 20, maxLength: 50, size: "max" }),
  )
  .map(([creations, steps]) => [...creations, ...steps]);

/** A call to the queue, and the same call to the model. */
interface Pair {
  readonly model: () => Outcome;
  readonly queue: () => Promise<{ readonly status?: TaskStatus }>;
}

/** Replaces a reply without a status. */
const withoutStatus = (_reply: unknown): { readonly status?: TaskStatus } => ({});

type Call = Exclude<Command, { do: "wait" }>;

function pairOf(command: Call, model: QueueModel, taskId: string, group: readonly string[]): Pair {
  const { queue } = stack.client;
  if (command.do === "create") {
    const { retries, any } = command;
    const deadline = clock.now() + command.minutes * minute;
    const dependencies = command.on.flatMap((position) => group.slice(0, -1)[position] ?? []);
    const requires = any ? "all-resolved" : "all-completed";
    const [taskGroupId = taskId] = group;
    const overrides = {
      deadline: new Date(deadline).toISOString(),
      dependencies,
      requires,
      retries,
      taskGroupId,
    } as const;
    return {
      model: () => model.create(taskId, { retries, deadline, anyResolution: any, dependencies }),
      queue: () => queue.createTask({ taskId }, taskDefinition(overrides, clock.now())),
    };
  }
  const [taskGroupId = ""] = group;
  switch (command.do) {
    case "seal":
      return {
        model: () => model.seal(),
        queue: async () => withoutStatus(await queue.sealTaskGroup({ taskGroupId })),
      };
    case "cancelGroup":
      return {
        model: () => model.cancelGroup(),
        queue: async () => withoutStatus(await queue.cancelTaskGroup({ taskGroupId })),
      };
    case "prioritizeGroup": {
      const { priority: newPriority } = command;
      return {
        model: () => model.prioritizeGroup(newPriority),
        queue: async () =>
          withoutStatus(await queue.changeTaskGroupPriority({ taskGroupId }, { newPriority })),
      };
    }
    case "quarantine": {
      const until = clock.now() + command.minutes * minute;
      const quarantineUntil = new Date(until).toISOString();
      return {
        model: () => model.quarantine(another.workerId, until),
        queue: async () => withoutStatus(await queue.quarantineWorker(another, { quarantineUntil })),
      };
    }
    default:
      return taskPairOf(command, model, taskId);
  }
}

type TaskCall = Exclude<Call, { do: "create" | "seal" | "cancelGroup" | "prioritizeGroup" | "quarantine" }>;

/** Returns the pair for a command on one task. */
function taskPairOf(command: TaskCall, model: QueueModel, taskId: string): Pair {
  const { queue } = stack.client;
  const latest = Math.max(0, model.statusOf(taskId).runs.length - 1);
  const runId = "runId" in command ? (command.runId ?? latest) : 0;
  const run = { taskId, runId };
  switch (command.do) {
    case "prioritize": {
      const { priority: newPriority } = command;
      return {
        model: () => model.prioritize(taskId, newPriority),
        queue: () => queue.changeTaskPriority({ taskId }, { newPriority }),
      };
    }
    case "schedule":
      return { model: () => model.schedule(taskId), queue: () => queue.scheduleTask({ taskId }) };
    case "rerun":
      return { model: () => model.rerun(taskId), queue: () => queue.rerunTask({ taskId }) };
    case "cancel":
      return { model: () => model.cancel(taskId), queue: () => queue.cancelTask({ taskId }) };
    case "claim": {
      const { workerId } = command;
      return {
        model: () => model.claim(taskId, runId, workerId),
        queue: () => queue.claimTask(run, { workerGroup: "g", workerId }),
      };
    }
    case "reclaim":
      return { model: () => model.reclaim(taskId, runId), queue: () => queue.reclaimTask(run) };
    case "complete":
      return {
        model: () => model.report(taskId, runId, "completed", "completed"),
        queue: () => queue.reportCompleted(run),
      };
    case "fail":
      return {
        model: () => model.report(taskId, runId, "failed", "failed"),
        queue: () => queue.reportFailed(run),
      };
    default: {
      const { reason } = command;
      return {
        model: () => model.report(taskId, runId, "exception", reason),
        queue: () => queue.reportException(run, { reason }),
      };
    }
  }
}

async function passTime(ms: number): Promise<void> {
  await clock.advance(ms);
  for (const name of ["claim-expiry", "deadline"]) await stack.runLoop(name);
}

/** Runs one sequence on a new group. */
async function run(sequence: readonly Command[]): Promise<void> {
  const model = queueModel(limits, () => clock.now());
  const quarantineUntil = new Date(clock.now() - minute).toISOString();
  await stack.client.queue.quarantineWorker(another, { quarantineUntil });
  const group: string[] = [];
  for (const command of sequence) {
    if (command.do === "wait") {
      await passTime(command.ms);
      model.passTime();
      continue;
    }
    const taskId = command.do === "create" ? slugid() : group["task" in command ? command.task : 0];
    if (taskId === undefined || (command.do === "create" && group.push(taskId) > 4)) continue;
    const pair = pairOf(command, model, taskId, group);
    const expected = pair.model();
    const reply = await pair.queue().catch((err: ClientError) => err);
    expect([command, "code" in reply ? reply.code : "ok"]).toEqual([command, expected]);
    // A refused task is not in the group.
    if (command.do === "create" && expected !== "ok") group.pop();
    if ("status" in reply && reply.status)
      expect([command, withoutTimes(reply.status)]).toEqual([command, model.statusOf(taskId)]);
  }
  const [taskGroupId] = group;
  if (taskGroupId === undefined) return;
  const { tasks } = await stack.client.queue.listTaskGroup({ taskGroupId });
  const events = await queueEvents(stack.database.db, { taskGroupId });
  for (const { status } of tasks) {
    const { taskId } = status;
    expect(withoutTimes(status)).toEqual(model.statusOf(taskId));
    expect(status.priority).toBe(model.priorityOf(taskId));
    const own = events.filter(({ payload }) => payload.status?.taskId === taskId);
    expect(summarize(own)).toEqual(model.eventsOf(taskId));
    // The last event has the current status.
    if (own.at(-1)?.kind !== "task-defined")
      expect(withoutTimes(own.at(-1)?.payload.status ?? status)).toEqual(withoutTimes(status));
  }
  expect(events.filter(({ kind }) => kind === "task-group-resolved")).toHaveLength(model.timesResolved());
}

it("the queue behaves like the model, and publishes the same events", async () => {
  await fc.assert(fc.asyncProperty(commands, run), { numRuns: 25 });
}, 180_000);
