// The log records of transitions: what each contains, and which calls write none.
import { beforeAll, describe, expect, it } from "vitest";
import { createTask, taskDefinition } from "../../../../test/support/factories.ts";
import { sharedStack, type Stack } from "../../../../test/support/stack.ts";
import { until } from "../../../../test/support/until.ts";
import { slugid } from "../../../lib/slugid.ts";
import { createLog } from "../../core/log.ts";
import { createMetrics } from "../../core/metrics.ts";
import { createMonitor } from "../../core/monitor.ts";
import { areRecorded, recordClaims } from "./transition-log.ts";

const worker = { workerGroup: "g", workerId: "w" };
let stack: Stack;
let queue: Stack["client"]["queue"];
beforeAll(async () => {
  stack = await sharedStack();
  ({ queue } = stack.client);
});

/** Returns the records of a task or group in order, each as message and fields. */
const recordsOf = (id: string): unknown[][] =>
  stack.records
    .filter(({ taskId, taskGroupId }) => taskId === id || taskGroupId === id)
    .map(({ time: _time, pid: _pid, hostname: _hostname, msg, level, prefix, ...fields }) => {
      expect([level, prefix]).toEqual(["debug", "queue"]);
      return [msg, fields];
    });
const defined = (taskId: string) => ["task-defined", { taskId }];
const pending = (taskId: string, runId = 0) => ["task-pending", { taskId, runId }];
const claimed = (taskId: string, runId = 0, taskQueueId = "test/queue") => [
  ["task-claimed", { ...worker, taskQueueId, taskId, runId }],
  ["task-running", { taskId, runId }],
];
const resolved = (message: string, taskId: string, reasonResolved: string, runId = 0) => [
  message,
  { taskId, runId, reasonResolved },
];
async function running(overrides = {}): Promise<string> {
  const taskId = await createTask(stack.client, overrides);
  await queue.claimTask({ taskId, runId: 0 }, worker);
  return taskId;
}

describe("a record states", () => {
  it("that a task is defined and pending, and a repeated call writes none", async () => {
    const taskId = slugid();
    const definition = taskDefinition();
    for (let i = 0; i < 2; i++) await queue.createTask({ taskId }, definition);
    await queue.rerunTask({ taskId });
    expect(recordsOf(taskId)).toEqual([defined(taskId), pending(taskId)]);
  });

  it("that a run is claimed, by claimWork and claimTask, and reclaimed", async () => {
    const taskQueueId = "test/records";
    const taskId = await createTask(stack.client, { taskQueueId });
    const claimId = slugid();
    for (let i = 0; i < 2; i++) await queue.claimWork({ taskQueueId }, { ...worker, tasks: 1, claimId });
    await queue.claimTask({ taskId, runId: 0 }, worker);
    await queue.reclaimTask({ taskId, runId: 0 });
    expect(recordsOf(taskId)).toEqual([
      defined(taskId),
      pending(taskId),
      ...claimed(taskId, 0, taskQueueId),
      ["task-reclaimed", { ...worker, taskId, runId: 0 }],
    ]);
    expect(recordsOf(await running()).slice(2)).toHaveLength(2);
  });

  it("how a run was resolved, with its retry, and nothing for a repeated report", async () => {
    const [completed, failed, exception] = [await running(), await running(), await running()];
    for (let i = 0; i < 2; i++) {
      await queue.reportCompleted({ taskId: completed, runId: 0 });
      await queue.reportFailed({ taskId: failed, runId: 0 });
      await queue.reportException({ taskId: exception, runId: 0 }, { reason: "worker-shutdown" });
    }
    const later = (taskId: string) => recordsOf(taskId).slice(4);
    expect(later(completed)).toEqual([resolved("task-completed", completed, "completed")]);
    expect(later(failed)).toEqual([resolved("task-failed", failed, "failed")]);
    expect(later(exception)).toEqual([
      resolved("task-exception", exception, "worker-shutdown"),
      pending(exception, 1),
    ]);
  });

  it("that a task was scheduled, canceled and rerun", async () => {
    const taskId = slugid();
    await queue.createTask({ taskId }, taskDefinition({ dependencies: [taskId] }));
    await queue.scheduleTask({ taskId });
    for (let i = 0; i < 2; i++) await queue.cancelTask({ taskId });
    await queue.rerunTask({ taskId });
    expect(recordsOf(taskId)).toEqual([
      defined(taskId),
      pending(taskId),
      resolved("task-exception", taskId, "canceled"),
      pending(taskId, 1),
    ]);
  });

  it("that dependents became pending, by the resolution or by the loop that releases the rest", async () => {
    const required = await running();
    const dependent = await createTask(stack.client, { dependencies: [required] });
    await queue.reportCompleted({ taskId: required, runId: 0 });
    expect(recordsOf(dependent)).toEqual([defined(dependent), pending(dependent)]);

    const requiredByMany = await running();
    const dependents = Array.from({ length: 1100 }, () => ({
      taskId: slugid(),
      task: taskDefinition({
        taskGroupId: requiredByMany,
        dependencies: [requiredByMany],
        requires: "all-resolved",
      }),
    }));
    await queue.createTasks({ tasks: dependents });
    await queue.cancelTask({ taskId: requiredByMany });
    const recorded = async () => {
      const own = new Set(dependents.map(({ taskId }) => taskId));
      const all = stack.records.filter(
        ({ msg, taskId }) => msg === "task-pending" && own.has(String(taskId)),
      );
      return all.length >= own.size && all;
    };
    const all = await until("a record for each dependent", recorded);
    expect(new Set(all.map(({ taskId }) => taskId)).size).toBe(1100);
    expect(all).toHaveLength(1100);
  });

  it("what createTasks created", async () => {
    const [first, second] = [slugid(), slugid()];
    await queue.createTasks({
      tasks: [
        { taskId: first, task: taskDefinition({ taskGroupId: first }) },
        { taskId: second, task: taskDefinition({ taskGroupId: first, dependencies: [first] }) },
      ],
    });
    expect(recordsOf(first)).toEqual([defined(first), pending(first)]);
    expect(recordsOf(second)).toEqual([defined(second)]);
  });

  it("what the built-in workers did", async () => {
    const taskId = await createTask(stack.client, { taskQueueId: "built-in/fail" });
    await until("the task to fail", async () => recordsOf(taskId).length >= 5);
    const own = { workerGroup: "built-in", workerId: "fail", taskQueueId: "built-in/fail" };
    expect(recordsOf(taskId).slice(2)).toEqual([
      ["task-claimed", { ...own, taskId, runId: 0 }],
      ["task-running", { taskId, runId: 0 }],
      resolved("task-failed", taskId, "failed"),
    ]);
  });

  it("that priorities were changed, of a task or of a group", async () => {
    const taskId = await createTask(stack.client, { priority: "low" });
    await queue.changeTaskPriority({ taskId }, { newPriority: "high" });
    await queue.changeTaskGroupPriority({ taskGroupId: taskId }, { newPriority: "lowest" });
    expect(recordsOf(taskId).slice(2)).toEqual([
      ["task-priority-changed", { taskId, oldPriority: "low", newPriority: "high" }],
      [
        "task-group-priority-changed",
        { taskGroupId: taskId, schedulerId: "-", newPriority: "lowest", tasksAffected: 1 },
      ],
    ]);
  });

  it("that a group was sealed, once, and canceled", async () => {
    const taskGroupId = await createTask(stack.client);
    const { sealed } = await queue.sealTaskGroup({ taskGroupId });
    await until("the next millisecond", async () => Date.now() > Date.parse(sealed ?? ""));
    await queue.sealTaskGroup({ taskGroupId });
    await queue.cancelTaskGroup({ taskGroupId });
    expect(recordsOf(taskGroupId).slice(2)).toEqual([
      ["task-group-sealed", { taskGroupId, schedulerId: "-" }],
      resolved("task-exception", taskGroupId, "canceled"),
      ["task-group-cancelled", { taskGroupId, schedulerId: "-", taskGroupSize: 1, cancelledCount: 1 }],
    ]);
  });
});

it("records are not written at the default level", () => {
  const lines: string[] = [];
  const log = createLog({
    level: "info",
    format: "json",
    destination: { write: (line) => lines.push(line) },
  });
  const monitor = createMonitor({ log, metrics: createMetrics() }).child({ prefix: "queue" });
  expect(areRecorded({ monitor })).toBe(false);
  recordClaims({ monitor }, { ...worker, taskQueueId: "a/b" }, [{ task_id: slugid(), run_id: 0 }]);
  expect(lines).toEqual([]);
});
