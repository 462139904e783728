// The plans of worker-manager's statements: lists walk an index in its order, and loops find expired rows by an index.
import { afterAll, beforeAll, expect, it } from "vitest";
import { testDatabase, type TestDatabase } from "../../../../test/support/db.ts";
import { plansOf } from "../../../../test/support/plans.ts";
import { sql } from "../../core/sql.ts";
import { deleteErrors, listErrors } from "./errors/store.ts";
import { listLaunchConfigs } from "./pools/store/launch-configs.ts";
import { stopSilentWorkers } from "./workers/store/stop-workers.ts";
import { deleteExpiredWorkers, listWorkers } from "./workers/store/workers.ts";

const now = new Date().toISOString();
const workerPoolId = "p/1";
const start = { workerPoolId, workerGroup: "", workerId: "" };
const indexOf = (plan: string): string => /Index (?:Only )?Scan using (\w+)/.exec(plan)?.[1] ?? "";
let database: TestDatabase;
beforeAll(async () => {
  // One connection, so that its prepared statements are those of this test.
  database = await testDatabase({ poolSize: 1 });
  await database.db.run(sql`
    insert into pool_workers (worker_pool_id, worker_group, worker_id, provider_id, launch_config_id, state, capacity, created,
      expires, last_modified, last_checked)
    select 'p/' || n % 2, 'g' || n % 10, n::text, 'self', 'lc' || n % 50, case when n % 1000 = 1 then 'stopped' else 'running' end,
      1, now(), now() + interval '1 day', now(), now()
    from generate_series(1, 10000) n`);
  await database.db.run(sql`
    insert into worker_pool_errors (error_id, worker_pool_id, launch_config_id, reported, report, title)
    select n::text, 'p/' || n % 2, 'lc' || n % 50, now() - n * interval '1 minute', '{}', 't' from generate_series(1, 10000) n`);
  await database.db.run(sql`
    insert into worker_pool_launch_configs (worker_pool_id, launch_config_id, is_archived, configuration, created, last_modified)
    select 'p/' || n % 2, 'lc' || n, n % 1000 > 10, '{}', now(), now() from generate_series(1, 10000) n`);
  await database.db.run(sql`vacuum analyze pool_workers, worker_pool_errors, worker_pool_launch_configs`);
});
afterAll(() => database.drop());

it("lists of workers walk the index for their filter, and stop at the limit", async () => {
  const { db } = database;
  const filters = [
    {},
    { workerGroup: "g1" },
    { state: "stopped" },
    { launchConfigId: "lc1" },
    { launchConfigId: "lc1", state: "stopped" },
  ];
  for (const filter of filters) {
    const found = await listWorkers(db, start, filter, 3);
    expect(found).toHaveLength(3);
    const keys = found.map((row) => `${row.worker_group}/${row.worker_id}`);
    expect(keys).toEqual(keys.toSorted());
  }
  const plans = await plansOf(db, (text) => text.includes("order by w.worker_group"));
  // The last two filters have the same statement.
  expect(plans).toHaveLength(4);
  expect(plans.map(indexOf).toSorted()).toEqual([
    "pool_workers_by_launch_config",
    "pool_workers_by_state",
    "pool_workers_pkey",
    "pool_workers_pkey",
  ]);
  for (const plan of plans) expect(plan).not.toMatch(/Seq Scan|Bitmap|Filter/);
});

it("launch configs are listed with or without the archived ones", async () => {
  const { db } = database;
  expect(await listLaunchConfigs(db, workerPoolId, "", false, 3)).toHaveLength(3);
  expect(await listLaunchConfigs(db, workerPoolId, "", true, 3)).toHaveLength(3);
  const plans = await plansOf(db, (text) => text.includes("from worker_pool_launch_configs"));
  expect(plans.map(indexOf).toSorted()).toEqual([
    "worker_pool_launch_configs_in_use",
    "worker_pool_launch_configs_pkey",
  ]);
  for (const plan of plans) expect(plan).not.toMatch(/Seq Scan|Bitmap|Filter/);
});

it("errors are listed by time, in a pool and in a launch config, or found by their id", async () => {
  const { db } = database;
  const end = { reported: "9999-12-31T23:59:59.999Z", errorId: "" };
  expect(await listErrors(db, workerPoolId, {}, end, 3)).toHaveLength(3);
  expect(await listErrors(db, workerPoolId, { launchConfigId: "lc1" }, end, 3)).toHaveLength(3);
  expect(await listErrors(db, workerPoolId, { errorId: "1" }, end, 3)).toHaveLength(1);
  const plans = await plansOf(db, (text) => text.includes("order by reported desc, error_id desc limit"));
  expect(plans.map(indexOf).toSorted()).toEqual([
    "worker_pool_errors_by_launch_config",
    "worker_pool_errors_by_pool",
    "worker_pool_errors_pkey",
  ]);
  for (const plan of plans) expect(plan).not.toMatch(/Seq Scan|Bitmap/);
});

it("loops find silent and expired workers and old errors by their times", async () => {
  const { db } = database;
  await stopSilentWorkers(db, { at: now, forgetAt: now }, 10);
  await deleteExpiredWorkers(db, now, 10);
  await deleteErrors(db, now, 10);
  const plans = await plansOf(db, (text) => text.includes("skip locked"));
  expect(plans).toHaveLength(3);
  const text = plans.join("\n");
  for (const index of ["pool_workers_silent", "pool_workers_expired", "worker_pool_errors_by_reported"])
    expect(text).toContain(`Index Scan using ${index}`);
  for (const plan of plans) expect(plan).not.toMatch(/Seq Scan on (pool_workers|worker_pool_errors)/);
});
