// Taskyard as the first process of a container without an init.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { slugid } from "../../src/lib/slugid.ts";
import { createTask } from "../support/factories.ts";
import { onlyIf, onlyWithPidNamespaces } from "../support/only-if.ts";
import { asProcess1, onlyChildOf, startTaskyard, temporaryHome } from "../support/process.ts";
import { sharedStack, type Stack } from "../support/stack.ts";
import { eventually } from "../support/until.ts";

/** The shells that are `/bin/sh` on some systems. */
const shells = ["dash", "bash", "busybox sh"].filter((name) => {
  const [file = "", ...words] = name.split(" ");
  return spawnSync(file, [...words, "-c", "true"]).status === 0;
});

const onlyWithScript = onlyIf(
  spawnSync("script", ["--version"]).status === 0,
  "the program `script` is not installed",
);

describe.each(shells)("process 1, run by %s", onlyWithPidNamespaces, (name) => {
  const shell = name.split(" ");
  const start = (program: string) => {
    const command = [...asProcess1, ...shell, "bin/process-1.sh", process.execPath, "-e", program];
    const [file = "", ...words] = command;
    const child = spawn(file, words, { stdio: ["ignore", "pipe", "inherit"] });
    return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
  };

  test("passes each signal on once, and waits for orphans meanwhile", async () => {
    const { child, lines } = start(`
      const names = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR2"];
      for (const name of names) process.on(name, () => console.log(name));
      require("node:child_process").execFileSync("sh", ["-c", "(sleep 0 &); (sleep 0 &)"]);
      process.on("SIGTERM", () => process.exit(5));
      setInterval(() => undefined, 1000);
      console.log("ready");
    `);
    const next = async (): Promise<unknown> => (await lines.next()).value;
    expect(await next()).toBe("ready");
    const first = onlyChildOf(child.pid ?? 0);
    await eventually(() => expect(childrenOf(first)).toHaveLength(1));
    for (const name of ["SIGUSR2", "SIGINT", "SIGHUP", "SIGUSR2", "SIGQUIT", "SIGTERM"] as const) {
      process.kill(first, name);
      expect(await next()).toBe(name);
    }
    expect(await once(child, "exit")).toEqual([5, null]);
    expect(await next()).toBe(undefined);
  });

  test("passes on Ctrl-C in a terminal once", onlyWithScript, async () => {
    const program = `
      let count = 0;
      process.on("SIGINT", () => console.log("interrupt " + ++count));
      process.on("SIGTERM", () => process.exit());
      console.log("ready");
      setInterval(() => undefined, 1000);
    `.replaceAll("\n", "");
    // `exec`, because not every shell replaces itself with its last command.
    const words = [
      "exec",
      ...asProcess1,
      ...shell,
      "bin/process-1.sh",
      process.execPath,
      "-e",
      `'${program}'`,
    ];
    const terminal = spawn("script", ["-qefc", words.join(" "), "/dev/null"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    onTestFinished(() => void terminal.kill());
    let output = "";
    terminal.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    await eventually(() => expect(output).toContain("ready"));
    terminal.stdin.write("\u0003");
    await eventually(() => expect(output).toContain("interrupt 1"));
    process.kill(onlyChildOf(onlyChildOf(terminal.pid ?? 0)), "SIGTERM");
    await once(terminal, "exit");
    expect(output).not.toContain("interrupt 2");
  });

  test.each([
    ["process.exit(0)", 0],
    ["process.exit(3)", 3],
    ["process.exit(127)", 127],
    ["process.kill(process.pid, 'SIGKILL')", 137],
  ])("exits as its program does: %s with %i", async (program, status) => {
    expect(await once(start(program).child, "exit")).toEqual([status, null]);
  });
});

test(
  "Node as process 1 replaces itself with the shell, and keeps its options",
  { ...onlyWithPidNamespaces, ...onlyIf("execve" in process, "Node cannot replace itself before 22.15") },
  () => {
    const option = "--import=data:text/javascript,console.log(process.pid)";
    const [file = "", ...words] = asProcess1;
    const program = [process.execPath, option, "bin/taskyard.js", "version"];
    const { stdout, status } = spawnSync(file, [...words, ...program], { encoding: "utf8" });
    expect(stdout).toMatch(/^1\n\d+\ntaskyard /);
    expect(status).toBe(0);
  },
);

describe("a worker that is process 1", onlyWithPidNamespaces, () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await sharedStack();
  });
  const startWorker = async (taskQueueId: string) =>
    startTaskyard(["worker", "--task-queue", taskQueueId, "--task-namespaces", "off", "--stop-grace", "1h"], {
      home: await temporaryHome(),
      env: stack.env,
      asProcess1: true,
    });
  const taskOf = (taskQueueId: string, command: string) =>
    createTask(stack.client, { taskQueueId, payload: { command: [["sh", "-c", command]], maxRunTime: 600 } });
  const stateOf = async (taskId: string) => (await stack.client.queue.status({ taskId })).status.state;
  const newQueue = () =>
    `test/first-${slugid()
      .toLowerCase()
      .replaceAll(/[^a-z0-9]/g, "x")}`;

  test("leaves no zombies of tasks, and drains with SIGUSR2", async () => {
    const taskQueueId = newQueue();
    const orphans = await taskOf(taskQueueId, "for i in 1 2 3 4 5; do (sleep 0.1 &); done; sleep 0.2");
    const worker = await startWorker(taskQueueId);
    await eventually(async () => expect(await stateOf(orphans)).toBe("completed"));
    expect(worker.output()).not.toContain("this is process 1");
    const first = onlyChildOf(worker.pid);
    await eventually(() => expect(childrenOf(first).filter(({ state }) => state === "Z")).toEqual([]));
    worker.signal("SIGUSR2");
    expect(await worker.exitStatus(), worker.output()).toBe(0);
  });

  test("exits on the second signal, although a task still runs", async () => {
    const taskQueueId = newQueue();
    const task = await taskOf(taskQueueId, "sleep 600");
    const worker = await startWorker(taskQueueId);
    await eventually(async () => expect(await stateOf(task)).toBe("running"));
    worker.signal("SIGINT");
    await worker.waitForOutput(/worker is stopping/);
    worker.signal("SIGTERM");
    expect(await worker.exitStatus(), worker.output()).toBe(143);
  });
});

/** Returns the children of a process, with the letter of their state. */
function childrenOf(parent: number): { readonly pid: number; readonly state: string }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "utf8").replace(/^.*\) /s, "");
        const [state = "", ppid] = stat.split(" ");
        return Number(ppid) === parent ? [{ pid: Number(name), state }] : [];
      } catch {
        // It has ended.
        return [];
      }
    });
}
