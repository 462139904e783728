// `taskyard task create` in this process, with a real server.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { slugid } from "../../src/lib/slugid.ts";
import { runCli, type CapturedIoOptions } from "../support/captured-io.ts";
import { sharedStack, type Stack } from "../support/stack.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await sharedStack();
});
const cli = (line: string[], options: CapturedIoOptions = {}) => runCli(line, { ...options, env: stack.env });

const definition = {
  taskQueueId: "nobody/works-here",
  payload: { command: [["sh", "-c", "echo from a file"]], maxRunTime: 60 },
  metadata: { name: "from a file", description: "", owner: "me", source: "https://example.com" },
};
const hourAfter = (time: string): string => new Date(Date.parse(time) + 3_600_000).toISOString();

test("reads a YAML or JSON file, and reports the defaults", async () => {
  const cwd = await temporaryFolder();
  const taskId = slugid();
  await writeFile(join(cwd, "task.yml"), `# JSON is YAML\n${JSON.stringify(definition)}`);
  const made = await cli(["task", "create", "task.yml", "--task-id", taskId], { cwd });
  expect(made).toEqual({ status: 0, out: `${taskId}\n`, err: "created: now\ndeadline: in 1 day\n" });
  expect((await stack.client.queue.task({ taskId })).payload).toEqual(definition.payload);
  // A repeat is accepted, a change is not.
  expect(await cli(["task", "create", "task.yml", "--task-id", taskId], { cwd })).toEqual(made);
  await writeFile(join(cwd, "task.yml"), JSON.stringify({ ...definition, retries: 1, deadline: "1 day" }));
  expect((await cli(["task", "create", "task.yml", "--task-id", taskId], { cwd })).status).toBe(1);
});

test("with a task id is idempotent, whichever times are relative", async () => {
  const created = new Date().toISOString();
  for (const times of [
    { deadline: "2 hours", expires: { $fromNow: "1 year" } },
    { created, expires: "1 month" },
  ]) {
    const line = ["task", "create", "--json", "-", "--task-id", slugid()];
    const stdin = JSON.stringify({ ...definition, ...times });
    // The deadline of the second is not relative to now, so that the repeat finds the time by `expires`.
    const given = "created" in times ? stdin.replace("{", `{"deadline":"${hourAfter(created)}",`) : stdin;
    const [first, second] = [await cli(line, { stdin: given }), await cli(line, { stdin: given })];
    expect(first.status, first.err).toBe(0);
    expect(second, second.err).toEqual(first);
  }
});

test("reads standard input, and prints JSON", async () => {
  const { status, out } = await cli(["task", "create", "--json", "-"], {
    stdin: JSON.stringify(definition),
  });
  expect(status).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ taskQueueId: "nobody/works-here", state: "pending" });
});

test.each([
  ["payload: [1", "definition:1:12: "],
  ["payload: *gone", "definition:1:10: *gone is undefined"],
  ["payload: {}", "metadata is missing"],
  ["- a", "not a list"],
])("refuses %j", async (stdin, message) => {
  const { status, out, err } = await cli(["task", "create", "-"], { stdin });
  expect({ status, out }).toEqual({ status: 1, out: "" });
  expect(err).toContain(message);
});
