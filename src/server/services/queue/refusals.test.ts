// What every method of the queue refuses in the same way: callers without credentials or scopes, ids that are none or
// unknown, queries and bodies that it does not take. And what it then leaves alone.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTask, taskDefinition } from "../../../../test/support/factories.ts";
import { rawCall, type RawRequest } from "../../../../test/support/raw-call.ts";
import { testStack, type Stack } from "../../../../test/support/stack.ts";
import { taskEndpoints } from "../../../api/queue/endpoints/tasks.ts";
import { claimEndpoints } from "../../../api/queue/endpoints/claims.ts";
import { groupEndpoints } from "../../../api/queue/endpoints/groups.ts";
import { priorityEndpoints } from "../../../api/queue/endpoints/priorities.ts";
import { listEndpoints } from "../../../api/queue/endpoints/task-lists.ts";
import { legacyEndpoints } from "../../../api/queue/endpoints/legacy.ts";
import { graphEndpoints } from "../../../api/queue/endpoints/graph.ts";
import { whyEndpoints } from "../../../api/queue/endpoints/why.ts";
import { slugid } from "../../../lib/slugid.ts";

let stack: Stack;
const ids = { taskId: "", taskGroupId: "", runId: "0", taskQueueId: "test/queue" };
beforeAll(async () => {
  // Nobody may do anything without credentials.
  stack = await testStack({ config: { auth: { anonymousScopes: [] }, queue: { claimWorkTimeout: 50 } } });
  ids.taskId = ids.taskGroupId = await createTask(stack.client);
  // Else its cancel is refused to everybody.
  await stack.client.queue.sealTaskGroup(ids);
});
afterAll(() => stack.stop());

const worker = { workerGroup: "g", workerId: "w" };
const bodies: Readonly<Record<string, () => object>> = {
  createTask: () => taskDefinition(),
  defineTask: () => taskDefinition(),
  tasks: () => ({ taskIds: [ids.taskId] }),
  statuses: () => ({ taskIds: [ids.taskId] }),
  changeTaskPriority: () => ({ newPriority: "high" }),
  changeTaskGroupPriority: () => ({ newPriority: "high" }),
  createTasks: () => ({ tasks: [{ taskId: slugid(), task: taskDefinition() }] }),
  claimWork: () => worker,
  claimTask: () => worker,
  reportException: () => ({ reason: "internal-error" }),
};
const endpoints = Object.values({
  ...taskEndpoints,
  ...listEndpoints,
  ...groupEndpoints,
  ...priorityEndpoints,
  ...legacyEndpoints,
  ...whyEndpoints,
  ...claimEndpoints,
  ...graphEndpoints,
});
type Endpoint = (typeof endpoints)[number];
const named = endpoints.map((of) => [of.name, of] as const);

const pathOf = (of: Endpoint, params: Readonly<Record<string, string>> = {}): string =>
  `/api/queue/v1${of.path.replace(/[:*](\w+)/g, (_, name: string) => encodeURIComponent({ ...ids, ...params }[name] ?? ""))}`;

function requestOf(of: Endpoint, params?: Readonly<Record<string, string>>): RawRequest {
  const body = bodies[of.name]?.();
  return { method: of.method, path: pathOf(of, params), ...(body && { body: JSON.stringify(body) }) };
}
const asRoot = (request: RawRequest) =>
  rawCall(stack.rootUrl, { ...request, credentials: stack.rootCredentials });

/** How many rows there are in all. */
async function rowCounts(): Promise<string> {
  const counts: string[] = [];
  for (const table of ["tasks", "runs", "task_groups", "task_dependencies", "task_definitions", "events"])
    counts.push(`${table} ${await stack.database.db.run({ text: `select from ${table}`, values: [] })}`);
  return counts.join(", ");
}

describe.each(named)("%s", (_, of) => {
  it("is refused to everybody without credentials, and nothing is done", async () => {
    const before = await rowCounts();
    const reply = await rawCall(stack.rootUrl, requestOf(of));
    expect([reply.status, reply.code]).toEqual([403, "InsufficientScopes"]);
    expect(reply.message).toMatch(
      /^This request requires Taskcluster credentials that satisfy the following scope expression:\n\n```\n[^]*queue:[^]*\n```$/,
    );
    expect(await rowCounts()).toBe(before);
  });

  it("is refused to who has other scopes, and says which are missing", async () => {
    const { rootUrl, rootCredentials: credentials } = stack;
    const authorizedScopes = ["queue:something-else", "auth:*"];
    const reply = await rawCall(rootUrl, { ...requestOf(of), credentials, authorizedScopes });
    expect([reply.status, reply.code]).toEqual([403, "InsufficientScopes"]);
    expect(reply.message).toContain(
      "Client ID static/taskcluster/root does not have sufficient scopes and is missing the following scopes:\n\n```\n",
    );
    expect(reply.message).toContain(
      "\n```\n\nThis request requires the client to satisfy the following scope expression:\n\n```\n",
    );
  });

  it("is refused to who signs with another key", async () => {
    const credentials = { ...stack.rootCredentials, accessToken: "some-other-token-of-nobody" };
    const reply = await rawCall(stack.rootUrl, { ...requestOf(of), credentials });
    expect([reply.status, reply.code]).toEqual([401, "AuthenticationFailed"]);
    expect(reply.headers.get("www-authenticate")).toBe("hawk");
  });

  it("does not take what is no id", async () => {
    for (const [name, pattern] of Object.entries("params" in of ? of.params : {})) {
      for (const value of ["nonsense", "a".repeat(22), "%00", "../../etc", "é", "1\n"]) {
        const reply = await asRoot(requestOf(of, { [name]: value }));
        expect([name, value, reply.status, reply.code]).toEqual([
          name,
          value,
          400,
          "InvalidRequestArguments",
        ]);
        expect(reply.message).toBe(
          `Invalid URL patterns:\nURL parameter '${name}' given as '${value}' must match regular expression: '${String(pattern)}'`,
        );
      }
    }
  });

  it("does not take a query that it does not know", async () => {
    const request = requestOf(of);
    const reply = await asRoot({ ...request, path: `${request.path}?what=ever` });
    expect([reply.status, reply.code, reply.message]).toEqual([
      400,
      "InvalidRequestArguments",
      "Query-string parameter: what is not supported!",
    ]);
  });
});

/** They make what there is not, wait for it, or leave it out. */
const neverLack = ["createTask", "createTasks", "defineTask", "claimWork", "tasks", "statuses"];

describe("what there is not", () => {
  it.each(named.filter(([name]) => !neverLack.includes(name)))("is not found by %s", async (_, of) => {
    const unknown = slugid();
    const reply = await asRoot(requestOf(of, { taskId: unknown, taskGroupId: unknown }));
    expect([reply.status, reply.code]).toEqual([404, "ResourceNotFound"]);
    expect(reply.message).toMatch(new RegExp(`^Task (group )?${unknown} does not exist: `));
  });
});

describe("a body that is none", () => {
  it.each(named.filter(([name]) => name in bodies))("is refused by %s", async (name, of) => {
    const before = await rowCounts();
    const { path, method } = requestOf(of);
    // To ask for no tasks is fine.
    const empty = ["tasks", "statuses"].includes(name) ? [] : ["{}"];
    for (const body of [undefined, "", "{", "null", "[]", ...empty, '{"surprise":1}']) {
      const reply = await asRoot({ path, method, body });
      const isEmpty = body === undefined || body === "";
      expect([body, reply.status, reply.code]).toEqual([
        body,
        400,
        isEmpty || body === "{" || body === "null" ? "MalformedPayload" : "InputValidationError",
      ]);
    }
    expect(await rowCounts()).toBe(before);
  });
});

describe("scopes of who may read and work", () => {
  it.each([
    ["task", (taskId: string) => [`queue:get-task:${taskId}`]],
    ["status", (taskId: string) => [`queue:status:${taskId}`]],
    ["getTaskGroup", (taskId: string) => [`queue:list-task-group:${taskId}`]],
    ["listTaskGroup", (taskId: string) => [`queue:list-task-group:${taskId}`]],
    ["tasks", (taskId: string) => [`queue:get-task:${taskId}`]],
    ["statuses", (taskId: string) => [`queue:status:${taskId}`]],
    ["listDependentTasks", (taskId: string) => [`queue:list-dependent-tasks:${taskId}`]],
    ["sealTaskGroup", (taskId: string) => [`queue:seal-task-group:-/${taskId}`]],
    ["cancelTaskGroup", (taskId: string) => [`queue:cancel-task-group:-/${taskId}`]],
    ["changeTaskPriority", (taskId: string) => [`queue:change-task-priority:${taskId}`]],
    ["changeTaskPriority", () => ["queue:change-task-priority-in-queue:test/queue"]],
    ["changeTaskGroupPriority", (taskId: string) => [`queue:change-task-group-priority:-/${taskId}`]],
    ["taskGroupTimeline", (taskId: string) => [`queue:list-task-group:${taskId}`]],
    ["claimWork", () => ["queue:claim-work:test/queue", "queue:worker-id:g/w"]],
    ["claimTask", () => ["queue:claim-task:test/queue", "queue:worker-id:g/w"]],
    ["reclaimTask", (taskId: string) => [`queue:reclaim-task:${taskId}/0`]],
    ["reportCompleted", (taskId: string) => [`queue:resolve-task:${taskId}/0`]],
    ["reportFailed", (taskId: string) => [`queue:resolve-task:${taskId}/0`]],
    ["reportException", (taskId: string) => [`queue:resolve-task:${taskId}/0`]],
  ] as const)("%s needs all of its own, and no more", async (name, scopesOf) => {
    const of = endpoints.find((endpoint) => endpoint.name === name);
    if (!of) throw new Error(`there is no ${name}`);
    const scopes = scopesOf(ids.taskId);
    const { rootUrl, rootCredentials: credentials } = stack;
    const statusWith = async (authorizedScopes: readonly string[]) =>
      (await rawCall(rootUrl, { ...requestOf(of), credentials, authorizedScopes })).status;
    expect(await statusWith(scopes)).not.toBe(403);
    for (const missing of scopes) {
      expect(await statusWith(scopes.filter((scope) => scope !== missing))).toBe(403);
      expect(await statusWith([...scopes.filter((scope) => scope !== missing), missing.slice(0, -1)])).toBe(
        403,
      );
    }
  });

  it("all methods are covered here or with their own tests", () => {
    expect(endpoints.map(({ name }) => name).toSorted()).toEqual([
      "cancelTask",
      "cancelTaskGroup",
      "changeTaskGroupPriority",
      "changeTaskPriority",
      "claimTask",
      "claimWork",
      "createTask",
      "createTasks",
      "defineTask",
      "getTaskGroup",
      "listDependentTasks",
      "listTaskGroup",
      "reclaimTask",
      "reportCompleted",
      "reportException",
      "reportFailed",
      "rerunTask",
      "scheduleTask",
      "sealTaskGroup",
      "status",
      "statuses",
      "task",
      "taskGroupTimeline",
      "tasks",
      "why",
    ]);
  });
});
