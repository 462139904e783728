// A server whose watchdog looks when a test says so, and what tests of it share: breaking the database, and seeing what
// is found.
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
  // Loops run when the test says so.
  loopInterval: 86_400_000,
  watchdogInterval: 1_000,
  watchdogPatience: 10_000,
  watchdogSlice: 100_000,
};

/** Stop its `stack` in `afterAll`. */
export async function watchedStack() {
  // The database's own clock tells since when the log proves something, so this one shows the time too.
  const clock = manualClock(Date.now());
  const stack = await testStack({ clock, config: { queue: watchedConfig } });
  await clock.advance(60_000);
  // It looks once when it starts.
  await stack.server.loops["watchdog"]?.idle();
  const { db } = stack.database;
  const { queue } = stack.client;
  let toldBefore = 0;

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

  /** Runs a statement that has to meet something. */
  const breakIt = async (statement: Sql): Promise<void> => {
    expect(await db.run(statement), statement.text).toBeGreaterThan(0);
  };

  /** A whole pass: one round that looks at everything, one that sees that this was the end. */
  async function look(): Promise<void> {
    await db.run(sql`update watchdog_checks set place = ''`);
    for (let i = 0; i < 2; i++) {
      await clock.advance(watchedConfig.watchdogInterval);
      await stack.loopRuns("watchdog");
    }
  }

  const findings = async (check?: string) =>
    (await queue.watchdog()).findings.filter((one) => check === undefined || one.check === check);

  /** What was reported as an error since the last `begin`. */
  const reports = (): string[] =>
    stack.records
      .flatMap(({ incidentId, msg }) => (incidentId === undefined ? [] : [String(msg)]))
      .slice(toldBefore);

  async function metric(line: string): Promise<number> {
    const shown = (await (await fetch(`${stack.rootUrl}/metrics`)).text()).split("\n");
    const shownLine = shown.find((one) => one.startsWith(`${line} `));
    return Number(shownLine?.split(" ").at(-1) ?? 0);
  }

  /** Begins a test: nothing is known yet. */
  async function begin(): Promise<void> {
    await db.run(sql`delete from watchdog_findings`);
    toldBefore += reports().length;
  }

  /** That exactly this was found, told once, and counted; and is not told again. */
  async function found(
    check: string,
    expected: Readonly<Record<string, string>>,
    repaired: boolean,
  ): Promise<void> {
    const label = `queue_invariant_violations_total{check="${check}",repaired="${repaired ? "yes" : "no"}"}`;
    const before = await metric(label);
    await look();
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
    await look();
    expect(reports()).toHaveLength(subjects.length);
    expect(await findings()).toHaveLength(subjects.length);
  }

  /** That nothing is wrong any more. */
  async function peace(): Promise<void> {
    const told = reports().length;
    await look();
    expect((await findings()).filter(({ ended }) => ended === undefined)).toEqual([]);
    expect(reports()).toHaveLength(told);
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
    breakIt,
    look,
    findings,
    reports,
    begin,
    found,
    peace,
  };
}

/** That exactly this was found, told once, and counted; and is not told again. */
export const expectFound = (w: WatchedStack, ...found: Parameters<WatchedStack["found"]>): Promise<void> =>
  w.found(...found);

/** That nothing is wrong any more. */
export const expectPeace = (w: WatchedStack): Promise<void> => w.peace();
