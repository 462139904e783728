// A server whose watchdog only runs when a test runs it, with functions that corrupt the database and check the
// findings.
import { expect } from "vitest";
import type { TaskDefinitionRequest } from "../../src/api/queue/task.ts";
import { sql, type Sql } from "../../src/server/core/sql.ts";
import { manualClock } from "./clock.ts";
import { createTask } from "./factories.ts";
import { testStack } from "./stack.ts";

export type WatchedStack = Awaited<ReturnType<typeof watchedStack>>;

export const watchedConfig = {
  claimTimeout: 60_000,
  deadlineDelay: 60_000,
  watchdogPatience: 10_000,
  watchdogSlice: 100_000,
};

/** Starts the server. Stop its `stack` in `afterAll`. */
export async function watchedStack() {
  // The start of the complete part of the event log is a time of the database's clock, so this clock must be close to it.
  const clock = manualClock(Date.now());
  const stack = await testStack({ clock, manualLoops: true, config: { queue: watchedConfig } });
  await clock.advance(60_000);
  // The watchdog runs once when it starts.
  await stack.server.loops["watchdog"]?.idle();
  const { db } = stack.database;
  const { queue } = stack.client;
  let reportsBefore = 0;

  const create = (overrides: Partial<TaskDefinitionRequest> = {}): Promise<string> =>
    createTask(stack.client, overrides, clock.now());
  const claim = (taskId: string, runId = 0) =>
    queue.claimTask({ taskId, runId }, { workerGroup: "g", workerId: "w" });
  const complete = (taskId: string) => queue.reportCompleted({ taskId, runId: 0 });
  async function completed(): Promise<string> {
    const taskId = await create();
    await claim(taskId);
    await complete(taskId);
    return taskId;
  }
  const statusOf = async (taskId: string) => (await queue.status({ taskId })).status;

  /** Runs a statement that must affect a row. */
  const corrupt = async (statement: Sql): Promise<void> => {
    expect(await db.run(statement), statement.text).toBeGreaterThan(0);
  };

  /** Runs a whole pass: one iteration checks all rows, another finds that there are no more. */
  async function runPass(): Promise<void> {
    await db.run(sql`update watchdog_checks set place = ''`);
    for (let i = 0; i < 2; i++) {
      await clock.advance(1_000);
      await db.run(sql`update watchdog_checks set due = '-infinity'`);
      await stack.runLoop("watchdog");
    }
  }

  const findings = async (check?: string) =>
    (await queue.watchdog()).findings.filter((one) => check === undefined || one.check === check);

  /** Returns the messages of errors reported since the last `reset`. */
  const reports = (): string[] =>
    stack.records
      .flatMap(({ incidentId, msg }) => (incidentId === undefined ? [] : [String(msg)]))
      .slice(reportsBefore);

  async function metric(name: string): Promise<number> {
    const lines = (await (await fetch(`${stack.rootUrl}/metrics`)).text()).split("\n");
    const found = lines.find((one) => one.startsWith(`${name} `));
    return Number(found?.split(" ").at(-1) ?? 0);
  }

  /** Deletes all findings. Call it before each test. */
  async function reset(): Promise<void> {
    await db.run(sql`delete from watchdog_findings`);
    reportsBefore += reports().length;
  }

  /** Expects that a pass finds exactly these faults, reports and counts each, and that another pass does not repeat them. */
  async function expectFound(
    check: string,
    expected: Readonly<Record<string, string>>,
    repaired: boolean,
  ): Promise<void> {
    const label = `queue_invariant_violations_total{check="${check}",repaired="${repaired ? "yes" : "no"}"}`;
    const before = await metric(label);
    await runPass();
    const subjects = Object.keys(expected).toSorted();
    const now = await findings();
    expect(now.map((one) => one.check)).toEqual(subjects.map(() => check));
    expect(Object.fromEntries(now.map((one) => [one.subject, one.detail]))).toEqual(
      Object.fromEntries(
        subjects.map((subject) => [subject, expect.stringMatching(expected[subject] ?? "")]),
      ),
    );
    for (const one of now) {
      expect(one.repaired !== undefined).toBe(repaired);
      expect(one.ended !== undefined).toBe(repaired);
    }
    expect(await metric(label)).toBe(before + subjects.length);
    const open = await metric(`queue_invariant_violations_open{check="${check}"}`);
    expect(open).toBe(repaired ? 0 : subjects.length);
    expect(reports().toSorted()).toEqual(
      subjects.map((subject) =>
        expect.stringMatching(`^${check}: ${subject} .*; ${repaired ? "repaired" : "not repaired"}$`),
      ),
    );
    await runPass();
    expect(reports()).toHaveLength(subjects.length);
    expect(await findings()).toHaveLength(subjects.length);
  }

  /** Expects that a pass reports nothing, and that no finding is open after it. */
  async function expectNoFaults(): Promise<void> {
    const before = reports().length;
    await runPass();
    expect((await findings()).filter(({ ended }) => ended === undefined)).toEqual([]);
    expect(reports()).toHaveLength(before);
  }

  return {
    stack,
    clock,
    db,
    create,
    claim,
    complete,
    completed,
    statusOf,
    corrupt,
    runPass,
    findings,
    reports,
    reset,
    expectFound,
    expectNoFaults,
  };
}

/** Expects that a pass finds exactly these faults, reports and counts each, and that another pass does not repeat them. */
export const expectFound = (
  w: WatchedStack,
  ...args: Parameters<WatchedStack["expectFound"]>
): Promise<void> => w.expectFound(...args);

/** Expects that a pass reports nothing, and that no finding is open after it. */
export const expectNoFaults = (w: WatchedStack): Promise<void> => w.expectNoFaults();
