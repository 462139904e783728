import { describe, expect, test } from "vitest";
import type { TaskStatus } from "../../api/queue/status.ts";
import type { FailureReport } from "../../worker/failure-report.ts";
import { outcomeOf } from "./run-outcome.ts";

const at = "2026-01-31T12:00:00.000Z";
const run = { runId: 0, reasonCreated: "scheduled", scheduled: at } as const;

function status(state: TaskStatus["state"], reason?: string, started = true): TaskStatus {
  return {
    taskId: "fN1SbArXTPSVFNUvaOlinQ",
    provisionerId: "proj",
    workerType: "linux",
    taskQueueId: "proj/linux",
    schedulerId: "-",
    projectId: "none",
    taskGroupId: "fN1SbArXTPSVFNUvaOlinQ",
    deadline: at,
    expires: at,
    retriesLeft: 0,
    state,
    runs: [
      {
        ...run,
        state,
        reasonResolved: reason,
        ...(started && { started: at }),
        // The tests only use reasons of the queue.
      } as TaskStatus["runs"][number],
    ],
  };
}

const exit = (exitCode: number) => ({ exitCode, signal: null });
const killed = { exitCode: null, signal: "SIGKILL" };
/** Not started, or aborted by the worker. */
const noExit = { exitCode: null, signal: null };

const report = (commands: FailureReport["commands"], ...messages: string[]): FailureReport => ({
  commands,
  messages,
});

describe("the exit status", () => {
  test("of a completed task is 0, whatever a report says", () => {
    expect(outcomeOf(status("completed", "completed"), report([exit(3)]), 1)).toEqual({ exitStatus: 0 });
    expect(outcomeOf(status("completed", "completed"), undefined, 1)).toEqual({ exitStatus: 0 });
  });

  test("of a failed task is that of its last command", () => {
    expect(outcomeOf(status("failed", "failed"), report([exit(0), exit(3)]), 2)).toEqual({ exitStatus: 3 });
  });

  test("of a signal is 128 plus its number, as in shells", () => {
    expect(outcomeOf(status("failed", "failed"), report([killed]), 1)).toEqual({ exitStatus: 137 });
  });

  test("of a failed task without a report is 1", () => {
    expect(outcomeOf(status("failed", "failed"), undefined, 1)).toEqual({
      exitStatus: 1,
      explanation:
        "the task failed, and its worker did not report the exit status of the command: see the log",
    });
  });

  test.each([
    [[], 1],
    [[exit(0)], 1],
    [[noExit], 1],
    [[{ exitCode: null, signal: "SIGUNKNOWN" }], 1],
    [[exit(0)], 2],
    [[exit(0), noExit], 2],
  ])("of a task that failed for another reason is 1, with the reason: %j of %d", (commands, count) => {
    const failed = status("failed", "failed");
    expect(outcomeOf(failed, report(commands), count)).toEqual({
      exitStatus: 1,
      explanation: "the task failed: see the log",
    });
    expect(outcomeOf(failed, report(commands, "first", "TASK FAILED:\n- too long"), count)).toEqual({
      exitStatus: 1,
      explanation: "the task failed: - too long",
    });
  });

  test.each([[[]], [[exit(22)]], [[noExit]], [[killed]]])(
    "is 1, and not that of the command, if the command before the user's failed: %j",
    (commands) => {
      expect(outcomeOf(status("failed", "failed"), report(commands), 2)).toEqual({
        exitStatus: 1,
        explanation: "the source could not be fetched by the worker: see the log",
      });
    },
  );
});

describe("an exception is explained", () => {
  test.each([
    ["canceled", "the task was canceled"],
    ["deadline-exceeded", "the task did not finish before its deadline"],
    ["claim-expired", "the worker disappeared while it ran the task, and no retries are left"],
    ["worker-shutdown", "the worker was stopped while it ran the task, and no retries are left"],
    ["malformed-payload", "the worker rejected the task's payload: bad"],
    ["resource-unavailable", "a resource that the task needs was not available: bad"],
    ["internal-error", "the worker failed, through no fault of the task: bad"],
    ["superseded", "the task ended without a result (superseded)"],
  ])("%s", (reason, explanation) => {
    expect(outcomeOf(status("exception", reason), report([exit(3)], "bad"), 1)).toEqual({
      exitStatus: 1,
      explanation,
    });
    expect(outcomeOf(status("exception", reason), undefined, 1)).toEqual({
      exitStatus: 1,
      explanation: explanation.replace(/bad$/, "see the log"),
    });
  });

  test("by the lack of a worker, if none claimed the task", () => {
    const { explanation } = outcomeOf(status("exception", "deadline-exceeded", false), undefined, 1);
    expect(explanation).toBe("no worker of proj/linux claimed the task before its deadline");
  });
});
