// Archives that the worker unpacks for a task, and `taskyard run --cwd-tarball`, which sends the folder as one.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { slugid } from "../../src/lib/slugid.ts";
import { runCli, type CapturedIoOptions } from "../support/captured-io.ts";
import { sharedStack, type Stack } from "../support/stack.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { startTestWorker, type TestWorker } from "../support/worker.ts";

let stack: Stack;
let worker: TestWorker;
beforeAll(async () => {
  stack = await sharedStack();
  const client = stack.as(stack.rootCredentials);
  worker = await startTestWorker(stack.rootUrl, { client, taskQueueId: "local/default" });
});
afterAll(() => worker.end());

const cli = (line: string[], options: CapturedIoOptions = {}) => runCli(line, { ...options, env: stack.env });

test("--cwd-tarball sends the folder, without ignored files", async () => {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, "src"));
  await writeFile(join(cwd, "src", "a"), "content of a");
  const line = ["run", "-q", "--cwd-tarball", "-a", "b", "--", "sh", "-c", "ls -A; cat src/a; cp src/a b"];
  const { status, out, err } = await cli(line, { cwd });
  expect({ status, err }).toEqual({ status: 0, err: "" });
  expect(out).toContain("src\n");
  expect(out).toContain("content of a");
});

/** The id of a task with a folder of its own. */
let mounted: Promise<string> | undefined;
const taskWithFolder = (): Promise<string> => {
  const run = async (): Promise<string> => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, "a"), "1");
    const { out } = await cli(["run", "--json", "--cwd-tarball", "--", "cat", "a"], { cwd });
    const { taskId } = JSON.parse(out) as { taskId: string };
    return taskId;
  };
  return (mounted ??= run());
};

test("--cwd-tarball puts nothing into the definition that gives access to the folder", async () => {
  const taskId = await taskWithFolder();
  const task = await stack.client.queue.task({ taskId });
  const [source = ""] = task.dependencies;
  const artifact = `taskyard/source/${source}.tar.gz`;
  expect(task.scopes).toEqual([`queue:get-artifact:${artifact}`]);
  expect(task.payload).toMatchObject({
    env: {},
    mounts: [{ content: { taskId: source, artifact }, directory: ".", format: "tar.gz" }],
  });
  expect(JSON.stringify(task)).not.toMatch(/bewit|signature=/);
  const read = stack.as(undefined).queue.getLatestArtifact({ taskId: source, name: artifact });
  await expect(read).rejects.toMatchObject({ statusCode: 403 });
});

test.each([
  ["may not be read", [], /queue:get-artifact:taskyard\/source\/\S+ in `scopes`\./],
  [
    "does not exist",
    ["queue:get-artifact:gone"],
    /the artifact "gone" of task \S+ cannot be read: it does not exist/,
  ],
])("a mount whose artifact %s fails the task, and says why", async (_how, scopes, message) => {
  const [source = ""] = (await stack.client.queue.task({ taskId: await taskWithFolder() })).dependencies;
  const artifact = scopes.length === 0 ? `taskyard/source/${source}.tar.gz` : "gone";
  const definition = {
    taskQueueId: "local/default",
    dependencies: [source],
    scopes,
    payload: {
      command: [["true"]],
      maxRunTime: 60,
      mounts: [{ content: { taskId: source, artifact }, directory: ".", format: "tar.gz" }],
    },
    metadata: { name: "mounts", description: "", owner: "me", source: "https://example.com" },
  };
  const taskId = slugid();
  await cli(["task", "create", "-", "--task-id", taskId], { stdin: JSON.stringify(definition) });
  const { out } = await cli(["task", "log", "-f", taskId]);
  expect(out).toMatch(message);
  await until(
    "the task has failed",
    async () => (await stack.client.queue.status({ taskId })).status.state === "failed",
  );
});
