// What `--json` prints, in this process with a real server.
import { expect, test } from "vitest";
import { commands } from "../../src/cli/commands.ts";
import { runCli } from "../support/captured-io.ts";
import type { Client } from "../../src/client/index.ts";
import { slugid } from "../../src/lib/slugid.ts";
import { createTask } from "../support/factories.ts";
import { sharedStack } from "../support/stack.ts";
import { newSecret, poolOf } from "../support/worker-pool.ts";

// They need a worker, a home folder, a file, or a task in another state. Other files test them.
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
  "pool create",
  "pool update",
  "pool secret set",
  "pool secret rotate",
  "pool worker create",
  "pool worker update",
  "apply",
];

/** Options without which a command does nothing. */
const needed: Readonly<Record<string, readonly string[]>> = {
  "auth expand": ["--scope", "a"],
  "auth preview": ["--delete"],
  "auth client update": ["--description", "Changed."],
  "auth role update": ["--description", "Changed."],
};

test("is one object for every command", async () => {
  const { client, env } = await sharedStack();
  const taskQueueId = "nobody/works-here";
  for (const { name, args, options } of commands) {
    if (!("json" in options) || elsewhere.includes(name)) continue;
    const taskId = await createTask(client, { taskQueueId });
    if (name === "group cancel") await client.queue.sealTaskGroup({ taskGroupId: taskId });
    const id = slugid();
    const pool = `json/${name.replaceAll(" ", "-")}`;
    if (!name.endsWith(" create"))
      for (const arg of args) await creators[arg.name]?.(client, { id, taskId, pool });
    const words: Readonly<Record<string, string>> = {
      PATH: `json.${id}`,
      NAMESPACE: "json",
      CLIENT_ID: id,
      ROLE_ID: id,
      NAME: id,
      FILE: "-",
      METHOD: "queue.status",
      "NAME=VALUE": `taskId=${taskId}`,
      TYPE: "role",
      ID: id,
      POOL: pool,
      WORKER: "g/w",
      TASK_ID: taskId,
      GROUP_ID: taskId,
      QUEUE: taskQueueId,
      PRIORITY: "high",
      "FILE|-": "-",
    };
    const line = [
      ...name.split(" "),
      "--json",
      ...(needed[name] ?? []),
      ...args.map((arg) => words[arg.name] ?? arg.name),
    ];
    const stdin = JSON.stringify(await client.queue.task({ taskId }));
    const { status, out, err } = await runCli(line, { env, stdin });
    expect(status, `${name}: ${err}`).toBe(0);
    expect(out, name).toMatch(/^\{/);
    expect(JSON.parse(out), name).toEqual(expect.any(Object));
  }
});

const expires = "2100-01-01T00:00:00.000Z";

interface Ids {
  readonly id: string;
  readonly taskId: string;
  readonly pool: string;
}

const createEntry = ({ index }: Client, { id, taskId }: Ids): Promise<object> =>
  index.insertTask({ namespace: `json.${id}` }, { taskId, rank: 0, data: {}, expires });

/** Creates what an argument names, if the command needs it. */
const creators: Readonly<Record<string, (client: Client, ids: Ids) => Promise<unknown>>> = {
  NAME: ({ secrets }, { id }) => secrets.set({ name: id }, { secret: {}, expires }),
  PATH: createEntry,
  NAMESPACE: createEntry,
  CLIENT_ID: ({ auth }, { id }) =>
    auth.createClient({ clientId: id }, { expires, description: "", scopes: [] }),
  ROLE_ID: ({ auth }, { id }) => auth.createRole({ roleId: id }, { description: "", scopes: [] }),
  async POOL({ workerManager }, { pool: workerPoolId }) {
    await workerManager.createWorkerPool({ workerPoolId }, poolOf());
    await workerManager.createWorker(
      { workerPoolId, workerGroup: "g", workerId: "w" },
      { expires, providerInfo: { staticSecret: newSecret() } },
    );
  },
};
