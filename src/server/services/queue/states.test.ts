// The state machine as a table: every operation in every state, including no-ops and refusals. The test compares runs,
// reasons, retries, events and the reply, and then repeats the operation.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manualClock } from "../../../../test/support/clock.ts";
import { testStack, type Stack } from "../../../../test/support/stack.ts";
import {
  states,
  taskStates,
  type Operation,
  type State,
  type Subject,
  type TaskStates,
} from "../../../../test/support/task-states.ts";
import type { ClientError } from "../../../client/index.ts";

const minute = 60_000;
const limits = { claimTimeout: 10 * minute, deadlineDelay: minute, expiryDelay: 30 * minute };
const toDeadline = 60 * minute;
const clock = manualClock();
let stack: Stack;
let tasks: TaskStates;
beforeAll(async () => {
  // Loops run only when the test runs them.
  const queue = { ...limits, claimWorkTimeout: 1, loopBatch: 1000 };
  stack = await testStack({ clock, manualLoops: true, config: { queue } });
  tasks = taskStates(stack, clock, { ...limits, toDeadline });
});
afterAll(() => stack.stop());

/** The effect of an operation: the summary of the task afterwards, and the events it publishes. */
interface Effect {
  readonly summary: string;
  readonly published: readonly string[];
  /** The state afterwards, if it is one of `states`: repeating the operation then has the effect listed there. */
  readonly next?: State;
}
const to = (summary: string, published: readonly string[], next?: State): Effect => ({
  summary,
  published,
  ...(next && { next }),
});
/** Nothing changes, but the events are published again. */
const again = (...events: string[]): { readonly again: readonly string[] } => ({ again: events });
const refused = (code: "RequestConflict" | "ResourceNotFound", message: RegExp) => ({ code, message });

type Cell = Effect | ReturnType<typeof again> | ReturnType<typeof refused> | "nothing";
type Row = Partial<Record<State, Cell>> & { readonly others: Cell };

const noRun = refused("ResourceNotFound", /^Task \S+ has no run 0: it has none\. /);
const notClaimable = refused(
  "RequestConflict",
  /^Run \d of task \S+ cannot be claimed: it is not pending, and not held by g\/\w+\. Claim another one\.$/,
);
const notResolvable = refused(
  "RequestConflict",
  /^Run \d of task \S+ cannot be resolved as \w+ \([\w-]+\): it is /,
);
const notRunning = refused(
  "RequestConflict",
  /^Run \d of task \S+ is not running any more, so its claim cannot be kept/,
);
const tooLate = refused(
  "RequestConflict",
  /^The deadline of task \S+ \(\S+\) has passed, so it can change no more\. Create a new task\.$/,
);

const first = "exception scheduled worker-shutdown";
const running = to("running scheduled; 1 left", ["task-running 0"], "running");
const runningAgain = to(`${first}, running retry; 0 left`, ["task-running 1"]);
const claims = { pending: running, retried: runningAgain };

const cancels = {
  unscheduled: to("exception exception canceled; 1 left", ["task-exception 0"], "canceled"),
  pending: to("exception scheduled canceled; 1 left", ["task-exception 0"], "canceled"),
  running: to("exception scheduled canceled; 1 left", ["task-exception 0"], "canceled"),
  retried: to(`${first}, exception retry canceled; 0 left`, ["task-exception 1"]),
  retried2: to(`${first}, exception retry canceled; 0 left`, ["task-exception 1"]),
};

/** After a retry the same report of the earlier run is accepted, up to one run later. */
const reportOf = (reason: string): Row => {
  const retryAs = { "worker-shutdown": "retry", "intermittent-task": "task-retry" }[reason];
  const resolved = `exception scheduled ${reason}`;
  return {
    unscheduled: noRun,
    running: retryAs
      ? to(`${resolved}, pending ${retryAs}; 0 left`, ["task-exception 0", "task-pending 1"])
      : to(
          `${resolved}; 1 left`,
          ["task-exception 0"],
          reason === "malformed-payload" ? "malformed" : undefined,
        ),
    ...(reason === "malformed-payload" && { malformed: "nothing" as const }),
    ...(reason === "worker-shutdown" && {
      retried2: "nothing" as const,
      spent: "nothing" as const,
    }),
    others: notResolvable,
  };
};

const table: Readonly<Record<Operation, Row>> = {
  schedule: {
    unscheduled: to("pending scheduled; 1 left", ["task-pending 0"], "pending"),
    others: "nothing",
  },
  rerun: {
    unscheduled: to("pending rerun; 1 left", ["task-pending 0"]),
    pending: again("task-pending 0"),
    running: "nothing",
    completed: to("completed scheduled completed, pending rerun; 1 left", ["task-pending 1"]),
    failed: to("failed scheduled failed, pending rerun; 1 left", ["task-pending 1"]),
    malformed: to("exception scheduled malformed-payload, pending rerun; 1 left", ["task-pending 1"]),
    canceled: to("exception scheduled canceled, pending rerun; 1 left", ["task-pending 1"]),
    spent: to(`${first}, exception retry worker-shutdown, pending rerun; 1 left`, ["task-pending 2"]),
    others: again("task-pending 1"),
  },
  cancel: { ...cancels, canceled: again("task-exception 0"), others: "nothing" },
  "cancel group": { ...cancels, others: "nothing" },
  priority: {
    unscheduled: again("task-priority-changed"),
    pending: again("task-priority-changed"),
    running: again("task-priority-changed"),
    retried: again("task-priority-changed"),
    retried2: again("task-priority-changed"),
    others: refused(
      "RequestConflict",
      /^Task \S+ cannot be reprioritized: it is already resolved, or was before it was run again\.$/,
    ),
  },
  create: { pending: again("task-defined", "task-pending 0"), others: again("task-defined") },
  claim: { unscheduled: noRun, ...claims, running: "nothing", others: notClaimable },
  "claim by another": {
    unscheduled: noRun,
    pending: to("running scheduled; 1 left", ["task-running 0"]),
    retried: runningAgain,
    others: notClaimable,
  },
  "claim work": { ...claims, retried2: runningAgain, others: "nothing" },
  reclaim: { unscheduled: noRun, running: "nothing", others: notRunning },
  complete: {
    unscheduled: noRun,
    running: to("completed scheduled completed; 1 left", ["task-completed 0"], "completed"),
    completed: "nothing",
    others: notResolvable,
  },
  fail: {
    unscheduled: noRun,
    running: to("failed scheduled failed; 1 left", ["task-failed 0"], "failed"),
    failed: "nothing",
    others: notResolvable,
  },
  "worker-shutdown": reportOf("worker-shutdown"),
  "malformed-payload": reportOf("malformed-payload"),
  "resource-unavailable": reportOf("resource-unavailable"),
  "internal-error": reportOf("internal-error"),
  "intermittent-task": reportOf("intermittent-task"),
  release: {
    unscheduled: to("pending scheduled; 1 left", ["task-pending 0"], "pending"),
    others: "nothing",
  },
  "claim expiry": {
    running: to("exception scheduled claim-expired, pending retry; 0 left", [
      "task-exception 0",
      "task-pending 1",
    ]),
    others: "nothing",
  },
  deadline: {
    unscheduled: to("exception exception deadline-exceeded; 1 left", ["task-exception 0"]),
    pending: to("exception scheduled deadline-exceeded; 1 left", ["task-exception 0"]),
    running: to("exception scheduled deadline-exceeded; 1 left", ["task-exception 0"]),
    retried: to(`${first}, exception retry deadline-exceeded; 0 left`, ["task-exception 1"]),
    retried2: to(`${first}, exception retry deadline-exceeded; 0 left`, ["task-exception 1"]),
    others: "nothing",
  },
  // Unresolved tasks are kept until their deadline resolves them.
  expiry: {
    unscheduled: "nothing",
    pending: "nothing",
    running: "nothing",
    retried: "nothing",
    retried2: "nothing",
    others: to("gone", []),
  },
};

/** After the deadline, but before the queue has resolved the task: the operations whose effect differs. */
const afterDeadline: Readonly<Partial<Record<Operation, Row>>> = {
  schedule: { others: tooLate },
  rerun: { others: tooLate },
  cancel: { others: tooLate },
  "cancel group": { others: "nothing" },
  priority: { others: tooLate },
  claim: { others: tooLate },
  "claim by another": { others: tooLate },
  "claim work": { others: "nothing" },
  reclaim: { unscheduled: noRun, others: tooLate },
  complete: table.complete,
  fail: table.fail,
  "worker-shutdown": table["worker-shutdown"],
  "internal-error": table["internal-error"],
  "claim expiry": { others: "nothing" },
  deadline: table.deadline,
};

/** Operations of loops, which affect all tasks. */
const loopOperations: readonly Operation[] = ["claim expiry", "deadline", "expiry"];

/** Performs the operation on the subjects, and compares the effects with the table. */
async function expectTable(
  operation: Operation,
  subjects: readonly Subject[],
  cells: readonly Cell[],
): Promise<void> {
  const before = await Promise.all(subjects.map(tasks.snapshot));
  const [firstSubject] = subjects;
  if (!firstSubject) return;
  const replies = loopOperations.includes(operation)
    ? [await tasks.perform(operation, firstSubject)]
    : await Promise.all(
        subjects.map((subject) => tasks.perform(operation, subject).catch((err: ClientError) => err)),
      );
  const after = await Promise.all(subjects.map(tasks.snapshot));
  for (const [i, cell] of cells.entries()) {
    const [previous, current, reply] = [before[i], after[i], replies[i]];
    if (!previous || !current) throw new Error("more cells than subjects");
    const label = `${operation} of ${previous.summary}`;
    const effect =
      cell !== "nothing" && "summary" in cell
        ? cell
        : to(previous.summary, cell !== "nothing" && "again" in cell ? cell.again : []);
    expect([label, current.summary, current.events]).toEqual([
      label,
      effect.summary,
      [...previous.events, ...effect.published],
    ]);
    if (cell !== "nothing" && "code" in cell)
      expect(reply, label).toMatchObject({ code: cell.code, message: expect.stringMatching(cell.message) });
    else if (reply !== undefined) expect([label, reply]).toEqual([label, current.status]);
  }
}

const operations = Object.keys(table) as Operation[];
const allSubjects = (): Promise<Subject[]> => Promise.all(states.map(tasks.subjectIn));

describe("on a task in any state", () => {
  it.each(operations)("%s has the effect in the table, the first and the second time", async (operation) => {
    const row = table[operation];
    const subjects = await allSubjects();
    const cells = states.map((state) => row[state] ?? row.others);
    await expectTable(operation, subjects, cells);
    // A dependency can be released only once, and a priority changed to the same value only once.
    if (operation === "release" || operation === "priority") return;
    const next = states.map((state, i) => {
      const cell = cells[i];
      return typeof cell === "object" && "summary" in cell ? cell.next : state;
    });
    await expectTable(
      operation,
      subjects.filter((_, i) => next[i]),
      next.flatMap((state) => (state ? [row[state] ?? row.others] : [])),
    );
  });
});

describe("after the deadline, on a task in any state", () => {
  it.each(Object.keys(afterDeadline) as Operation[])("%s has the effect in the table", async (operation) => {
    const row = afterDeadline[operation];
    const subjects = await allSubjects();
    await clock.advance(toDeadline + 1);
    await expectTable(
      operation,
      subjects,
      states.flatMap((state) => row?.[state] ?? row?.others ?? []),
    );
  });
});
