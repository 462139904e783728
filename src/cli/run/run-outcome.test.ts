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
    expect(outcomeOf(status("completed", "completed"), report([exit(3)]))).toEqual({ exitStatus: 0 });
    expect(outcomeOf(status("completed", "completed"), undefined)).toEqual({ exitStatus: 0 });
  });

  test("of a failed task is that of its command", () => {
    expect(outcomeOf(status("failed", "failed"), report([exit(3)]))).toEqual({ exitStatus: 3 });
  });

  test("of a signal is 128 plus its number, as in shells", () => {
    expect(outcomeOf(status("failed", "failed"), report([killed]))).toEqual({ exitStatus: 137 });
  });

  test("of a failed task without a report is 1", () => {
    expect(outcomeOf(status("failed", "failed"), undefined)).toEqual({
      exitStatus: 1,
      explanation:
        "the task failed, and its worker did not report the exit status of the command: see the log",
    });
  });

  test.each([[[]], [[exit(0)]], [[noExit]], [[{ exitCode: null, signal: "SIGUNKNOWN" }]]])(
    "of a task that failed for another reason is 1, with the reason: %j",
    (commands) => {
      const failed = status("failed", "failed");
      expect(outcomeOf(failed, report(commands))).toEqual({
        exitStatus: 1,
        explanation: "the task failed: see the log",
      });
      expect(outcomeOf(failed, report(commands, "first", "TASK FAILED:\n- too long"))).toEqual({
        exitStatus: 1,
        explanation: "the task failed: - too long",
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
    expect(outcomeOf(status("exception", reason), report([exit(3)], "bad"))).toEqual({
      exitStatus: 1,
      explanation,
    });
    expect(outcomeOf(status("exception", reason), undefined)).toEqual({
      exitStatus: 1,
      explanation: explanation.replace(/bad$/, "see the log"),
    });
  });

  test("by the lack of a worker, if none claimed the task", () => {
    const { explanation } = outcomeOf(status("exception", "deadline-exceeded", false), undefined);
    expect(explanation).toBe("no worker of proj/linux claimed the task before its deadline");
  });
});
