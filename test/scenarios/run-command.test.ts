// `taskyard run` as a process, as the README shows it: live log, exit status, Ctrl-C, and a pipe as in `… | head -1`.
import { execFile } from "node:child_process";
import { readdir, rm } from "node:fs/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  preparedHome,
  processesOf,
  startTaskyard,
  startUp,
  temporaryHome,
  type ServerProcess,
} from "../support/process.ts";
import { eventually } from "../support/until.ts";
import { sharedFolder } from "../support/worker.ts";

let home = "";
let server: ServerProcess;
const cleanups: (() => Promise<void>)[] = [];
const onCleanup = (cleanup: () => Promise<void>): void => void cleanups.unshift(cleanup);

beforeAll(async () => {
  home = await preparedHome(onCleanup);
  server = await startUp({ home }, [], onCleanup);
});
afterAll(async () => {
  for (const cleanUp of cleanups) await cleanUp();
});

const run = (...words: string[]) => startTaskyard(["run", ...words], { home });

describe("with a server", () => {
  test("prints the log while the task runs, and exits with the status of the command", async () => {
    const folder = await sharedFolder();
    const gate = `${folder}/gate`;
    const command = `echo hello; while [ ! -e ${gate} ]; do sleep 0.05; done; exit 3`;
    const running = run("--", "sh", "-c", command);
    await running.waitForOutput(/^hello$/m);
    const opened = startTaskyard(["run", "--quiet", "--", "touch", gate], { home });
    expect(await opened.exitStatus()).toBe(0);
    expect(await running.exitStatus()).toBe(3);
    expect(running.output()).toContain("[taskcluster:error] exit status 3\n");
    expect(running.output()).toMatch(/^task \S+ failed after .*, exit status 3$/m);
    await rm(folder, { recursive: true });
  });

  test("Ctrl-C cancels the task and ends its processes", async () => {
    const running = run("--", "sh", "-c", "setsid sleep 1001 & sleep 1002 & echo started; wait");
    await running.waitForOutput(/^started$/m);
    const sleepers = () => processesOf(home).filter(({ commandLine }) => commandLine.startsWith("sleep 100"));
    await eventually(() => expect(sleepers()).toHaveLength(2));
    const [, taskId = ""] = await running.waitForOutput(/^task (\S+) on local\/default$/m);

    running.signal("SIGINT");
    expect(await running.exitStatus()).toBe(130);
    expect(running.output()).toContain(`canceling ${taskId}; press Ctrl-C again to exit immediately\n`);
    const { status } = await server.client.queue.status({ taskId });
    expect(status.runs).toMatchObject([{ state: "exception", reasonResolved: "canceled" }]);
    await eventually(() => expect(sleepers()).toEqual([]));
  });

  test("a run whose reader ends cancels its task, says so, and exits as SIGPIPE would end it", async () => {
    const loop = "while :; do echo line; sleep 0.05; done";
    const piped = `${JSON.stringify(process.execPath)} bin/taskyard.js run -- sh -c '${loop}'`;
    const env = { ...process.env, TASKYARD_HOME: home };
    const { stderr } = await promisify(execFile)("sh", ["-c", `(${piped}; echo status $? >&2) | head -1`], {
      env,
    });
    const [, taskId = ""] =
      /^task (\S+) on local\/default\ncanceling \1; press Ctrl-C again to exit immediately\nstatus 141\n$/.exec(
        stderr,
      ) ?? expect.fail(stderr);
    const { status } = await server.client.queue.status({ taskId });
    expect(status.runs).toMatchObject([{ state: "exception", reasonResolved: "canceled" }]);
  });
});

describe("without a server", () => {
  test("explains how to start one", async () => {
    const failing = startTaskyard(["run", "--", "true"], { home: await temporaryHome() });
    expect(await failing.exitStatus()).toBe(1);
    expect(failing.output()).toMatch(
      /^error: no local server is running in TASKYARD_HOME=.*\nStart one with `taskyard up`/,
    );
  });

  test("--local starts one for the task, and leaves no process or file behind", async () => {
    const home = await temporaryHome();
    const env = { TMPDIR: home };
    const local = startTaskyard(["run", "--local", "--", "sh", "-c", "echo hello; exit 3"], { home, env });
    expect(await local.exitStatus()).toBe(3);
    expect(local.output()).toMatch(/^hello$/m);
    expect(processesOf(home)).toEqual([]);
    expect(await readdir(home)).toEqual([]);
  });
});
