// The plans of hot statements when PostgreSQL's statistics are most misleading: no run was pending or running when they
// were collected.
import Type from "typebox";
import { afterAll, beforeAll, expect, it } from "vitest";
import { testDatabase, type TestDatabase } from "../../../../test/support/db.ts";
import { newTask } from "../../../../test/support/factories.ts";
import { plansOf } from "../../../../test/support/plans.ts";
import { slugid } from "../../../lib/slugid.ts";
import { sql } from "../../core/sql.ts";
import { readUploadTarget } from "./artifacts/store/read-artifacts.ts";
import { endTasks, tasksPastDeadline } from "./resolution/store/end-tasks.ts";
import { claimOne } from "./claims/store/claim-one.ts";
import { claimPending, QUEUE_START } from "./claims/store/claim-pending.ts";
import { expiredClaims } from "./claims/store/expired-claims.ts";
import { heldRuns } from "./claims/store/held-runs.ts";
import { reclaimRuns } from "./claims/store/reclaim.ts";
import { readGroupsByCreation, readTasksByCreation } from "./history/store.ts";
import { insertTasks } from "./tasks/store/insert-tasks.ts";
import { readTaskCounts } from "./workers/store/gauges.ts";
import { lockForPriority } from "./priorities/store.ts";
import { countClaimed, countPending } from "./workers/store/queue-tasks.ts";
import { publishDefinedAgain, publishPendingAgain } from "./tasks/store/publish-again.ts";
import { resolveRuns } from "./resolution/store/resolve-runs.ts";
import { rerunTask, scheduleTask } from "./tasks/store/add-run.ts";

const at = new Date().toISOString();
const worker = { workerGroup: "group", workerId: "worker" };
const claimer = { ...worker, claimId: null, tasks: 1 };

let database: TestDatabase;
beforeAll(async () => {
  // One connection, so that its prepared statements are those of this test.
  database = await testDatabase({ poolSize: 1 });
  const now = Date.now();
  const tasks = Array.from({ length: 1000 }, () => newTask({}, now));
  await insertTasks(database.db, tasks, at, 0);
  await database.db.run(sql`update runs set state = 'completed', resolved = ${at}::timestamptz`);
  await database.db.run(sql`vacuum analyze`);
});
afterAll(() => database.drop());

const Line = Type.Object({ "QUERY PLAN": Type.String() });

it("a row whose id is known is found by its id, not by reading all pending or running ones", async () => {
  const { db } = database;
  const taskId = slugid();
  const report = { taskId, runId: 0, state: "completed", reason: "completed" } as const;
  await resolveRuns(db, [{ ...report, retryAs: null, takenUntil: null }], at);
  await endTasks(db, [taskId], "canceled", at, true);
  await reclaimRuns(db, [{ taskId, runId: 0, takenUntil: at }], at);
  await claimOne(db, taskId, 0, claimer, at, at);
  await heldRuns(db, worker, { taskId, runId: 0 });
  await readUploadTarget(db, { taskId, runId: 0, name: "x" });
  await scheduleTask(db, taskId, at);
  await rerunTask(db, taskId, 1, 50, at);
  await publishDefinedAgain(db, taskId, "test/queue");
  await publishPendingAgain(db, taskId, "test/queue");
  await db.tx((tx) => lockForPriority(tx, [taskId]));

  const byId = await plansOf(database.db, (text) => /\btask_id = /.test(text) && /\bstate\b/.test(text));
  expect(byId.length).toBeGreaterThanOrEqual(10);
  for (const plan of byId) {
    expect(plan).not.toMatch(/using (runs_pending|runs_running\w*|runs_open\w*|tasks_unscheduled\w*)/);
    expect(plan).not.toMatch(/Seq Scan/);
  }
});

it("claims read the pending runs of their queue in order, and nothing else", async () => {
  await claimPending(database.db, "test/queue", [claimer], QUEUE_START, at, at);
  const [plan, ...others] = await plansOf(database.db, (text) => text.includes("skip locked"));
  expect(others).toEqual([]);
  expect(plan).toMatch(/Index Scan using runs_pending/);
  expect(plan).toMatch(/Index Scan using workers_in_quarantine/);
  expect(plan).not.toMatch(/Seq Scan|using runs_open/);
});

it("the loops find overdue rows by their deadline or the end of their claim", async () => {
  await tasksPastDeadline(database.db, at, 10);
  await expiredClaims(database.db, at, 10);
  const [deadlines] = await plansOf(database.db, (text) => text.includes("order by r.deadline"));
  const [claims] = await plansOf(database.db, (text) => text.includes("order by r.taken_until"));
  expect(deadlines).toMatch(/using runs_open_by_deadline/);
  expect(deadlines).toMatch(/using tasks_unscheduled_by_deadline/);
  expect(claims).toMatch(/using runs_running_by_claim_end/);
});

it("counts find overdue runs by their deadline or the end of their claim", async () => {
  await countPending(database.db, ["test/queue"], at);
  await countClaimed(database.db, ["test/queue"], at);
  await readTaskCounts(database.db, at);
  const [pending] = await plansOf(
    database.db,
    (text) => text.includes(") - (") && text.includes("by deadline"),
  );
  const [claimed] = await plansOf(
    database.db,
    (text) => text.includes(") - (") && text.includes("by claim end"),
  );
  const [all] = await plansOf(database.db, (text) => text.includes("-count(*)"));
  for (const plan of [pending, all]) expect(plan).toMatch(/using runs_open_by_deadline/);
  for (const plan of [claimed, all]) expect(plan).toMatch(/using runs_running_by_claim_end/);
  for (const plan of [pending, claimed, all]) expect(plan).not.toMatch(/Seq Scan/);
});

it("lists by creation walk an index in their order, and look up the rest by id", async () => {
  const { db } = database;
  const range = { since: "-infinity", created: "infinity", id: "" };
  const anything = { schedulerId: undefined, taskQueueId: undefined, projectId: undefined };
  const tasks = await readTasksByCreation(db, range, { ...anything, states: ["completed"] }, 3, 1000);
  expect(tasks).toHaveLength(3);
  await readGroupsByCreation(db, range, { ...anything, resolved: undefined }, 3, 1000);
  const plans = await plansOf(database.db, (text) => text.includes("created desc"));
  expect(plans).toHaveLength(2);
  expect(plans.join("\n")).toMatch(/Index Scan Backward using tasks_by_creation/);
  expect(plans.join("\n")).toMatch(/Index Scan Backward using task_groups_by_creation/);
  for (const plan of plans) expect(plan).not.toMatch(/Sort|Seq Scan|Bitmap/);
});

it("the rule for satisfied dependencies is inlined, not called for each row", async () => {
  const plan = await database.db.many(
    Line,
    sql`
    explain (verbose) select satisfies(r.state, e.any_resolution)
    from task_dependencies e left join runs r on r.task_id = e.required`,
  );
  const lines = plan.map((line) => line["QUERY PLAN"]).join("\n");
  expect(lines).toContain("'completed'");
  expect(lines).not.toContain("satisfies(");
});
