import { describe, expect, test } from "vitest";
import type { TaskStatus } from "../../api/queue/status.ts";
import { commandEnds, outcomeOf } from "./run-outcome.ts";

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
    // The queue knows no other reasons than those that the tests name.
    runs: [
      {
        ...run,
        state,
        reasonResolved: reason,
        ...(started && { started: at }),
      } as TaskStatus["runs"][number],
    ],
  };
}

function endsAfter(...lines: string[]) {
  const ends = commandEnds();
  for (const line of lines) ends.note(line);
  return ends;
}

const exit = (code: number): string => `[taskcluster ${at}]    Exit Code: ${code}`;

describe("the exit status", () => {
  test("of a completed task is 0, whatever its log says", () => {
    expect(outcomeOf(status("completed", "completed"), endsAfter(exit(3)), 1)).toEqual({ exitStatus: 0 });
  });

  test("of a failed one is its last command's", () => {
    expect(outcomeOf(status("failed", "failed"), endsAfter(exit(0), exit(3)), 2)).toEqual({ exitStatus: 3 });
  });

  test("counts signals as shells do", () => {
    const ends = endsAfter(exit(-1), "[taskcluster:error] signal: SIGKILL");
    expect(outcomeOf(status("failed", "failed"), ends, 1)).toEqual({ exitStatus: 137 });
  });

  test("is not what a command says of itself", () => {
    const ends = endsAfter("[taskcluster x] Exit Code: 7 or so", exit(3));
    expect(ends.count).toBe(1);
    expect(outcomeOf(status("failed", "failed"), ends, 1)).toEqual({ exitStatus: 3 });
  });

  test.each([
    [[], 1],
    [[exit(0)], 1],
    [[exit(-1)], 1],
    [[exit(0)], 2],
  ])("of a task that failed for another reason is 1, with the reason: %j of %d", (lines, commands) => {
    const failed = status("failed", "failed");
    expect(outcomeOf(failed, endsAfter(...lines), commands)).toEqual({
      exitStatus: 1,
      explanation: "the task failed, and not by its command: see the log",
    });
    const told = endsAfter(...lines, "[taskcluster:error] Aborting task...", "[taskcluster:error] too long");
    expect(outcomeOf(failed, told, commands)).toEqual({
      exitStatus: 1,
      explanation: "the task failed, and not by its command: too long",
    });
  });

  test.each([[[]], [[exit(22)]], [[exit(-1), "[taskcluster:error] signal: SIGKILL"]]])(
    "where the command before the user's failed is 1, and not that one's: %j",
    (lines) => {
      expect(outcomeOf(status("failed", "failed"), endsAfter(...lines), 2)).toEqual({
        exitStatus: 1,
        explanation: "the source could not be brought to the worker: see the log",
      });
    },
  );

  test("begins anew with each run", () => {
    const ends = endsAfter(exit(3), "[taskcluster:error] exit status 3");
    ends.reset();
    const { count, last, error } = ends;
    expect({ count, last, error }).toEqual({ count: 0, last: undefined, error: undefined });
  });
});

describe("an exception is explained", () => {
  test.each([
    ["canceled", "the task was canceled"],
    ["deadline-exceeded", "the task was not done before its deadline"],
    ["claim-expired", "the worker vanished while it ran the task, and so did every worker that tried again"],
    ["worker-shutdown", "the worker was stopped while it ran the task, and the task has no retries left"],
    ["malformed-payload", "the worker does not understand the task: see the log"],
    ["resource-unavailable", "something that the task needs could not be had: see the log"],
    ["internal-error", "the worker failed, through no fault of the task: see the log"],
    ["superseded", "the task ended without a verdict (superseded)"],
  ])("%s", (reason, explanation) => {
    expect(outcomeOf(status("exception", reason), endsAfter(exit(3)), 1)).toEqual({
      exitStatus: 1,
      explanation,
    });
  });

  test("by the lack of a worker, where none took the task", () => {
    const { explanation } = outcomeOf(status("exception", "deadline-exceeded", false), endsAfter(), 1);
    expect(explanation).toBe("no worker of proj/linux took the task before its deadline");
  });
});
