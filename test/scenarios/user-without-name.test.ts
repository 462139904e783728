// A user id without an entry in /etc/passwd, as in a container that is started with `--user 12345`.
import { spawnSync } from "node:child_process";
import { chown } from "node:fs/promises";
import { resolve } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { canEnter } from "../../src/lib/system-users.ts";
import { onlyAsRoot, onlyIf } from "../support/only-if.ts";
import { startTaskyard, temporaryHome, type Variables } from "../support/process.ts";
import { sharedStack, type Stack } from "../support/stack.ts";

const uid = 54_321;
const options = {
  ...onlyIf(
    await canEnter({ uid, gid: uid }, resolve("dist")).catch(() => false),
    "other users may not read the build",
  ),
  ...onlyAsRoot,
};

describe("for a user without a name", options, () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await sharedStack();
  });
  const start = async (args: readonly string[], env: Variables = {}) => {
    const home = await temporaryHome();
    await chown(home, uid, uid);
    return startTaskyard(args, { home, env: { ...stack.env, ...env }, uid });
  };

  test("a worker runs tasks, and `run` names the id as their owner", async () => {
    const taskQueueId = "test/nameless";
    const worker = await start(["worker", "--task-queue", taskQueueId]);
    const run = await start(["run", "--task-queue", taskQueueId, "--", "sh", "-c", "id -u; echo $HOME"]);
    expect(await run.exitStatus(), run.output() + worker.output()).toBe(0);
    expect(run.output()).toContain(`\n${uid}\n`);
    const [, taskId = ""] = /task(?:\s+|\/)([A-Za-z0-9_-]{22})/.exec(run.output()) ?? [];
    const { metadata } = await stack.client.queue.task({ taskId });
    expect(metadata.owner).toMatch(new RegExp(`^uid-${uid}@`));
    worker.signal("SIGTERM");
    expect(await worker.exitStatus(), worker.output()).toBe(0);
  });

  test("commands work without HOME too", () => {
    const program = [resolve("bin/taskyard.js"), "ping"];
    const { stderr, status } = spawnSync(process.execPath, program, {
      uid,
      gid: uid,
      cwd: "/",
      env: {},
      encoding: "utf8",
    });
    expect(stderr).toMatch(/^error: no local server is running, and TASKCLUSTER_ROOT_URL is not set\.\n/);
    expect(status).toBe(1);
  });

  test("`up` says what the embedded PostgreSQL needs", async () => {
    const up = await start(["up", "--port", "0"]);
    expect(await up.exitStatus()).toBe(1);
    expect(up.output()).toContain(
      `the user with the id ${uid} has no name on this machine, which the embedded PostgreSQL requires: add a line for it ` +
        `to /etc/passwd (taskyard:x:${uid}:${uid}::/tmp:/bin/sh), start Taskyard as a user that has one, or set DATABASE_URL`,
    );
  });
});
