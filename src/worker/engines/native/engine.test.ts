import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTestTask } from "../../../../test/support/task-context.ts";
import type { TestTask } from "../../../../test/support/task-context.ts";
import { eventually } from "../../../../test/support/until.ts";
import type { ResultSet, Sandbox } from "../../engine.ts";
import { AbortedError } from "../../outcome.ts";
import { nativeEngine } from "./engine.ts";
import { runMark } from "./environment.ts";
import { findRunProcesses } from "./process-tree.ts";

const path = { PATH: process.env["PATH"] ?? "" };
let task: TestTask;
beforeEach(async () => {
  task = await createTestTask();
});
afterEach(async () => {
  await task.end();
});

async function start(
  command: string[][],
  environment: NodeJS.ProcessEnv = path,
  env: Record<string, string> = {},
): Promise<Sandbox> {
  const builder = await nativeEngine(environment).newSandboxBuilder(task.context, { command });
  for (const [name, value] of Object.entries(env)) builder.setEnv(name, value);
  return await builder.start();
}
async function run(...args: Parameters<typeof start>): Promise<ResultSet> {
  return await (
    await start(...args)
  ).result;
}
const sh = (script: string): string[] => ["sh", "-c", script];
/** The log, with the times in the worker's lines replaced. */
const logText = async () =>
  (await task.logText()).replace(/\[taskcluster \S+\]/g, "[t]").replace(/ Time: .*/g, " Time: *");

/** Reports whether a process is alive. A zombie is not. */
function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

const processesOfRun = () =>
  findRunProcesses({ groups: [], mark: runMark(task.context.info.taskId, task.context.info.runId) });

describe("commands", () => {
  test("run in order and write one log", async () => {
    const { success, exits } = await run([sh("echo one"), sh("echo two; echo three >&2; echo four")]);
    expect([success, exits.map(({ code }) => code)]).toEqual([true, [0, 0]]);
    expect(await logText()).toBe(
      [
        "[t] Executing command 0: sh -c 'echo one'",
        "one",
        "[t]    Exit Code: 0",
        "[t]    User Time: *",
        "[t]  Kernel Time: *",
        "[t]    Wall Time: *",
        "[t]       Result: SUCCEEDED",
        "[t] Executing command 1: sh -c 'echo two; echo three >&2; echo four'",
        "two",
        "three",
        "four",
        "[t]    Exit Code: 0",
        "[t]    User Time: *",
        "[t]  Kernel Time: *",
        "[t]    Wall Time: *",
        "[t]       Result: SUCCEEDED",
        "",
      ].join("\n"),
    );
  });

  test("end with the first that fails", async () => {
    const { success, exits } = await run([sh("exit 3"), sh("echo never")]);
    expect([success, exits.map(({ code, outcome }) => [code, outcome])]).toEqual([false, [[3, "failed"]]]);
    expect(await logText()).not.toContain("never");
  });

  test("that are ended by a signal have no exit code", async () => {
    const { exits } = await run([sh("kill -SEGV $$")]);
    expect(exits[0]).toMatchObject({ outcome: "failed", code: null, signal: "SIGSEGV" });
  });

  test.each([
    ["is missing", ["no-such-program"], 'cannot start "no-such-program": there is no such program'],
    ["is not executable", ["/etc/passwd"], 'cannot start "/etc/passwd": it is not executable'],
    ["has an empty name", [""], 'cannot start ""'],
  ])("whose program %s fail with an explanation in the log", async (_, argv, message) => {
    const { success } = await run([argv]);
    expect(success).toBe(false);
    expect(await logText()).toContain(`System error executing command: ${message}`);
  });

  test("with a NUL character are a malformed payload", () => {
    expect(() => nativeEngine(path).newSandboxBuilder(task.context, { command: [["echo", "a\0b"]] })).toThrow(
      "payload.command has a word with a NUL character",
    );
  });

  test("may open /dev/stderr and redirect to it without damaging the log", async () => {
    await run([
      sh("echo first; echo second > /dev/stderr; echo third | tee /dev/stderr > /dev/null; echo fourth"),
    ]);
    expect(await logText()).toContain("first\nsecond\nthird\nfourth\n");
  });

  test("have an empty standard input", async () => {
    const { success } = await run([["cat"]]);
    expect(success).toBe(true);
  });

  test("lose no byte of a large output", async () => {
    await run([sh("head -c 20000000 /dev/zero | tr '\\0' x")]);
    const text = await task.logText();
    expect(text.split("\n").map((line) => line.length)).toContain(20_000_000);
  });

  test("are reported with the CPU time of each", async () => {
    const burn = sh("i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done");
    const { exits } = await run([sh("true"), burn, sh("true")]);
    const [before = -1, busy = -1, after = -1] = exits.map(
      ({ userMs = -1, systemMs = -1 }) => userMs + systemMs,
    );
    // It takes 150 ms or more, the others a few milliseconds.
    expect(busy).toBeGreaterThan(50);
    for (const idle of [before, after]) expect(idle >= 0 && idle < busy / 2).toBe(true);
  });
});

describe("the environment", () => {
  const environmentOf = async (environment: NodeJS.ProcessEnv, env: Record<string, string> = {}) => {
    await run([["env"]], { ...path, ...environment }, env);
    const lines = (await task.logText()).split("\n").filter((line) => /^\w+=/.test(line));
    return Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
  };

  test("is the worker's without its secrets", async () => {
    const secrets = {
      TASKCLUSTER_ACCESS_TOKEN: "s",
      TASKCLUSTER_CLIENT_ID: "s",
      TASKYARD_AUTH_ROOT_TOKEN: "s",
      DATABASE_URL: "postgres://u:s@h/d",
      PGPASSWORD: "s",
      AWS_SECRET_ACCESS_KEY: "s",
    };
    const env = await environmentOf({ ...secrets, LANG: "C.UTF-8" });
    expect(env["LANG"]).toBe("C.UTF-8");
    expect(Object.keys(env).filter((name) => name in secrets)).toEqual([]);
  });

  test("has fixed values that cannot be overridden", async () => {
    const { info, taskDir } = task.context;
    const env = await environmentOf(
      { TASK_ID: "outer" },
      { TASK_ID: "mine", RUN_ID: "7", GREETING: "hello" },
    );
    expect(env).toMatchObject({
      TASK_ID: info.taskId,
      RUN_ID: "0",
      TASK_WORKDIR: taskDir,
      TASK_GROUP_ID: info.definition.taskGroupId,
      TASKCLUSTER_ROOT_URL: "https://taskyard.example.com",
      GREETING: "hello",
      PWD: taskDir,
    });
  });
});

describe("the end of a sandbox", () => {
  // In its own session, without a parent, ignoring SIGTERM, like a daemon.
  const daemon = `setsid sh -c 'trap "" TERM; sleep 1000 & echo up; wait' &`;

  test.each([
    ["a plain child", "echo up; sleep 1000"],
    ["a tree that ignores SIGTERM", `trap "" TERM; sh -c 'trap "" TERM; echo up; sleep 1000; sleep 1000'`],
    ["a grandchild in its own session", `${daemon} wait`],
    ["a daemon whose parent has ended", `(${daemon}); sleep 1000`],
    [
      "a child without the marker in its environment",
      `env -i ${process.execPath} -e 'console.log("up"); setTimeout(() => {}, 1e6)'; true`,
    ],
  ])("leaves no process of %s", async (_, script) => {
    const sandbox = await start([sh(script)]);
    await eventually(() => expect(readFileSync(task.context.log.path, "utf8")).toContain("\nup\n"));
    const all = processesOfRun();
    expect(all.length).toBeGreaterThan(0);
    await sandbox.abort(new AbortedError("canceled"));
    await expect(sandbox.result).rejects.toThrow(new AbortedError("canceled"));
    expect(processesOfRun()).toEqual([]);
    // A killed process that has lost its parent is no longer found, and may take a moment to end on a busy machine.
    await eventually(() => expect(all.filter(({ pid }) => isAlive(pid))).toEqual([]));
    expect(await logText()).toContain("Command ABORTED after");
  });

  test("comes with the last command, and ends its background processes", async () => {
    const { success } = await run([sh(daemon), sh("echo second")]);
    expect(success).toBe(true);
    expect(processesOfRun()).toEqual([]);
  });

  test("comes no earlier: a background process runs on during the next command, and its output is kept", async () => {
    await run([
      sh("mkfifo go done; (read go < go; echo late; echo > done) & echo first"),
      sh("echo second; echo > go; read done < done"),
    ]);
    // Each command has its own pipe, so that the order of simultaneous output is not defined.
    expect(await logText()).toMatch(/first\n[^]*Executing command 1[^]*late\n/);
  });

  test("by a kill still has a result, so that artifacts can be saved", async () => {
    const sandbox = await start([sh("echo data > file; echo up; sleep 1000"), sh("echo never")]);
    await eventually(() => expect(readFileSync(task.context.log.path, "utf8")).toContain("\nup\n"));
    await sandbox.kill();
    const results = await sandbox.result;
    expect([results.success, results.exits.map(({ outcome }) => outcome)]).toEqual([false, ["aborted"]]);
    expect(await results.extractFile("file")).toMatchObject({ kind: "file", size: 5 });
    expect(await logText()).not.toContain("never");
  });

  test("before the first command has started runs none", async () => {
    const sandbox = await start([sh("echo never > file")]);
    await sandbox.kill();
    const results = await sandbox.result;
    expect(results.success).toBe(false);
    expect(await results.extractFile("file")).toMatchObject({ reason: "file-missing-on-worker" });
  });

  test("does not affect processes of another run", async () => {
    const other = await createTestTask();
    const bystander = await nativeEngine(path)
      .newSandboxBuilder(other.context, { command: [sh("sleep 0.5")] })
      .then((builder) => builder.start());
    await (await start([sh("sleep 1000")])).kill();
    expect(await bystander.result).toMatchObject({ success: true });
    await other.end();
  });
});
