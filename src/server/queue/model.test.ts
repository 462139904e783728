// Random sequences of calls, held against a small model: answers, states, runs, retries, and the events in the log.
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { manualClock } from "../../../test/support/clock.ts";
import { taskDefinition } from "../../../test/support/factories.ts";
import { queueEvents, story } from "../../../test/support/queue-events.ts";
import type { TaskStatus } from "../../api/queue/status.ts";
import type { ClientError } from "../../client/index.ts";
import { essence, queueModel, type Outcome, type QueueModel } from "../../../test/support/queue-model.ts";
import { testStack, type Stack } from "../../../test/support/stack.ts";
import { slugid } from "../../lib/slugid.ts";

const minute = 60_000;
const limits = { claimTimeout: 2 * minute, deadlineDelay: minute, maxRuns: 4 };
const clock = manualClock();
let stack: Stack;
beforeAll(async () => {
  // The loops run when the test says so.
  const queue = { ...limits, loopInterval: 86_400_000 };
  stack = await testStack({ clock, config: { queue } });
});
afterAll(() => stack.stop());

/** What a command does, to the queue or to the model; tasks are named by their position. */
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
  | { readonly do: "wait"; readonly ms: number };
type Reason = "worker-shutdown" | "intermittent-task" | "malformed-payload";

const task = fc.nat({ max: 3 });
// Mostly the latest run, which is where things happen.
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
  // Odd, so that no two times are ever the same.
  {
    weight: 2,
    arbitrary: fc.record({ do: oneOf("wait"), ms: oneOf("1", "2", "3").map((n) => Number(n) * minute + 7) }),
  },
);
/** Some tasks, and what happens to them. */
const commands: fc.Arbitrary<Command[]> = fc
  .tuple(
    fc.array(create, { minLength: 2, maxLength: 3, size: "max" }),
    fc.array(step, { minLength: 20, maxLength: 50, size: "max" }),
  )
  .map(([creations, steps]) => [...creations, ...steps]);

/** A call to the queue, and the same to the model. */
interface Pair {
  readonly model: () => Outcome;
  readonly queue: () => Promise<{ readonly status: TaskStatus }>;
}

type Call = Exclude<Command, { do: "wait" }>;

function pairOf(command: Call, model: QueueModel, taskId: string, group: readonly string[]): Pair {
  const { queue } = stack.client;
  if (command.do === "create") {
    const { retries, any } = command;
    const deadline = clock.now() + command.minutes * minute;
    const dependencies = command.on.flatMap((position) => group.slice(0, -1)[position] ?? []);
    const requires = any ? "all-resolved" : "all-completed";
    const [taskGroupId = taskId] = group;
    const more = {
      deadline: new Date(deadline).toISOString(),
      dependencies,
      requires,
      retries,
      taskGroupId,
    } as const;
    return {
      model: () => model.create(taskId, { retries, deadline, anyResolution: any, dependencies }),
      queue: () => queue.createTask({ taskId }, taskDefinition(more, clock.now())),
    };
  }
  const latest = Math.max(0, model.statusOf(taskId).runs.length - 1);
  const runId = "runId" in command ? (command.runId ?? latest) : 0;
  const run = { taskId, runId };
  switch (command.do) {
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
  for (const name of ["claim-expiry", "deadline"]) {
    const loop = stack.server.loops[name];
    loop?.trigger();
    await loop?.idle();
  }
}

/** Runs one sequence on a group of its own. */
async function run(sequence: readonly Command[]): Promise<void> {
  const model = queueModel(limits, () => clock.now());
  const group: string[] = [];
  for (const command of sequence) {
    if (command.do === "wait") {
      await passTime(command.ms);
      model.passTime();
      continue;
    }
    const taskId = command.do === "create" ? slugid() : group[command.task];
    if (taskId === undefined || (command.do === "create" && group.push(taskId) > 4)) continue;
    const pair = pairOf(command, model, taskId, group);
    const expected = pair.model();
    const answer = await pair.queue().catch((err: ClientError) => err);
    expect([command, "code" in answer ? answer.code : "ok"]).toEqual([command, expected]);
    if ("status" in answer)
      expect([command, essence(answer.status)]).toEqual([command, model.statusOf(taskId)]);
  }
  const [taskGroupId] = group;
  if (taskGroupId === undefined) return;
  const { tasks } = await stack.client.queue.listTaskGroup({ taskGroupId });
  const events = await queueEvents(stack.database.db, { taskGroupId });
  for (const { status } of tasks) {
    const { taskId } = status;
    expect(essence(status)).toEqual(model.statusOf(taskId));
    const own = events.filter(({ payload }) => payload.status?.taskId === taskId);
    expect(story(own)).toEqual(model.eventsOf(taskId));
    // Whoever reads the log to its end knows the status that the queue has now.
    if (own.at(-1)?.kind !== "task-defined")
      expect(essence(own.at(-1)?.payload.status ?? status)).toEqual(essence(status));
  }
  expect(events.filter(({ kind }) => kind === "task-group-resolved")).toHaveLength(model.timesResolved());
}

it("the queue does what the model does, and the log tells it", async () => {
  await fc.assert(fc.asyncProperty(commands, run), { numRuns: 40 });
});
