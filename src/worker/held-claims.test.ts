import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { manualClock } from "../../test/support/clock.ts";
import { startFakeQueue } from "../../test/support/fake-queue.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { eventually } from "../../test/support/until.ts";
import { connect } from "../client/connect.ts";
import { holdClaims } from "./held-claims.ts";
import { ownIdentity } from "./process-identity.ts";
import { logMonitor } from "./worker-monitor.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
// The id of this process, which is in use, with the start time of another one.
const gone = { pid: process.pid, began: 1 };

test("the runs of a worker that has ended are reported until there is a reply, and those of running ones are not", async () => {
  const fake = await startFakeQueue();
  onTestFinished(() => fake.close());
  const { queue } = connect({ rootUrl: fake.rootUrl, credentials: { clientId: "w", accessToken: "t" } });
  const workDir = await temporaryFolder();
  const folder = join(workDir, "claims");
  await mkdir(folder);
  const [abandoned, kept] = [fake.submit({}), fake.submit({})];
  const { tasks } = await queue.claimWork(
    { taskQueueId: "test/queue" },
    { workerGroup: "g", workerId: "w", tasks: 2 },
  );
  for (const { status, runId, credentials } of tasks) {
    const { taskId } = status;
    const worker = taskId === kept ? ownIdentity() : gone;
    const content = JSON.stringify({ taskId, runId, worker, credentials });
    await writeFile(join(folder, `${taskId}_${runId}.json`), content);
  }

  fake.inject("reportException", 503, 503);
  const clock = manualClock();
  const claims = await holdClaims({ workDir, queue, clock, monitor: logMonitor(silent) });
  await eventually(async () => {
    await clock.advance(5000);
    expect(await readdir(folder)).toEqual([`${kept}_0.json`]);
  });
  claims.stop();
  expect(fake.count("reportException")).toBe(3);
  expect(fake.status(abandoned).runs).toMatchObject([{ reasonResolved: "worker-shutdown" }]);
  expect(fake.status(kept).runs).toMatchObject([{ state: "running" }]);
});
