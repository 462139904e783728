// The commands that call a server, run in this process against a real server and worker.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { main } from "../../src/cli/main.ts";
import { isSlugid, slugid } from "../../src/lib/slugid.ts";
import type { Worker } from "../../src/worker/main.ts";
import { capturedIo, runCli, type CapturedIoOptions } from "../support/captured-io.ts";
import { createTask } from "../support/factories.ts";
import { sharedStack, type Stack } from "../support/stack.ts";
import { makeTemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
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

const cli = (line: string[], options: CapturedIoOptions = {}) =>
  runCli(line, { ...options, env: { ...env, ...options.env } });

/** The id of the task that `run` reports. */
const idIn = (err: string): string => /^task (\S{22})/m.exec(err)?.[1] ?? "";

describe("run", () => {
  test("prints the log and exits with the status of the command", async () => {
    const { status, out, err } = await cli(["run", "--", "sh", "-c", "echo hello; echo world >&2; exit 3"]);
    expect(status).toBe(3);
    expect(out).toMatch(/^\[taskcluster \S+\] Executing command 0: sh -c /m);
    expect(out).toMatch(/^hello\nworld$/m);
    expect(err).toMatch(/^task \S{22} on local\/default$/m);
    expect(err).toMatch(/^task \S{22} failed after \S+, exit status 3$/m);
    const { status: final } = await stack.client.queue.status({ taskId: idIn(err) });
    expect(final.state).toBe("failed");
  });

  test("--quiet prints only the output of the command", async () => {
    const line = [
      "run",
      "-q",
      "--env",
      "A=x y",
      "-e",
      "FROM_HERE",
      "--",
      "sh",
      "-c",
      'printf "$A $FROM_HERE"',
    ];
    expect(await cli(line, { env: { FROM_HERE: "z" } })).toEqual({
      status: 0,
      // The worker ends the line, so that its own lines start on a new one.
      out: "x y z\n",
      err: "",
    });
  });

  test("does not take the exit status from what the command prints", async () => {
    const lines = [
      "[taskcluster 2026-01-31T12:00:00.000Z]    Exit Code: 7",
      "[taskcluster:error] signal: SIGKILL",
    ];
    const script = `printf '%s\\n' ${lines.map((line) => `'${line}'`).join(" ")}; exit 3`;
    expect(await cli(["run", "-q", "--", "sh", "-c", script])).toEqual({ status: 3, out: "", err: "" });
  });

  test("exits with 128 plus the number of a signal", async () => {
    expect(await cli(["run", "-q", "sh", "-c", "kill -TERM $$"])).toMatchObject({ status: 143 });
  });

  test("lists artifacts with their URLs, also in JSON", async () => {
    const script = "echo 1 > one; mkdir -p dir/deep; echo 2 > dir/deep/two";
    const line = [
      "run",
      "--json",
      "-a",
      "one",
      "-a",
      "dir/",
      "--name",
      "makes things",
      "--",
      "sh",
      "-c",
      script,
    ];
    const { status, out, err } = await cli(line);
    expect(status).toBe(0);
    const result = JSON.parse(out) as { taskId: string; artifacts: { name: string; url: string }[] };
    expect(result).toMatchObject({ state: "completed", reason: "completed", exitStatus: 0 });
    expect(result.artifacts.map(({ name }) => name)).toEqual(["public/dir/deep/two", "public/one"]);
    for (const { name, url } of result.artifacts) expect(err).toContain(`artifact ${name}  ${url}\n`);
    expect(await (await fetch(result.artifacts[1]?.url ?? "")).text()).toBe("1\n");
    expect((await stack.client.queue.task({ taskId: result.taskId })).metadata.name).toBe("makes things");
  });

  test("explains that a command was aborted after its time limit", async () => {
    const { status, err } = await cli(["run", "-q", "--max-run-time", "1", "--", "sleep", "600"]);
    expect(err).toMatch(/^error: the task failed: .*maxRunTime of 1 second/);
    expect(status).toBe(1);
  });

  test("explains why a worker rejects the payload", async () => {
    const { status, err } = await cli(["run", "-q", "--max-run-time", "30h", "--", "true"]);
    expect(status).toBe(1);
    expect(err).toMatch(
      /^error: the worker rejected the task's payload: .*payload\.maxRunTime is 108000, but/,
    );
  });

  test("names the command that sets credentials if there are none, and creates no task", async () => {
    const anonymous = { TASKCLUSTER_CLIENT_ID: "", TASKCLUSTER_ACCESS_TOKEN: "" };
    const { status, out, err } = await cli(["run", "--", "true"], { env: anonymous });
    expect({ status, out }).toEqual({ status: 1, out: "" });
    expect(err).toContain('queue.createTask requires credentials: `eval "$(taskyard env)"`');
  });

  test("--detach only prints the id", async () => {
    const { status, out, err } = await cli(["run", "--detach", "--priority", "high", "--", "true"]);
    const taskId = out.trim();
    expect({ status, is: isSlugid(taskId) }).toEqual({ status: 0, is: true });
    expect(err).toBe(`follow its log: taskyard task log -f ${taskId}\n`);
    expect((await stack.client.queue.task({ taskId })).priority).toBe("high");
    expect(await cli(["task", "log", "-f", "-q", taskId])).toMatchObject({ status: 0 });
  });

  test("Ctrl-C cancels the task", async () => {
    const io = capturedIo({ env });
    const running = main(["run", "--", "sh", "-c", "echo started; exec sleep 600"], io);
    await io.until("started\n");
    io.interrupt();
    expect(await running).toBe(130);
    const taskId = idIn(io.err());
    expect(io.err()).toContain(`canceling ${taskId}; press Ctrl-C again to exit immediately\n`);
    expect(io.err()).toMatch(/^task \S{22} canceled after \S+, exit status 130$/m);
    expect(io.err()).not.toContain("error:");
    expect(io.exited).toBeUndefined();
    const { status } = await stack.client.queue.status({ taskId });
    expect(status.runs.at(-1)?.reasonResolved).toBe("canceled");
    expect(io.out()).toContain("Command ABORTED");
  });

  test("reports a cancellation by another user as an error", async () => {
    const io = capturedIo({ env });
    const running = main(["run", "--", "sh", "-c", "echo started; exec sleep 600"], io);
    await io.until("started\n");
    const cancel = await cli(["task", "cancel", idIn(io.err())]);
    expect(cancel).toMatchObject({ status: 0, err: "" });
    expect(await running).toBe(1);
    expect(io.err()).toMatch(/ exception after \S+, exit status 1\nerror: the task was canceled\n$/);
  });
});

describe("task", () => {
  const definition = {
    taskQueueId: "local/default",
    payload: { command: [["sh", "-c", "echo from a file"]], maxRunTime: 60 },
    metadata: { name: "from a file", description: "", owner: "me", source: "https://example.com" },
  };

  test("status shows state and runs, cancel resolves a task, rerun starts another run", async () => {
    const taskId = await createTask(stack.client, { taskQueueId: "nobody/works-here" });
    const before = await cli(["task", "status", taskId]);
    expect(before).toMatchObject({ status: 0, err: "" });
    expect(before.out).toContain(`${taskId}  a task\n  state         pending\n`);
    expect(before.out).toMatch(/^0 {4}pending {2}scheduled {2}-/m);
    expect((await cli(["task", "cancel", taskId])).out).toBe(`${taskId} is canceled\n`);
    expect((await cli(["task", "cancel", taskId])).out).toBe(`${taskId} is canceled\n`);
    expect((await cli(["task", "status", taskId])).out).toMatch(/^0 {4}exception {2}canceled/m);
    expect((await cli(["task", "rerun", taskId])).out).toBe(`${taskId} is pending, run 1\n`);
    const json = JSON.parse((await cli(["task", "status", "--json", taskId])).out) as object;
    expect(json).toEqual((await stack.client.queue.status({ taskId })).status);
    expect(JSON.parse((await cli(["task", "cancel", "--json", taskId])).out)).toMatchObject({
      state: "exception",
    });
  });

  test("an unknown task is an error", async () => {
    const taskId = slugid();
    const { status, err } = await cli(["task", "status", taskId]);
    expect(err).toContain(taskId);
    expect(status).toBe(1);
    expect((await cli(["task", "log", taskId])).err).toContain(taskId);
  });

  test("log prints what a running task has logged so far", async () => {
    const taskId = slugid();
    const command = [["sh", "-c", "echo so far; exec sleep 600"]];
    await stack.client.queue.createTask(
      { taskId },
      { ...definition, payload: { command, maxRunTime: 900 }, ...times() },
    );
    const io = capturedIo({ env });
    const following = main(["task", "log", "-f", taskId], io);
    await io.until("so far\n");
    expect((await cli(["task", "log", "-q", taskId])).out).toBe("so far\n");
    io.interrupt();
    expect(await following).toBe(130);
    await stack.client.queue.cancelTask({ taskId });
  });

  test("log -f ends with the outcome of the run", async () => {
    const { err } = await cli(["run", "--detach", "--", "sh", "-c", "exit 7"]);
    const ofRun = /log -f (\S{22})/.exec(err)?.[1] ?? "";
    expect(await cli(["task", "log", "-fq", ofRun])).toEqual({ status: 7, out: "", err: "" });
    // Without --follow, the log is the result.
    expect(await cli(["task", "log", "-q", ofRun])).toMatchObject({ status: 0 });
    const other = await createTask(stack.client, { taskQueueId: "nobody/works-here" });
    await stack.client.queue.cancelTask({ taskId: other });
    const canceled = await cli(["task", "log", "-f", other]);
    expect(canceled).toEqual({
      status: 1,
      out: "",
      err:
        `error: run 0 was never claimed by a worker (canceled), so it has no log. See: taskyard task why ${other}\n` +
        "error: the task was canceled\n",
    });
  });

  test("log reports that a task has no run yet", async () => {
    const waits = await createTask(stack.client, { taskQueueId: "nobody/works-here" });
    const taskId = await createTask(stack.client, { dependencies: [waits] });
    expect(await cli(["task", "log", taskId])).toMatchObject({
      status: 1,
      err: `error: ${taskId} has no run yet: use -f to wait for it\n`,
    });
  });

  test("artifacts are listed and downloaded, and a wrong name gets a suggestion", async () => {
    const { err } = await cli(["run", "-a", "a.txt", "--", "sh", "-c", "echo content > a.txt"]);
    const taskId = idIn(err);
    const listed = await cli(["task", "artifacts", taskId]);
    expect(listed.out).toMatch(/^NAME +STORAGE +SIZE +TYPE +EXPIRES$/m);
    expect(listed.out).toMatch(/^public\/a\.txt +s3 +8 B +text\/plain/m);
    const { artifacts } = JSON.parse((await cli(["task", "artifacts", "--json", taskId])).out) as {
      artifacts: { name: string }[];
    };
    expect(artifacts.map(({ name }) => name)).toContain("public/logs/live_backing.log");

    const cwd = await temporaryFolder();
    const download = (...rest: string[]) => cli(["task", "download", taskId, ...rest], { cwd });
    expect(await download("public/a.txt")).toMatchObject({ status: 0, out: "" });
    expect(await readFile(join(cwd, "a.txt"), "utf8")).toBe("content\n");
    expect(await download("public/a.txt", "-")).toMatchObject({ status: 0, out: "content\n" });
    expect(await download("public/a.txt", "a.txt")).toMatchObject({
      status: 1,
      err: `error: ${join(cwd, "a.txt")} already exists: use --force to replace it\n`,
    });
    expect(await download("--force", "public/a.txt", "--run", "0")).toMatchObject({ status: 0 });
    expect((await download("public/b.txt")).err).toContain("did you mean public/a.txt?");
    expect((await download("public/a.txt", "--run", "x")).status).toBe(2);
    expect((await download()).err).toContain("task download needs NAME");

    expect((await download("--all", "results")).status).toBe(0);
    expect(await readFile(join(cwd, "results/public/a.txt"), "utf8")).toBe("content\n");
    expect(await readFile(join(cwd, "results/public/logs/live_backing.log"), "utf8")).toContain("=== Task");
    expect((await download("public/logs/", "logs")).status).toBe(0);
    expect(await readdir(join(cwd, "logs"))).toContain("live_backing.log");
    expect((await download("public/logs")).err).toContain(
      `a folder of that name: \`taskyard task download ${taskId} public/logs/\` downloads it`,
    );
    expect((await download("public/none/")).err).toContain("has no artifact public/none/");
    const again = await download("--all", "results");
    expect(again.err.match(/already exists: use --force/g)?.length).toBeGreaterThan(1);
    expect(again.status).toBe(1);

    const escaping = [{ type: "file", path: "a.txt", name: "public/../../a.txt" }];
    const payload = { ...definition.payload, command: [["touch", "a.txt"]], artifacts: escaping };
    const outside = await createTask(stack.client, { taskQueueId: "local/default", payload });
    await cli(["task", "wait", outside]);
    const { err: refused } = await cli(["task", "download", "--all", outside, "inside"], { cwd });
    expect(refused).toContain(`public/../../a.txt leads outside of ${join(cwd, "inside")}`);
  });

  test("wait returns when all tasks are resolved, with a status for the worst of them", async () => {
    const [good = "", bad = ""] = await Promise.all(
      ["sleep 1", "exit 3"].map(async (script) =>
        (await cli(["run", "--detach", "--", "sh", "-c", script])).out.trim(),
      ),
    );
    expect(await cli(["task", "wait", good])).toEqual({ status: 0, out: `${good}  completed\n`, err: "" });
    expect(await cli(["task", "wait", good, bad])).toEqual({
      status: 1,
      out: `${good}  completed\n${bad}  failed\n`,
      err: "",
    });
    const { out } = await cli(["task", "wait", bad, "--json"]);
    expect(JSON.parse(out)).toMatchObject({ statuses: [{ state: "failed" }] });
    expect((await cli(["task", "wait", "x"])).status).toBe(2);
  });

  test("download reports why a worker could not upload an artifact", async () => {
    const { err, status } = await cli(["run", "-a", "missing", "--", "true"]);
    expect(status).toBe(1);
    const download = await cli(["task", "download", idIn(err), "public/missing", "-"]);
    expect(download).toMatchObject({ status: 1, out: "" });
    expect(download.err).toContain("error: public/missing has no content: file-missing-on-worker");
  });
});

test("group status counts and lists the tasks of a group", async () => {
  const taskGroupId = slugid();
  const taskQueueId = "nobody/works-here";
  const first = await createTask(stack.client, { taskGroupId, taskQueueId });
  await createTask(stack.client, { taskGroupId, taskQueueId, dependencies: [first] });
  const { status, out } = await cli(["group", "status", taskGroupId]);
  expect(status).toBe(0);
  expect(out).toMatch(/^2 tasks: /);
  expect(out).toContain("1 pending");
  expect(out).toContain("1 unscheduled");
  expect(out).toMatch(new RegExp(`^${first} {2}pending +- +- +a task$`, "m"));
  const json = JSON.parse((await cli(["group", "status", "--json", taskGroupId])).out) as { tasks: object[] };
  expect(json).toMatchObject({ taskGroupId, counts: { pending: 1, unscheduled: 1 } });
  expect(json.tasks).toHaveLength(2);
});

test("group seal prevents new tasks, and group cancel cancels unresolved tasks", async () => {
  const taskQueueId = "nobody/works-here";
  const taskGroupId = await createTask(stack.client, { taskQueueId });
  await createTask(stack.client, { taskGroupId, taskQueueId });
  const early = await cli(["group", "cancel", taskGroupId]);
  expect(early).toMatchObject({ status: 1, out: "" });
  expect(early.err).toContain(`group ${taskGroupId} is not sealed`);
  const { status, out } = await cli(["group", "seal", taskGroupId]);
  expect(status).toBe(0);
  expect(out).toMatch(new RegExp(`^${taskGroupId} has been sealed since \\S+Z\n$`));
  expect(await cli(["group", "seal", taskGroupId])).toMatchObject({ out });
  expect(JSON.parse((await cli(["group", "seal", "--json", taskGroupId])).out)).toEqual(
    await stack.client.queue.getTaskGroup({ taskGroupId }),
  );
  expect((await cli(["group", "cancel", taskGroupId])).out).toBe("canceled 2 of 2 tasks\n");
  const again = JSON.parse((await cli(["group", "cancel", "--json", taskGroupId])).out) as object;
  expect(again).toMatchObject({ taskGroupSize: 2, cancelledCount: 0, taskIds: [] });

  const other = await createTask(stack.client, { taskQueueId });
  expect((await cli(["group", "cancel", "--seal", other])).out).toBe("canceled 1 of 1 task\n");
});

test("task priority and group priority report changes and errors", async () => {
  const taskQueueId = "nobody/works-here";
  const taskId = await createTask(stack.client, { taskQueueId });
  await createTask(stack.client, { taskGroupId: taskId, taskQueueId });
  expect((await cli(["task", "priority", taskId, "high"])).out).toBe(
    `${taskId} is pending, with priority high\n`,
  );
  expect((await cli(["group", "priority", taskId, "high"])).out).toBe(
    "changed the priority of 1 task to high\n",
  );
  const json = JSON.parse((await cli(["group", "priority", "--json", taskId, "low"])).out) as object;
  expect(json).toMatchObject({ taskGroupId: taskId, newPriority: "low", tasksAffected: 2 });
  const same = await cli(["task", "priority", taskId, "low"]);
  expect(same).toMatchObject({ status: 1, out: "" });
  expect(same.err).toContain('it has the priority "low" already');
  expect(JSON.parse((await cli(["task", "priority", "--json", taskId, "highest"])).out)).toMatchObject({
    taskId,
    priority: "highest",
  });
});

test("ping prints the URL of the server", async () => {
  expect((await cli(["ping"])).out).toMatch(new RegExp(`^${stack.rootUrl} is healthy \\(\\d+ ms\\)\n$`));
  expect(JSON.parse((await cli(["ping", "--json"])).out)).toMatchObject({
    rootUrl: stack.rootUrl,
    alive: true,
  });
});

test("a worker runs tasks until SIGTERM", async () => {
  const home = await makeTemporaryFolder();
  const io = capturedIo({ env: { ...env, TASKYARD_HOME: home }, cwd: home });
  const line = ["worker", "--task-queue", "other/linux", "--worker-id", "w1", "--capacity", "1"];
  const working = main(line, io);
  await io.until("worker waits for tasks");
  expect(await cli(["run", "-q", "--task-queue", "other/linux", "--", "echo", "done"])).toMatchObject({
    status: 0,
    out: "done\n",
  });
  io.interrupt("SIGTERM");
  expect(await working).toBe(0);
});

const times = () => ({
  created: new Date().toISOString(),
  deadline: new Date(Date.now() + 3_600_000).toISOString(),
});
