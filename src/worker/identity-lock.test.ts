import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { waitingClock } from "../lib/clock.ts";
import { lockIdentity } from "./identity-lock.ts";
import { processStat } from "./proc-stat.ts";

const lock = (workDir: string, workerId = "host", onWait: () => void = () => undefined) =>
  lockIdentity({ workDir, workerGroup: "local", workerId, clock: waitingClock, onWait });

test("a second worker with the same id and folder is refused, with a way out", async () => {
  const workDir = await temporaryFolder();
  const first = await lock(workDir);
  await expect(lock(workDir)).rejects.toThrow(
    `another worker of this machine (process ${process.pid}) is local/host already. ` +
      "Stop it, or start this one with another id: --worker-id host-2",
  );
  await lock(workDir, "host-2");
  await first.release();
  await lock(workDir);
});

test("of several simultaneous starts with the same id, one succeeds", async () => {
  const workDir = await temporaryFolder();
  const results = await Promise.allSettled([1, 2, 3, 4].map(() => lock(workDir)));
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(await readdir(join(workDir, "workers"))).toEqual(["local_host.json"]);
});

test("a file that is not one of a worker is replaced", async () => {
  const workDir = await temporaryFolder();
  await mkdir(join(workDir, "workers"));
  await writeFile(join(workDir, "workers/local_host.json"), "{");
  await lock(workDir);
  await expect(lock(workDir)).rejects.toThrow("is local/host already");
});

test("a start waits for a worker that stops, and not for one that was killed", async () => {
  const workDir = await temporaryFolder();
  const other = spawn("sleep", ["1001"]);
  onTestFinished(() => void other.kill("SIGKILL"));
  const own = await lock(workDir);
  await own.stopping();
  const [name = ""] = await readdir(join(workDir, "workers"));
  const path = join(workDir, "workers", name);
  const pid = other.pid ?? 0;
  const worker = { pid, began: processStat(pid)?.startTicks ?? 0 };
  const content = await readFile(path, "utf8");
  expect(JSON.parse(content)).toMatchObject({ stopping: true });
  await writeFile(path, JSON.stringify({ worker, stopping: true }));

  let isLocked = false;
  let waiting: Promise<unknown> = Promise.resolve();
  await new Promise<void>((resolve) => {
    waiting = lock(workDir, "host", resolve).then(() => (isLocked = true));
  });
  await expect(lock(workDir, "other")).resolves.toBeDefined();
  expect(isLocked).toBe(false);
  other.kill("SIGKILL");
  await once(other, "exit");
  await waiting;
  expect(await readFile(path, "utf8")).toContain(`"pid":${process.pid}`);
});
