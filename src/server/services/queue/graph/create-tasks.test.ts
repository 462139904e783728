// createTasks: creates all tasks of a call with their dependencies, or none, and then lists every fault.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { claimOne, createTask, taskDefinition } from "../../../../../test/support/factories.ts";
import { queueEvents, summarize } from "../../../../../test/support/queue-events.ts";
import { rawCall } from "../../../../../test/support/raw-call.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import type { CreateTasksRequest, NewTask } from "../../../../api/queue/graph.ts";
import type { TaskDefinitionRequest } from "../../../../api/queue/task.ts";
import { ClientError } from "../../../../client/client-error.ts";
import type { Client } from "../../../../client/index.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { sql } from "../../../core/sql.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await testStack();
});
afterAll(() => stack.stop());

const newTask = (overrides: Partial<TaskDefinitionRequest> = {}): NewTask => ({
  taskId: slugid(),
  task: taskDefinition({ schedulerId: "s", ...overrides }),
});
const create = (tasks: NewTask[], options: Partial<CreateTasksRequest> = {}, client: Client = stack.client) =>
  client.queue.createTasks({ tasks, ...options });
const stateOf = async (taskId: string) => (await stack.client.queue.status({ taskId })).status.state;

interface Refusal {
  readonly statusCode: number | undefined;
  readonly code: string;
  readonly message: string;
  readonly faults: readonly { readonly path: string; readonly code: string; readonly message: string }[];
  readonly more: number;
}
/** Returns the refusal of a call in its machine-readable form. */
async function refusalOf(call: Promise<unknown>): Promise<Refusal> {
  const error: unknown = await call.then(
    () => new Error("the call was accepted"),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ClientError)) throw error;
  const { details } = error.body as { details: Pick<Refusal, "faults" | "more"> };
  return { statusCode: error.statusCode, code: error.code, message: error.message, ...details };
}
const pathsOf = ({ faults }: Refusal) => faults.map(({ path, code }) => `${code} ${path}`);

/** Returns the number of rows of each table. */
async function rowCounts(): Promise<string> {
  const counts: string[] = [];
  for (const table of ["tasks", "runs", "task_groups", "task_dependencies", "task_definitions", "events"])
    counts.push(`${table} ${await stack.database.db.run({ text: `select from ${table}`, values: [] })}`);
  return counts.join(", ");
}

describe("a graph", () => {
  it("is created with all its edges, whatever the order of its tasks; those without dependencies are pending", async () => {
    const taskGroupId = slugid();
    const root = newTask({ taskGroupId, routes: ["a.b"], tags: { c: "d" } });
    const middle = newTask({ taskGroupId, dependencies: [root.taskId] });
    const end = newTask({ taskGroupId, dependencies: [middle.taskId, root.taskId] });
    expect(await create([end, middle, root])).toEqual({
      dryRun: false,
      created: 3,
      pending: 1,
      known: [],
      taskGroupIds: [taskGroupId],
    });
    expect(await Promise.all([root, middle, end].map(({ taskId }) => stateOf(taskId)))).toEqual([
      "pending",
      "unscheduled",
      "unscheduled",
    ]);
    const stored = await stack.client.queue.task({ taskId: root.taskId });
    expect(stored).toMatchObject({ ...root.task, priority: "lowest", retries: 5, requires: "all-completed" });

    const events = await queueEvents(stack.database.db, { taskId: root.taskId });
    expect(summarize(events)).toEqual(["task-defined", "task-pending 0"]);
    expect(events.map(({ routes }) => routes)).toEqual([["a.b"], ["a.b"]]);
    expect(events[1]?.payload.task?.tags).toEqual({ c: "d" });
    const { status } = await stack.client.queue.status({ taskId: root.taskId });
    expect(events[1]?.payload.status).toEqual(status);
    expect(events[0]?.payload.status).toMatchObject({ state: "unscheduled", runs: [] });

    for (const { taskId } of [root, middle, end]) {
      expect((await claimOne(stack.client)).status.taskId).toBe(taskId);
      await stack.client.queue.reportCompleted({ taskId, runId: 0 });
    }
    expect(summarize(await queueEvents(stack.database.db, { taskGroupId })).slice(-2)).toEqual([
      "task-completed 0",
      "task-group-resolved",
    ]);
  });

  it("is claimed in the order of the call", async () => {
    const tasks = Array.from({ length: 5 }, () => newTask({ taskQueueId: "test/order" }));
    await create(tasks);
    for (const { taskId } of tasks)
      expect((await claimOne(stack.client, "test/order")).status.taskId).toBe(taskId);
  });

  it("wakes a waiting worker", async () => {
    const claim = claimOne(stack.client, "test/waiting");
    const task = newTask({ taskQueueId: "test/waiting" });
    await create([task]);
    expect((await claim).status.taskId).toBe(task.taskId);
  });

  it("may depend on existing tasks, resolved or not", async () => {
    const [done, failed, open] = [
      await createTask(stack.client, { taskQueueId: "test/before" }),
      await createTask(stack.client, { taskQueueId: "test/before" }),
      await createTask(stack.client, { taskQueueId: "test/before" }),
    ];
    const run = { runId: 0 };
    for (const taskId of [done, failed, open])
      await stack.client.queue.claimTask({ taskId, ...run }, { workerGroup: "g", workerId: "w" });
    await stack.client.queue.reportCompleted({ taskId: done, ...run });
    await stack.client.queue.reportFailed({ taskId: failed, ...run });
    const tasks = [
      newTask({ dependencies: [done] }),
      newTask({ dependencies: [failed] }),
      newTask({ dependencies: [done, failed], requires: "all-resolved" }),
      newTask({ dependencies: [done, open] }),
    ] as const;
    expect(await create([...tasks])).toMatchObject({ created: 4, pending: 2 });
    const states = () => Promise.all(tasks.map(({ taskId }) => stateOf(taskId)));
    expect(await states()).toEqual(["pending", "unscheduled", "pending", "unscheduled"]);
    await stack.client.queue.reportCompleted({ taskId: open, ...run });
    expect(await states()).toEqual(["pending", "unscheduled", "pending", "pending"]);
  });

  it("may be created again, also after its group was sealed; only its new tasks are written", async () => {
    const taskGroupId = slugid();
    const first = newTask({ taskGroupId });
    const second = newTask({ taskGroupId, dependencies: [first.taskId] });
    await create([first, second]);
    const third = newTask({ taskGroupId, dependencies: [second.taskId] });
    expect(await create([third, first, second])).toMatchObject({
      created: 1,
      pending: 0,
      known: [first.taskId, second.taskId],
    });
    await stack.database.db.run(sql`
      update task_groups set sealed = '2026-01-01T00:00:00Z' where task_group_id = ${taskGroupId}`);
    const before = await rowCounts();
    expect(await create([first, second, third])).toMatchObject({ created: 0, pending: 0 });
    expect(await rowCounts()).toBe(before);
    const refused = await refusalOf(create([first, newTask({ taskGroupId })]));
    expect(refused.faults).toEqual([
      {
        path: "tasks[1].task.taskGroupId",
        code: "sealed-group",
        message: `Task group ${taskGroupId} was sealed at 2026-01-01T00:00:00.000Z: no task can be added to it.`,
      },
    ]);
    expect([refused.statusCode, refused.code]).toEqual([409, "RequestConflict"]);
  });

  it("is checked by a dry run, which returns the outcome and writes nothing", async () => {
    const root = newTask();
    const tasks = [root, newTask({ dependencies: [root.taskId] })];
    const before = await rowCounts();
    expect(await create(tasks, { dryRun: true })).toEqual({
      dryRun: true,
      created: 2,
      pending: 1,
      known: [],
      taskGroupIds: tasks.map(({ taskId }) => taskId),
    });
    expect(await rowCounts()).toBe(before);
  });
});

describe("a call with faults", () => {
  it("receives all of them with their paths, and writes nothing", async () => {
    const other = await createTask(stack.client, { schedulerId: "other" });
    const existing = await createTask(stack.client);
    const expiring = await createTask(stack.client, {
      expires: new Date(Date.now() + 3_700_000).toISOString(),
    });
    const unknown = slugid();
    const [a, b, c] = [slugid(), slugid(), slugid()];
    const late = new Date(Date.now() + 2 * 3_600_000).toISOString();
    const { metadata: _, ...incomplete } = taskDefinition({ retries: 50 });
    // Mistakes that handwritten JSON may contain.
    const tasks = [
      { taskId: slugid(), task: incomplete },
      newTask({ created: "2020-01-01T00:00:00Z", deadline: "2020-01-02T00:00:00Z", scopes: ["x**"] }),
      { taskId: a, task: taskDefinition({ dependencies: [b] }) },
      { taskId: b, task: taskDefinition({ dependencies: [unknown, c] }) },
      { taskId: c, task: taskDefinition({ dependencies: [a, c] }) },
      { taskId: a, task: taskDefinition() },
      newTask({ taskGroupId: other }),
      { taskId: existing, task: taskDefinition() },
      newTask({ dependencies: [expiring], deadline: late }),
      { taskId: "nonsense", task: taskDefinition() },
    ] as NewTask[];
    const before = await rowCounts();
    for (const dryRun of [true, false]) {
      const refused = await refusalOf(create(tasks, { dryRun }));
      expect(pathsOf(refused).toSorted()).toEqual([
        "cycle tasks[2].task.dependencies",
        "definition tasks[1].task.created",
        "definition tasks[1].task.deadline",
        "definition tasks[1].task.scopes[0]",
        "duplicate-id tasks[5].taskId",
        "expiring-dependency tasks[8].task.dependencies[0]",
        "id-taken tasks[7].taskId",
        "other-scheduler tasks[6].task.schedulerId",
        "schema tasks[0].task",
        "schema tasks[0].task.retries",
        "schema tasks[9].taskId",
        "unknown-dependency tasks[3].task.dependencies[0]",
      ]);
      expect([refused.statusCode, refused.code, refused.more]).toEqual([400, "InputValidationError", 0]);
      expect(refused.message).toContain("The call has 12 faults, so none of its tasks was created:\n  * ");
      const messages = new Map(refused.faults.map(({ path, message }) => [path, message]));
      expect(messages.get("tasks[0].task")).toBe("must have required property 'metadata'");
      expect(messages.get("tasks[0].task.retries")).toBe("must be <= 49");
      expect(messages.get("tasks[2].task.dependencies")).toBe(
        `Tasks that wait for each other never start: tasks[2] (${a}) → tasks[3] (${b}) → tasks[4] (${c}) → tasks[2]. Remove one of these dependencies.`,
      );
      expect(messages.get("tasks[3].task.dependencies[0]")).toBe(
        `${unknown} is not in this call and does not exist: create it before, or with this call.`,
      );
      expect(messages.get("tasks[5].taskId")).toBe(`tasks[2] has the same id, ${a}: give each its own.`);
    }
    expect(await rowCounts()).toBe(before);
  });

  it("between its own tasks receives them too", async () => {
    const taskGroupId = slugid();
    const early = newTask({ taskGroupId, expires: new Date(Date.now() + 3_700_000).toISOString() });
    const deadline = new Date(Date.now() + 2 * 3_600_000).toISOString();
    const refused = await refusalOf(
      create([newTask({ taskGroupId, schedulerId: "t", dependencies: [early.taskId], deadline }), early]),
    );
    expect(pathsOf(refused)).toEqual([
      "expiring-dependency tasks[0].task.dependencies[0]",
      "other-scheduler tasks[1].task.schedulerId",
    ]);
  });

  it("receives the first thousand, and the number of the rest", async () => {
    const tasks = Array.from({ length: 1003 }, () => newTask({ dependencies: [slugid()] }));
    const refused = await refusalOf(create(tasks));
    expect([refused.faults.length, refused.more]).toEqual([1000, 3]);
    expect(refused.message).toContain("  * … and 3 more");
  });

  it("does not receive a long list of its own tasks in the reply", async () => {
    const reply = await rawCall(stack.rootUrl, {
      method: "POST",
      path: "/api/queue/v1/tasks/create",
      body: JSON.stringify({
        tasks: Array.from({ length: 50 }, () => newTask({ dependencies: [slugid()] })),
      }),
      credentials: stack.rootCredentials,
    });
    expect(reply.body).toMatchObject({
      requestInfo: { method: "createTasks", payload: "(OMITTED)" },
    });
  });

  it("whose list is missing, invalid or empty is refused", async () => {
    for (const tasks of [undefined, [], {}]) {
      const reply = await rawCall(stack.rootUrl, {
        method: "POST",
        path: "/api/queue/v1/tasks/create",
        body: JSON.stringify({ tasks }),
        credentials: stack.rootCredentials,
      });
      expect([reply.status, reply.code]).toEqual([400, "InputValidationError"]);
    }
  });
});

describe("the scopes of a call", () => {
  const all = [
    "queue:create-task:project:none",
    "queue:create-task:project:p",
    "queue:scheduler-id:s",
    "queue:create-task:low:test/queue",
    "queue:route:r",
    "worker:x",
  ];
  const tasks = () => [
    newTask({ priority: "very-low", routes: ["r"] }),
    newTask({ priority: "low", scopes: ["worker:x"], projectId: "p" }),
    newTask(),
  ];

  it("are those of all its tasks, for the highest priority in each queue", async () => {
    expect(await create(tasks(), {}, stack.limited(all))).toMatchObject({ created: 3 });
    const higher = all.map((scope) => scope.replace(":low:", ":highest:"));
    expect(await create(tasks(), {}, stack.limited(higher))).toMatchObject({ created: 3 });
    for (const scope of all) {
      const refused = await refusalOf(create(tasks(), {}, stack.limited(all.filter((s) => s !== scope))));
      expect([refused.statusCode, refused.code]).toEqual([403, "InsufficientScopes"]);
      expect(refused.message).toContain(`missing the following scopes:\n\n\`\`\`\n${scope}\n\`\`\``);
    }
  });

  it("that are missing are listed for each task, with the faults that the tasks themselves show", async () => {
    const lower = all.map((scope) => scope.replace(":low:", ":lowest:")).filter((s) => s !== "worker:x");
    const existing = await createTask(stack.client);
    const group = await createTask(stack.client, { schedulerId: "other" });
    const refused = await refusalOf(
      create(
        [
          ...tasks(),
          newTask({ created: "2020-01-01T00:00:00Z", deadline: "2020-01-02T00:00:00Z" }),
          // What exists would make these faults: a taken id, an unknown dependency, and a group with another scheduler.
          { taskId: existing, task: taskDefinition() },
          newTask({ dependencies: [slugid()] }),
          newTask({ taskGroupId: group }),
        ],
        {},
        stack.limited(lower),
      ),
    );
    const missing = refused.faults.filter(({ code }) => code === "missing-scopes");
    expect(missing.slice(0, 3)).toEqual([
      {
        path: "tasks[0].task.taskQueueId",
        code: "missing-scopes",
        message: "The caller lacks queue:create-task:very-low:test/queue, or the same for a higher priority.",
      },
      { path: "tasks[1].task.scopes[0]", code: "missing-scopes", message: "The caller lacks worker:x." },
      {
        path: "tasks[1].task.taskQueueId",
        code: "missing-scopes",
        message: "The caller lacks queue:create-task:low:test/queue, or the same for a higher priority.",
      },
    ]);
    expect(pathsOf(refused).filter((path) => !path.startsWith("missing-scopes"))).toEqual([
      "definition tasks[3].task.created",
      "definition tasks[3].task.deadline",
    ]);
  });
});
