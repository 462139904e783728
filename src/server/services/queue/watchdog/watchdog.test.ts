// The watchdog as a whole: what it says of a database in order, when it does the work of loops that are late, and how
// findings are told and listed.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  expectNoFaults,
  watchedConfig,
  watchedStack,
  type WatchedStack,
} from "../../../../../test/support/watched-stack.ts";
import { sql } from "../../../core/sql.ts";
import { checks } from "./checks.ts";

let w: WatchedStack;
beforeAll(async () => {
  w = await watchedStack();
});
afterAll(() => w.stack.stop());
beforeEach(() => w.reset());

const minute = 60_000;

it("a database in order has no findings, and every check comes to its end", async () => {
  const taskId = await w.completed();
  const waits = await w.create({ dependencies: [await w.create()] });
  await w.create({ dependencies: [taskId, waits] });
  await w.runPass();
  const reply = await w.stack.client.queue.watchdog();
  expect(reply.findings).toEqual([]);
  expect(reply.checks.map(({ name, open }) => [name, open])).toEqual(checks.map(({ name }) => [name, 0]));
  for (const { passed } of reply.checks) expect(passed).toBeDefined();
  expect(w.reports()).toEqual([]);
});

describe("what the loops should have done", () => {
  it("is done for them when they are late, and told: claims and deadlines", async () => {
    const [held, late, waits] = [
      await w.create(),
      await w.create({ deadline: new Date(w.clock.now() + minute).toISOString() }),
      await w.create({
        dependencies: [await w.create()],
        deadline: new Date(w.clock.now() + minute).toISOString(),
      }),
    ];
    await w.claim(held);
    await w.clock.advance(2 * minute);
    await w.runPass();
    // The loops have their time.
    expect((await w.findings()).map(({ subject }) => subject)).not.toContain(`${held}/0`);
    expect((await w.statusOf(held)).state).toBe("running");
    await w.clock.advance(2 * watchedConfig.watchdogPatience);
    await w.runPass();
    await w.clock.advance(2 * watchedConfig.watchdogPatience);
    await w.runPass();
    expect(await w.findings("claim-overdue")).toContainEqual(
      expect.objectContaining({
        subject: `${held}/0`,
        detail: expect.stringMatching(/^is running although its claim ended at /),
        repaired: expect.any(String),
      }),
    );
    expect(await w.statusOf(held)).toMatchObject({
      state: "pending",
      runs: [{ reasonResolved: "claim-expired" }, { reasonCreated: "retry" }],
    });
    expect((await w.findings("deadline-overdue")).map(({ subject }) => subject)).toEqual(
      expect.arrayContaining([late, waits]),
    );
    for (const taskId of [late, waits])
      expect(await w.statusOf(taskId)).toMatchObject({ runs: [{ reasonResolved: "deadline-exceeded" }] });
    await expectNoFaults(w);
  });

  it("is not told where they did it in time", async () => {
    const held = await w.create();
    await w.claim(held);
    await w.clock.advance(minute + 2 * watchedConfig.watchdogPatience);
    await w.runPass();
    await w.stack.loopRuns("claim-expiry");
    await w.clock.advance(2 * watchedConfig.watchdogPatience);
    await w.runPass();
    expect(await w.findings("claim-overdue")).toEqual([]);
    expect(await w.db.run(sql`select from watchdog_findings`)).toBe(0);
  });

  it("is told where removal is late", async () => {
    const taskId = await w.completed();
    await w.corrupt(sql`update tasks set expires = '2020-01-01' where task_id = ${taskId}`);
    await w.runPass();
    await w.clock.advance(2 * watchedConfig.watchdogPatience);
    await w.runPass();
    expect(await w.findings("removal-overdue")).toMatchObject([
      { subject: "tasks", detail: "remain that should have been removed" },
    ]);
    await w.db.run(sql`update tasks set expires = '2100-01-01' where task_id = ${taskId}`);
    await expectNoFaults(w);
  });
});

it("findings are listed page by page, each once", async () => {
  const ids = await Promise.all(Array.from({ length: 4 }, () => w.create()));
  await w.corrupt(sql`update runs set priority = 7 where task_id = any(${ids}::text[])`);
  await w.corrupt(sql`update task_groups set unresolved = 9 where task_group_id = any(${ids}::text[])`);
  await w.runPass();
  const all = (await w.findings()).map(({ check, subject }) => `${check} ${subject}`);
  expect(all.length).toBeGreaterThanOrEqual(8);
  const seen: string[] = [];
  let continuationToken: string | undefined;
  do {
    const query = { limit: 1, ...(continuationToken !== undefined && { continuationToken }) };
    const page = await w.stack.client.queue.watchdog({ query });
    seen.push(...page.findings.map(({ check, subject }) => `${check} ${subject}`));
    ({ continuationToken } = page);
  } while (continuationToken !== undefined);
  expect(seen).toEqual(all);
});

it("findings are for those who may see them, from where a page ended", async () => {
  await expect(w.stack.as(undefined).queue.watchdog()).rejects.toMatchObject({
    code: "InsufficientScopes",
    message: expect.stringContaining("queue:watchdog"),
  });
  const { queue } = w.stack.limited(["queue:watchdog"]);
  expect((await queue.watchdog()).checks).toHaveLength(checks.length);
  await expect(queue.watchdog({ query: { continuationToken: "?" } })).rejects.toMatchObject({
    code: "InputError",
    message: expect.stringContaining("Invalid continuation token"),
  });
});

it("many findings at once are told in a few words", async () => {
  const ids = await Promise.all(Array.from({ length: 14 }, () => w.create()));
  await w.corrupt(sql`update runs set priority = 7 where task_id = any(${ids}::text[])`);
  await w.runPass();
  const told = w.reports().filter((line) => line.startsWith("pending-run"));
  expect(told).toHaveLength(11);
  expect(told.at(-1)).toBe("pending-run: 14 findings in one run; GET /watchdog lists them");
});
