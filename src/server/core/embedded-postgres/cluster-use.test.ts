import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../../../../test/support/temporary-folder.ts";
import { untilFree } from "./cluster-use.ts";
import { findHolder, isAlive, removeStaleLocks } from "./lock-files.ts";

/** A cluster's folder whose pid file names a process that looks like its server, and just sleeps. */
async function heldCluster({ status = "ready", works = "data" } = {}) {
  const base = await temporaryFolder();
  const cluster = path.join(base, "data");
  for (const folder of ["data", "elsewhere", "run"]) await mkdir(path.join(base, folder));
  const program = path.join(base, "postgres");
  await copyFile("/bin/sleep", program);
  const child = spawn(program, ["60"], { cwd: path.join(base, works), stdio: "ignore" });
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

describe.runIf(process.platform === "linux")("a cluster", () => {
  test("is free where there is no pid file", async () => {
    const cluster = await temporaryFolder();
    await expect(untilFree({ cluster, onWait: neverWaits })).resolves.toBeUndefined();
  });

  test("is free where the id in the pid file is that of a process which works elsewhere", async () => {
    const { cluster, socketFolder, pid } = await heldCluster({ works: "elsewhere" });
    expect(await findHolder(cluster)).toBeUndefined();
    await untilFree({ cluster, onWait: neverWaits });
    await removeStaleLocks(cluster, socketFolder);
    expect(await readdir(cluster)).toEqual([]);
    expect(isAlive(pid)).toBe(true);
  });

  test("of a server that runs is refused at once where its owner lives, naming both", async () => {
    const { cluster, ownerFile, pid } = await heldCluster();
    await writeFile(ownerFile, `${process.pid}\n`);
    await expect(untilFree({ cluster, ownerFile, onWait: neverWaits })).rejects.toThrow(
      `${cluster} is in use by another Taskyard (process ${process.pid}; its PostgreSQL is process ${pid}). ` +
        "Use that one, stop it, or set TASKYARD_HOME to another folder.",
    );
  });

  test("of a server that runs on without an owner is refused after a while, with a way out", async () => {
    const { cluster, ownerFile, pid } = await heldCluster();
    const waited: number[] = [];
    const attempt = untilFree({ cluster, ownerFile, onWait: (id) => waited.push(id), patienceMs: 120 });
    await expect(attempt).rejects.toThrow(
      `${cluster} is in use by a PostgreSQL (process ${pid}) that no running Taskyard has started. ` +
        `Stop it (kill -INT ${pid}) and start again.`,
    );
    expect(waited).toEqual([pid]);
    expect(isAlive(pid)).toBe(true);
  });

  test("of a server that is shutting down is waited for, whoever owns it", async () => {
    const { cluster, ownerFile, end } = await heldCluster({ status: "stopping" });
    await writeFile(ownerFile, `${process.pid}\n`);
    let waited = 0;
    const onWait = (): void => {
      waited += 1;
      void end();
    };
    await untilFree({ cluster, ownerFile, onWait });
    expect(waited).toBe(1);
  });
});

test("no id of a group of processes counts as a process", () => {
  expect([0, -1, Number.NaN].map(isAlive)).toEqual([false, false, false]);
});
