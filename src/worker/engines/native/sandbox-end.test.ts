// The end of a sandbox leaves no process, with a namespace and without one.
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTestTask } from "../../../../test/support/task-context.ts";
import type { TestTask } from "../../../../test/support/task-context.ts";
import { onlyIf } from "../../../../test/support/only-if.ts";
import { taskUser, testEngine } from "../../../../test/support/test-engine.ts";
import { eventually } from "../../../../test/support/until.ts";
import type { ResultSet, Sandbox } from "../../engine.ts";
import { AbortedError } from "../../outcome.ts";
import { allProcesses } from "../../proc-stat.ts";
import { runMark } from "./environment.ts";
import { allowsNamespaces } from "./namespace.ts";
import { findRunProcesses } from "./process-tree.ts";

const path = { PATH: process.env["PATH"] ?? "" };
const onlyWithNamespaces = onlyIf(await allowsNamespaces(taskUser), "the machine allows no PID namespaces");
let namespaces = false;
let task: TestTask;
beforeEach(async () => {
  task = await createTestTask();
});
afterEach(async () => {
  await task.end();
});

async function start(command: string[][]): Promise<Sandbox> {
  const builder = await testEngine({ environment: path, namespaces }).newSandboxBuilder(task.context, {
    command,
  });
  return await builder.start();
}
async function run(...args: Parameters<typeof start>): Promise<ResultSet> {
  return await (
    await start(...args)
  ).result;
}
const sh = (script: string): string[] => ["sh", "-c", script];

/** Reports whether a process is alive. A zombie is not. */
function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}

const processesOfRun = () =>
  findRunProcesses({
    groups: [],
    mark: runMark(task.context.info.taskId, task.context.info.runId),
    folders: [],
  });

describe("the end of a sandbox without a namespace", () => {
  endsEverything();

  /** Starts a process that is found neither by its parent, nor by its environment, nor by its output. */
  const hidden = (command: string) =>
    `(setsid env -i sh -c 'echo > "$0"; exec ${command}' "$HOME/started" > /dev/null 2>&1 &); ` +
    `until [ -e "$HOME/started" ]; do sleep 0.02; done`;

  test("finds a process by its working directory, also if that was removed", async () => {
    await run([sh(`${hidden("sleep 996")}; rmdir "$TASK_WORKDIR"`)]);
    expect([...allProcesses()].filter(({ pid }) => commandOf(pid) === "sleep\x00996\x00")).toEqual([]);
    expect(await task.logText()).not.toContain("may be left");
  });

  test("names processes that may be left", async () => {
    await run([sh(`cd / && ${hidden("sleep 998")}`)]);
    const pids = await eventually(() => {
      const found = [...allProcesses()]
        .map(({ pid }) => pid)
        .filter((pid) => commandOf(pid) === "sleep\x00998\x00");
      expect(found.length).toBe(1);
      return found;
    });
    for (const pid of pids) process.kill(pid, "SIGKILL");
    expect(await task.logText()).toContain(`Processes that may be left from this task`);
    expect(await task.logText()).toMatch(new RegExp(`lost their parent\\): .*\\b${pids[0]}\\b`));
  });
});

describe("the end of a sandbox with a namespace", onlyWithNamespaces, () => {
  beforeEach(() => {
    namespaces = true;
  });
  afterEach(() => {
    namespaces = false;
  });
  endsEverything();

  test("leaves no process that hides", async () => {
    await run([sh("cd / && (setsid env -i sleep 999 > /dev/null 2>&1 &)")]);
    expect([...allProcesses()].filter(({ pid }) => commandOf(pid) === "sleep\x00999\x00")).toEqual([]);
    expect(await task.logText()).not.toContain("may be left");
  });
});

describe("a namespace", onlyWithNamespaces, () => {
  beforeEach(() => {
    namespaces = true;
  });
  afterEach(() => {
    namespaces = false;
  });

  test("shows a task only its own processes, and reaps those that have lost their parent", async () => {
    const { success } = await run([
      sh(`(sh -c 'exit 0' &); test ! -e /proc/${process.pid}/environ`),
      sh("ps=$(cat /proc/[0-9]*/stat); ! echo \"$ps\" | grep -q ') Z '"),
    ]);
    expect(await task.logText()).not.toContain("FAILED");
    expect(success).toBe(true);
  });

  test("has the task's folder as its working directory and passes exit codes and signals on", async () => {
    const { exits } = await run([
      sh('test "$PWD" = "$(pwd)" && test "$PWD" = "$TASK_WORKDIR"'),
      sh("kill -9 $$"),
    ]);
    expect(exits).toMatchObject([{ code: 0 }, { code: 137 }]);
  });
});

/** The tests of both ways to end processes. */
function endsEverything(): void {
  // In its own session, without a parent, ignoring SIGTERM, like a daemon.
  const daemon = `setsid sh -c 'trap "" TERM; sleep 1000 & echo up; wait' &`;

  test.each([
    ["a plain child", "echo up; sleep 1000"],
    ["a tree that ignores SIGTERM", `trap "" TERM; sh -c 'trap "" TERM; echo up; sleep 1000; sleep 1000'`],
    ["a grandchild in its own session", `${daemon} wait`],
    ["a daemon whose parent has ended", `(${daemon}); sleep 1000`],
    ["a daemon with an empty environment", "(setsid env -i sleep 997 &); echo up; sleep 1000"],
    [
      "a child without the marker in its environment",
      `env -i ${process.execPath} -e 'console.log("up"); setTimeout(() => {}, 1e6)'; true`,
    ],
  ])("leaves no process of %s", async (_, script) => {
    const sandbox = await start([sh(script)]);
    // Polled: the log is a file.
    await eventually(() => expect(readFileSync(task.context.log.path, "utf8")).toContain("\nup\n"));
    const all = processesOfRun();
    expect(all.length).toBeGreaterThan(0);
    await sandbox.abort(new AbortedError("canceled"));
    await expect(sandbox.result).rejects.toThrow(new AbortedError("canceled"));
    expect(processesOfRun()).toEqual([]);
    // A killed process that has lost its parent is no longer found, and may take a moment to end on a busy machine.
    await eventually(() => expect(all.filter(({ pid }) => isAlive(pid))).toEqual([]));
    expect(await task.logText()).toContain("Command ABORTED after");
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
    expect(await task.logText()).toMatch(/first\n[^]*Executing command 1[^]*late\n/);
  });

  test("comes although a background process writes without a pause", async () => {
    const chatty = "(while :; do echo tick; sleep 0.01; done) & echo first";
    const start = performance.now();
    const { success } = await run([sh(chatty), sh("echo second")]);
    expect(success).toBe(true);
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(await task.logText()).toMatch(/^second$/m);
  });

  test("by a kill still has a result, so that artifacts can be saved", async () => {
    const sandbox = await start([sh("echo data > file; echo up; sleep 1000"), sh("echo never")]);
    await eventually(() => expect(readFileSync(task.context.log.path, "utf8")).toContain("\nup\n"));
    await sandbox.kill();
    const results = await sandbox.result;
    expect([results.success, results.exits.map(({ outcome }) => outcome)]).toEqual([false, ["aborted"]]);
    expect(await results.extractFile("file")).toMatchObject({ kind: "file", size: 5 });
    expect(await task.logText()).not.toContain("never");
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
    const bystander = await testEngine({ environment: path })
      .newSandboxBuilder(other.context, { command: [sh("sleep 0.5")] })
      .then((builder) => builder.start());
    await (await start([sh("sleep 1000")])).kill();
    expect(await bystander.result).toMatchObject({ success: true });
    await other.end();
  });
}
