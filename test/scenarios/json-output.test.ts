// What `--json` prints, in this process with a real server.
import { expect, test } from "vitest";
import { commands } from "../../src/cli/commands.ts";
import { runCli } from "../support/captured-io.ts";
import { createTask } from "../support/factories.ts";
import { sharedStack } from "../support/stack.ts";

// They need a worker, a home folder, or a task in another state. Other files test them.
const elsewhere = [
  "run",
  "graph run",
  "group watch",
  "graph watch",
  "env",
  "encryption rotate",
  "task rerun",
  "task wait",
  "queue quarantine",
  "queue release",
];

test("is one object for every command", async () => {
  const { client, env } = await sharedStack();
  const taskQueueId = "nobody/works-here";
  for (const { name, args, options } of commands) {
    if (!("json" in options) || elsewhere.includes(name)) continue;
    const taskId = await createTask(client, { taskQueueId });
    if (name === "group cancel") await client.queue.sealTaskGroup({ taskGroupId: taskId });
    const words: Readonly<Record<string, string>> = {
      TASK_ID: taskId,
      GROUP_ID: taskId,
      QUEUE: taskQueueId,
      PRIORITY: "high",
      "FILE|-": "-",
    };
    const line = [...name.split(" "), "--json", ...args.map((arg) => words[arg.name] ?? arg.name)];
    const stdin = JSON.stringify(await client.queue.task({ taskId }));
    const { status, out, err } = await runCli(line, { env, stdin });
    expect(status, `${name}: ${err}`).toBe(0);
    expect(out, name).toMatch(/^\{/);
    expect(JSON.parse(out), name).toEqual(expect.any(Object));
  }
});
