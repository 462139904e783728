import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../../../../test/support/temporary-folder.ts";
import { onlyOnLinux } from "../../../../test/support/only-if.ts";
import { waitUntilFree } from "./cluster-use.ts";
import { findHolder, isAlive, removeStaleLocks } from "./lock-files.ts";

/** Creates a cluster's folder whose pid file refers to a process that looks like its server but only sleeps. */
async function heldCluster({ status = "ready", cwd = "data" } = {}) {
  const base = await temporaryFolder();
  const cluster = path.join(base, "data");
  for (const folder of ["data", "elsewhere", "run"]) await mkdir(path.join(base, folder));
  const program = path.join(base, "postgres");
  await copyFile("/bin/sleep", program);
  const child = spawn(program, ["60"], { cwd: path.join(base, cwd), stdio: "ignore" });
  await once(child, "spawn");
  const end = async (): Promise<void> => {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  };
  onTestFinished(end);
  const pid = child.pid ?? 0;
  await writeFile(
    path.join(cluster, "postmaster.pid"),
    [pid, cluster, 0, 5432, "", "", "", status.padEnd(8), ""].join("\n"),
  );
  return {
    base,
    cluster,
    ownerFile: path.join(base, "owner.pid"),
    pid,
    end,
    socketFolder: path.join(base, "run"),
  };
}

const neverWaits = (): void => expect.unreachable("it should not have waited");

describe("a cluster", onlyOnLinux, () => {
  test("is free if there is no pid file", async () => {
    const cluster = await temporaryFolder();
    await expect(waitUntilFree({ cluster, onWait: neverWaits })).resolves.toBeUndefined();
  });

  test("is free if the pid file has the id of a process with another working directory", async () => {
    const { cluster, socketFolder, pid } = await heldCluster({ cwd: "elsewhere" });
    expect(await findHolder(cluster)).toBeUndefined();
    await waitUntilFree({ cluster, onWait: neverWaits });
    await removeStaleLocks(cluster, socketFolder);
    expect(await readdir(cluster)).toEqual([]);
    expect(isAlive(pid)).toBe(true);
  });

  test("with a running server is refused immediately if its owner is alive, with both process ids", async () => {
    const { cluster, ownerFile, pid } = await heldCluster();
    await writeFile(ownerFile, `${process.pid}\n`);
    await expect(waitUntilFree({ cluster, ownerFile, onWait: neverWaits })).rejects.toThrow(
      `${cluster} is in use by another Taskyard (process ${process.pid}; its PostgreSQL is process ${pid}). ` +
        "Use or stop that one, or set TASKYARD_HOME to another folder.",
    );
  });

  test("with a running server without an owner is refused after a timeout, with a remedy", async () => {
    const { cluster, ownerFile, pid } = await heldCluster();
    const waited: number[] = [];
    const attempt = waitUntilFree({ cluster, ownerFile, onWait: (id) => waited.push(id), timeoutMs: 120 });
    await expect(attempt).rejects.toThrow(
      `${cluster} is in use by a PostgreSQL (process ${pid}) that no running Taskyard has started. ` +
        `Stop it (kill -INT ${pid}) and start again.`,
    );
    expect(waited).toEqual([pid]);
    expect(isAlive(pid)).toBe(true);
  });

  test("with a server that is shutting down becomes free, even if its owner is alive", async () => {
    const { cluster, ownerFile, end } = await heldCluster({ status: "stopping" });
    await writeFile(ownerFile, `${process.pid}\n`);
    let waited = 0;
    const onWait = (): void => {
      waited += 1;
      void end();
    };
    await waitUntilFree({ cluster, ownerFile, onWait });
    expect(waited).toBe(1);
  });
});

test("ids of process groups are not processes", () => {
  expect([0, -1, Number.NaN].map(isAlive)).toEqual([false, false, false]);
});
