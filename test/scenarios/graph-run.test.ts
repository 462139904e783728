// `taskyard graph run` in this process, with a real server and worker: graphs that complete, fail, and are canceled.
import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { main } from "../../src/cli/main.ts";
import type { Worker } from "../../src/worker/main.ts";
import { capturedIo, runCli, type CapturedIoOptions } from "../support/captured-io.ts";
import { createTask } from "../support/factories.ts";
import { httpProxy } from "../support/http-proxy.ts";
import { sharedStack, type Stack } from "../support/stack.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { startTestWorker } from "../support/worker.ts";

let stack: Stack;
let worker: Worker & { end(): Promise<void> };
let env: Stack["env"];
beforeAll(async () => {
  stack = await sharedStack();
  worker = await startTestWorker(stack.rootUrl, {
    client: stack.as(stack.rootCredentials),
    taskQueueId: "local/default",
    capacity: 4,
  });
  ({ env } = stack);
});
afterAll(() => worker.end());

const cli = (line: string[], options: CapturedIoOptions = {}) => runCli(line, { ...options, env });
const run = (graph: string, ...options: string[]) => cli(["graph", "run", ...options, "-"], { stdin: graph });
const groupIn = (err: string): string => /in group (\S{22})/.exec(err)?.[1] ?? "";
const small = `
name: small
tasks:
  first: { command: echo one }
  then-{{n}}: { for: { n: 1..3 }, needs: first, command: "echo {{n}}" }
  last: { needs: then-*, command: [echo, done] }`;

describe("graph run", () => {
  test("runs a graph, and shows its progress and critical path", async () => {
    const { status, out, err } = await run(small);
    expect(status).toBe(0);
    expect(err).toMatch(/^small: 5 tasks in group \S{22}$/m);
    expect(err).toMatch(/^1 of 5 tasks resolved: 1 completed, /m);
    expect(err).toMatch(/^small: 5 tasks in \S+: 5 completed$/m);
    // On a pipe, every change has a line.
    for (const name of ["first", "then-1", "then-2", "then-3", "last"]) {
      expect(err).toMatch(new RegExp(`^running {2}${name}$`, "m"));
      expect(err).toMatch(new RegExp(`^completed {2}${name} {2}\\d\\S*$`, "m"));
    }
    expect(out).toMatch(/^critical path: 3 of 5 tasks, /m);
    expect(out).toMatch(/^first .*\n(then-\d .*)\nlast .*/m);

    const taskGroupId = groupIn(err);
    const timeline = await cli(["graph", "timeline", taskGroupId]);
    expect(timeline.out).toBe(out);
    const { out: json } = await cli(["graph", "timeline", "--json", taskGroupId]);
    expect(JSON.parse(json)).toMatchObject({ taskGroupId, summary: { tasks: 5, resolved: true } });
  });

  test("exits with 1 if a task fails, names it, and does not wait for its dependents", async () => {
    const { status, out, err } = await run(
      // The end of the log that is read begins within the long line.
      "tasks:\n  bad: { command: head -c 20000 /dev/zero | tr '\\0' x; echo; echo the reason; exit 3 }\n  after: { needs: bad, command: echo }\n  good: { command: echo }\n",
      "--json",
    );
    expect(status).toBe(1);
    expect(err).toMatch(/^failed {2}bad {2}taskyard task log \S{22}$/m);
    expect(err).toMatch(/^last lines of bad:\n {2}the reason\n/m);
    expect(err).toMatch(/1 completed, 1 failed, 1 not run because of failed dependencies$/m);
    expect(JSON.parse(out)).toMatchObject({
      exitStatus: 1,
      counts: { completed: 1, failed: 1, unscheduled: 1 },
      tasks: [
        { name: "bad", state: "failed" },
        { name: "after", state: "unscheduled" },
        { name: "good", state: "completed" },
      ],
    });
    const taskGroupId = groupIn(err);
    const watched = await cli(["group", "watch", "--json", taskGroupId]);
    expect(watched.status).toBe(1);
    expect(watched.err).toMatch(/^3 tasks in group /m);
    const byName = (tasks: readonly { name: string }[]) =>
      tasks.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const [inRun, inWatch] = [out, watched.out].map(
      (text) => JSON.parse(text) as { tasks: { name: string }[] },
    );
    expect(byName(inWatch?.tasks ?? [])).toEqual(byName(inRun?.tasks ?? []));
  });

  test("group watch follows tasks that are added later, and Ctrl-C cancels nothing", async () => {
    const { out } = await run("name: x\ntasks:\n  one: { command: sleep 600 }\n", "--detach");
    const taskGroupId = out.trim();
    const [one] = (await stack.client.queue.listTaskGroup({ taskGroupId })).tasks;
    const io = capturedIo({ env });
    const ended = main(["graph", "watch", taskGroupId], io);
    await io.until("1 task in group");
    await createTask(stack.client, { taskGroupId, dependencies: [one?.status.taskId ?? ""] });
    await createTask(stack.client, { taskGroupId, taskQueueId: "built-in/succeed" });
    await io.until("completed  a task");
    await io.until("1 of 3 tasks resolved");
    io.interrupt();
    expect(await ended).toBe(130);
    expect(io.err()).not.toContain("canceling");
    const { tasks } = await stack.client.queue.listTaskGroup({ taskGroupId });
    expect(tasks.map(({ status }) => status.state).toSorted()).not.toContain("exception");
    await stack.client.queue.sealTaskGroup({ taskGroupId });
    await stack.client.queue.cancelTaskGroup({ taskGroupId });
  });

  test("--cwd-tarball runs the tasks in copies of the current folder", async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, "source.txt"), "from here");
    await symlink("/etc/hostname", join(cwd, "outside"));
    const check = "grep -q 'from here' source.txt && echo changed > source.txt";
    const stdin = JSON.stringify({ tasks: { a: { command: check }, b: { needs: "a", command: check } } });
    const { status, err } = await cli(["graph", "run", "--cwd-tarball", "-"], { cwd, stdin });
    expect(status, err).toBe(0);
    expect(err).toContain('warning: left out "outside": a link to /etc/hostname');
    const other = "tasks: { a: { payload: { image: x } } }";
    expect((await cli(["graph", "run", "--cwd-tarball", "-"], { cwd, stdin: other })).err).toBe(
      "error: --cwd-tarball: no task of the graph has a command of `taskyard worker`: omit the option\n",
    );
  });

  test("draws bars on a terminal, and removes them at the end", async () => {
    const { status, err } = await cli(["graph", "run", "-"], { stdin: small, terminal: true });
    expect(status, err).toBe(0);
    expect(err).toMatch(/completed {2}.*█/);
    expect(err).toContain("waiting");
    // Bars are drawn without line wrapping, and other lines with it.
    const [off = 0, on] = ["\u001B[?7l", "\u001B[?7h"].map((code) => err.split(code).length - 1);
    expect(off).toBeGreaterThan(0);
    expect(on).toBe(off);
    // Everything but the last line is erased.
    expect(err.split("\u001B[0J").at(-1)).toMatch(/^small: 5 tasks in \S+: 5 completed\n$/);
  });

  test("--dry-run checks the graph, including on the server", async () => {
    expect(await run(small, "--dry-run")).toEqual({
      status: 0,
      out: "small is valid: 5 tasks, 6 dependencies, 1 can start immediately\n",
      err: "",
    });
    expect(await run("tasks:\n  a: { neds: b, command: x }\n", "--dry-run")).toEqual({
      status: 1,
      out: "",
      err: "error: graph:2:8: neds is not a known member here; did you mean needs?\n",
    });
  });

  test("reports what the server rejects by the names and lines of the file", async () => {
    const cwd = await temporaryFolder();
    const graph = [
      "tasks:",
      "  a: { needs: b, command: x }",
      "  b: { needs: a, command: x }",
      "  c: { command: x, retries: 99, deadline: 9 days }",
      "  d-{{n}}: { for: { n: 1..9 }, command: x, retries: 99 }",
      "",
    ].join("\n");
    await writeFile(join(cwd, "wrong.yml"), graph);
    const { status, err } = await cli(["graph", "run", "wrong.yml"], { cwd });
    expect(status).toBe(1);
    expect(err).toContain("error: the graph was rejected, and nothing was created:\n");
    expect(err).toContain("wrong.yml:4:20: c: must be <= 49 (retries)\n");
    expect(err).toContain("wrong.yml:5:44: d-1: must be <= 49 (retries), and 8 more like it\n");
    expect(err).toContain(
      "wrong.yml:2:8: a: Tasks that wait for each other never start: a → b → a. Remove one of these dependencies. (needs)\n",
    );
  });

  test("--detach does not wait", async () => {
    const { status, out } = await run("tasks: { a: { command: echo } }", "--detach");
    expect(status).toBe(0);
    const { summary } = await stack.client.queue.taskGroupTimeline({ taskGroupId: out.trim() });
    expect(summary?.tasks).toBe(1);
  });

  test("resumes a lost connection without missing an event", async () => {
    const proxy = await httpProxy(stack.rootUrl);
    const folder = await temporaryFolder();
    // The task waits until the connection is cut. The following events occur while nobody listens.
    const wait = `while [ ! -e ${join(folder, "go")} ]; do sleep 0.02; done`;
    const io = capturedIo({
      env: { ...env, TASKCLUSTER_ROOT_URL: proxy.rootUrl },
      stdin: JSON.stringify({
        tasks: {
          first: { command: "echo" },
          held: { needs: "first", command: wait },
          "x-{{n}}": { for: { n: "1..9" }, needs: "held", command: "echo" },
        },
      }),
    });
    const ended = main(["graph", "run", "-"], io);
    await io.until(" in group ");
    await until("the second task runs", async () => {
      const { tasks } = await stack.client.queue.listTaskGroup({ taskGroupId: groupIn(io.err()) });
      return tasks.some(({ status, task }) => task.metadata.name === "held" && status.state === "running");
    });
    expect(proxy.cut()).toBeGreaterThan(0);
    await writeFile(join(folder, "go"), "");
    expect(await ended, io.err()).toBe(0);
    expect(io.err()).toMatch(/11 tasks in \S+: 11 completed$/m);
    await proxy.close();
  });

  test("cancels a graph that is being submitted at Ctrl-C", async () => {
    const io = capturedIo({ env, stdin: "tasks: { long: { command: sleep 600 } }" });
    const ended = main(["graph", "run", "-"], {
      ...io,
      onStop(handler) {
        // As soon as the command listens for it.
        setImmediate(() => handler("SIGINT"));
        return io.onStop(handler);
      },
    });
    expect(await ended).toBe(130);
    const { tasks } = await stack.client.queue.listTaskGroup({ taskGroupId: groupIn(io.err()) });
    expect(tasks.map(({ status }) => status.runs.at(-1)?.reasonResolved)).toEqual(["canceled"]);
  });

  test("cancels unresolved tasks at Ctrl-C", async () => {
    const io = capturedIo({
      env,
      stdin:
        "tasks:\n  long: { command: sleep 600 }\n  after: { needs: long, command: echo }\n  ok: { command: echo }\n",
    });
    const ended = main(["graph", "run", "-"], io);
    await io.until("1 of 3 tasks resolved");
    io.interrupt();
    expect(await ended).toBe(130);
    expect(io.err()).toContain("canceling all unresolved tasks; press Ctrl-C again to exit immediately\n");
    expect(io.err()).toMatch(/3 tasks in \S+: 1 completed, 2 canceled$/m);
    const { tasks } = await stack.client.queue.listTaskGroup({ taskGroupId: groupIn(io.err()) });
    expect(tasks.map(({ status }) => String(status.runs.at(-1)?.reasonResolved)).toSorted()).toEqual([
      "canceled",
      "canceled",
      "completed",
    ]);
  });
});
