// The watchdog as a whole: a database without faults, the work of overdue loops, and how findings are reported and
// listed.
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

it("a database without faults has no findings, and every check finishes", async () => {
  const taskId = await w.completed();
  const waiting = await w.create({ dependencies: [await w.create()] });
  await w.create({ dependencies: [taskId, waiting] });
  await w.runPass();
  const reply = await w.stack.client.queue.watchdog();
  expect(reply.findings).toEqual([]);
  expect(reply.checks.map(({ name, open }) => [name, open])).toEqual(checks.map(({ name }) => [name, 0]));
  for (const { passed } of reply.checks) expect(passed).toBeDefined();
  expect(w.reports()).toEqual([]);
});

describe("overdue work of the loops", () => {
  it("is done by the watchdog and reported: claims and deadlines", async () => {
    const [claimed, late, waiting] = [
      await w.create(),
      await w.create({ deadline: new Date(w.clock.now() + minute).toISOString() }),
      await w.create({
        dependencies: [await w.create()],
        deadline: new Date(w.clock.now() + minute).toISOString(),
      }),
    ];
    await w.claim(claimed);
    await w.clock.advance(2 * minute);
    await w.runPass();
    // The loops still have time.
    expect((await w.findings()).map(({ subject }) => subject)).not.toContain(`${claimed}/0`);
    expect((await w.statusOf(claimed)).state).toBe("running");
    await w.clock.advance(2 * watchedConfig.watchdogPatience);
    await w.runPass();
    await w.clock.advance(2 * watchedConfig.watchdogPatience);
    await w.runPass();
    expect(await w.findings("claim-overdue")).toContainEqual(
      expect.objectContaining({
        subject: `${claimed}/0`,
        detail: expect.stringMatching(/^is running although its claim ended at /),
        repaired: expect.any(String),
      }),
    );
    expect(await w.statusOf(claimed)).toMatchObject({
      state: "pending",
      runs: [{ reasonResolved: "claim-expired" }, { reasonCreated: "retry" }],
    });
    expect((await w.findings("deadline-overdue")).map(({ subject }) => subject)).toEqual(
      expect.arrayContaining([late, waiting]),
    );
    for (const taskId of [late, waiting])
      expect(await w.statusOf(taskId)).toMatchObject({ runs: [{ reasonResolved: "deadline-exceeded" }] });
    await expectNoFaults(w);
  });

  it("is not reported if the loops do it in time", async () => {
    const claimed = await w.create();
    await w.claim(claimed);
    await w.clock.advance(minute + 2 * watchedConfig.watchdogPatience);
    await w.runPass();
    await w.stack.runLoop("claim-expiry");
    await w.clock.advance(2 * watchedConfig.watchdogPatience);
    await w.runPass();
    expect(await w.findings("claim-overdue")).toEqual([]);
    expect(await w.db.run(sql`select from watchdog_findings`)).toBe(0);
  });

  it("is reported if it is the removal of expired rows", async () => {
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

it("findings can be listed in pages, each once", async () => {
  const ids = await Promise.all(Array.from({ length: 4 }, () => w.create()));
  await w.corrupt(sql`update runs set priority = 7 where task_id = any(${ids}::text[])`);
  await w.corrupt(sql`update task_groups set unresolved = 9 where task_group_id = any(${ids}::text[])`);
  await w.runPass();
  const all = (await w.findings()).map(({ check, subject }) => `${check} ${subject}`);
  expect(all.length).toBeGreaterThanOrEqual(8);
  const listed: string[] = [];
  let continuationToken: string | undefined;
  do {
    const query = { limit: 1, ...(continuationToken !== undefined && { continuationToken }) };
    const page = await w.stack.client.queue.watchdog({ query });
    listed.push(...page.findings.map(({ check, subject }) => `${check} ${subject}`));
    ({ continuationToken } = page);
  } while (continuationToken !== undefined);
  expect(listed).toEqual(all);
});

it("findings require a scope, and a valid continuation token", async () => {
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

it("many findings of one pass are reported in a few lines", async () => {
  const ids = await Promise.all(Array.from({ length: 14 }, () => w.create()));
  await w.corrupt(sql`update runs set priority = 7 where task_id = any(${ids}::text[])`);
  await w.runPass();
  const reports = w.reports().filter((line) => line.startsWith("pending-run"));
  expect(reports).toHaveLength(11);
  expect(reports.at(-1)).toBe("pending-run: 14 findings in one run; GET /watchdog lists them");
});
