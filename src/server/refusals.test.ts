// What every method of the contract refuses in the same way, without changing anything: callers without credentials or
// scopes, invalid parameters, unknown tasks and groups, unknown query parameters, and invalid bodies.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import Value from "typebox/value";
import {
  createKnown,
  exampleParam,
  exampleRequest,
  methods,
  paramsOf,
  type Known,
  type Method,
} from "../../test/support/contract-calls.ts";
import { fingerprinter } from "../../test/support/fingerprint.ts";
import { rawCall, type RawReply, type RawRequest } from "../../test/support/raw-call.ts";
import { testStack, type Stack } from "../../test/support/stack.ts";
import { templateParams } from "../lib/scopes/render.ts";
import { slugid } from "../lib/slugid.ts";

let stack: Stack;
let known: Known;
let fingerprint: () => Promise<string[]>;
beforeAll(async () => {
  stack = await testStack({
    roles: ["api"],
    config: { access: "closed", queue: { claimWorkTimeout: 50 } },
  });
  known = await createKnown(stack);
  // The group of the examples. cancelTaskGroup refuses any other before it checks scopes.
  await stack.client.queue.sealTaskGroup({ taskGroupId: known["taskGroupId"]?.at(-1) ?? "" });
  fingerprint = await fingerprinter(stack.database.db);
});
afterAll(() => stack.stop());

const requestOf = (method: Method, params?: Readonly<Record<string, string>>): RawRequest =>
  exampleRequest(method, known, params);
const callWith = (request: RawRequest, scopes?: readonly string[]): Promise<RawReply> =>
  rawCall(stack.rootUrl, { ...request, credentials: stack.rootCredentials, authorizedScopes: scopes });
const asRoot = (request: RawRequest): Promise<RawReply> => callWith(request);

/** Makes calls that are refused, and asserts that the database is what it was before. */
async function expectNoChange(calls: () => Promise<void>): Promise<void> {
  const before = await fingerprint();
  await calls();
  expect(await fingerprint()).toEqual(before);
}

function methodNamed(name: string): Method {
  const method = methods.find((one) => one.name === name);
  if (!method) throw new Error(`there is no method ${name}`);
  return method;
}

const named = methods.map((method) => [method.name, method] as const);
const guarded = named.filter(([, { of }]) => of.scopes !== undefined);

// What the scopes of these methods contain is known only from the task or group.
const byRow = [
  "scheduleTask",
  "rerunTask",
  "cancelTask",
  "sealTaskGroup",
  "cancelTaskGroup",
  "claimTask",
].concat(["changeTaskPriority", "changeTaskGroupPriority"]);
/** Scopes with which a refusal names the values of a task or group, or the scopes that an update adds. */
const readers = (name: string): string[] =>
  byRow.some((one) => name === `queue.${one}`)
    ? ["queue:status:*", "queue:list-task-group:*"]
    : /^auth\.update(Client|Role)$/.test(name)
      ? ["auth:update-client:*", "auth:update-role:*"]
      : ["some:other-scope"];

/** Returns a value of the running task or its group. */
const ofTask = (name: string): string | undefined =>
  ({ schedulerId: "-", projectId: "none" })[name] ?? known[name]?.at(-1);

/** Returns the whole expression that a refusal quotes. */
function requiredBy({ message }: RawReply): unknown {
  const quoted = message.split("\n```\n").filter((_, i) => i % 2 === 1);
  const text = quoted.at(-1) ?? "";
  return /^[[{]/.test(text) ? JSON.parse(text) : text;
}

describe.each(guarded)("%s", (_, method) => {
  it("requires the scopes that explainScopes returns", async () => {
    const request = requestOf(method);
    const required = requiredBy(await callWith(request, readers(method.name)));
    const [service = "", name = ""] = method.name.split(".");
    const params = paramsOf(method).map((param) => [param, exampleParam(method, param, known)]);
    const state = byRow.includes(name) ? templateParams(method.of.scopes ?? "") : [];
    const { expression } = await stack.client.auth.explainScopes({
      scopes: [],
      method: {
        service,
        name,
        params: Object.fromEntries([...state.map((param) => [param.name, ofTask(param.name)]), ...params]),
        ...(request.body !== undefined && { body: JSON.parse(request.body) }),
      },
    });
    expect(expression).toEqual(required);
  });

  it("refuses callers without credentials", async () => {
    await expectNoChange(async () => {
      const reply = await rawCall(stack.rootUrl, requestOf(method));
      expect([reply.status, reply.code]).toEqual([403, "InsufficientScopes"]);
      expect(reply.message).toMatch(
        /^This request requires Taskcluster credentials that satisfy the following scope expression:\n\n```\n[^]*\w:[^]*\n```\n\nSign it with such credentials/,
      );
    });
  });

  it("refuses callers with other scopes, and lists the missing ones", async () => {
    await expectNoChange(async () => {
      const reply = await callWith(requestOf(method), ["some:other-scope", "auth:no-such-thing"]);
      expect([reply.status, reply.code]).toEqual([403, "InsufficientScopes"]);
      expect(reply.message).toContain(
        "Client ID static/taskcluster/root does not have sufficient scopes and is missing the following scopes:\n\n```\n",
      );
      expect(reply.message).toMatch(
        /\n```\n\nUse other credentials, or have (these scopes|(`[^`]+`, )*`[^`]+`) added to the client\./,
      );
    });
  });

  it("refuses callers that sign with another key", async () => {
    await expectNoChange(async () => {
      const credentials = { ...stack.rootCredentials, accessToken: "some-other-token-of-nobody" };
      const reply = await rawCall(stack.rootUrl, { ...requestOf(method), credentials });
      expect([reply.status, reply.code]).toEqual([401, "AuthenticationFailed"]);
      expect(reply.headers.get("www-authenticate")).toBe("hawk");
    });
  });
});

describe.each(byRow)("queue.%s", (name) => {
  const method = methodNamed(`queue.${name}`);
  const kind = /<\w+>/;

  it("replies to callers without any such scope as if nothing existed", async () => {
    const about = async (id: string) => {
      const { status, message } = await callWith(requestOf(method, { taskId: id, taskGroupId: id }), [
        "some:other",
      ]);
      return [status, message.replaceAll(id, "ID")];
    };
    const reply = await about(known["taskId"]?.[0] ?? "");
    expect(reply).toEqual([403, expect.stringMatching(kind)]);
    expect(reply).toEqual(await about(slugid()));
  });

  it("names values of the task or group only to callers who may read it", async () => {
    const scopes = [
      "queue:schedule-task:other/*",
      "queue:rerun-task:other/*",
      "queue:cancel-task:other/*",
    ].concat([
      "queue:seal-task-group:other/*",
      "queue:cancel-task-group:other/*",
      "queue:claim-task:other/*",
      "queue:worker-id:*",
      "queue:change-task-priority-in-queue:other/*",
      "queue:change-task-group-priority:other/*",
    ]);
    const hidden = await callWith(requestOf(method), scopes);
    expect([hidden.status, hidden.message]).toEqual([403, expect.stringMatching(kind)]);
    const readable = await callWith(requestOf(method), [
      ...scopes,
      "queue:status:*",
      "queue:list-task-group:*",
    ]);
    expect([readable.status, readable.message]).toEqual([403, expect.not.stringMatching(kind)]);
  });
});

it("only these methods require no scopes", () => {
  const open = methods.filter(({ of }) => of.scopes === undefined).map(({ name }) => name);
  expect(open.filter((name) => !/\.(ping|lbheartbeat|version|heartbeat)$/.test(name))).toEqual([
    "auth.authenticateHawk",
    "auth.testAuthenticate",
    "auth.testAuthenticateGet",
    // A worker proves its identity by other means.
    "worker-manager.registerWorker",
  ]);
});

describe.each(named)("%s", (_, method) => {
  it("refuses parameters that do not match their patterns", async () => {
    await expectNoChange(async () => {
      for (const [name, pattern] of Object.entries(method.of.params ?? {})) {
        const values = ["nonsense", "a".repeat(22), "%00", "../../etc", "é", "1\n"];
        for (const value of values.filter((one) => !pattern.test(one))) {
          const reply = await asRoot(requestOf(method, { [name]: value }));
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
  });

  it("refuses unknown query parameters", async () => {
    await expectNoChange(async () => {
      const request = requestOf(method);
      const reply = await asRoot({ ...request, path: `${request.path}?what=ever` });
      expect([reply.status, reply.code, reply.message]).toEqual([
        400,
        "InvalidRequestArguments",
        "Query-string parameter: what is not supported!",
      ]);
    });
  });
});

it("the patterns of ids and run ids match none of the values above", () => {
  const patterns = methods.flatMap(({ of }) => Object.entries(of.params ?? {}));
  for (const [name, pattern] of patterns.filter(([key]) => ["taskId", "taskGroupId", "runId"].includes(key)))
    for (const value of ["nonsense", "a".repeat(22), "%00", "../../etc", "é", "1\n"])
      expect([name, value, pattern.test(value)]).toEqual([name, value, false]);
});

/** Methods that create the task of their parameter, or compare the body with the task first. */
const checkedOtherwise = ["queue.createTask", "queue.defineTask", "queue.createArtifact"];
const aboutTasks = named.filter(
  ([name, { of }]) => /:(taskId|taskGroupId)/.test(of.path) && !checkedOtherwise.includes(name),
);

describe("a task or group that does not exist", () => {
  it.each(aboutTasks)("is not found by %s", async (_, method) => {
    await expectNoChange(async () => {
      const unknown = slugid();
      const reply = await asRoot(requestOf(method, { taskId: unknown, taskGroupId: unknown }));
      expect([reply.status, reply.code]).toEqual([404, "ResourceNotFound"]);
      const artifact = "runId" in (method.of.params ?? {}) && "name" in (method.of.params ?? {});
      const message = artifact
        ? `^Run 0 of task ${unknown} has no artifact "public/a": `
        : `^Task (group )?${unknown} does not exist: `;
      expect(reply.message).toMatch(new RegExp(message));
    });
  });
});

describe("an invalid body", () => {
  it.each(named.filter(([, { of }]) => of.body !== undefined))("is refused by %s", async (_, method) => {
    const { path, method: verb } = requestOf(method);
    const schema = method.of.body?.schema ?? {};
    // Methods whose members are all optional or have a default accept an empty object.
    const bodies = ["null", "[]", "{}", '{"surprise":1}'].filter(
      (text) => !Value.Check(schema, Value.Default(schema, JSON.parse(text))),
    );
    expect(bodies).toEqual(expect.arrayContaining(["null", "[]", '{"surprise":1}']));
    await expectNoChange(async () => {
      for (const body of [undefined, "", "{", ...bodies]) {
        const reply = await asRoot({ path, method: verb, body });
        const isMalformed = body === undefined || ["", "{", "null"].includes(body);
        expect([body, reply.status, reply.code]).toEqual([
          body,
          400,
          isMalformed ? "MalformedPayload" : "InputValidationError",
        ]);
      }
    });
  });
});

describe("the scopes of readers and workers", () => {
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
    ["changeTaskPriority", () => ["queue:change-task-priority-in-queue:a/b"]],
    ["changeTaskGroupPriority", (taskId: string) => [`queue:change-task-group-priority:-/${taskId}`]],
    ["taskGroupTimeline", (taskId: string) => [`queue:list-task-group:${taskId}`]],
    ["claimWork", () => ["queue:claim-work:a/b", "queue:worker-id:g/w"]],
    ["claimTask", () => ["queue:claim-task:a/b", "queue:worker-id:g/w"]],
    ["reclaimTask", (taskId: string) => [`queue:reclaim-task:${taskId}/0`]],
    ["reportCompleted", (taskId: string) => [`queue:resolve-task:${taskId}/0`]],
    ["reportFailed", (taskId: string) => [`queue:resolve-task:${taskId}/0`]],
    ["reportException", (taskId: string) => [`queue:resolve-task:${taskId}/0`]],
  ] as const)("of %s suffice, and each of them is necessary", async (name, scopesOf) => {
    const method = methodNamed(`queue.${name}`);
    const taskId = known["taskId"]?.at(-1) ?? "";
    const scopes = scopesOf(taskId);
    const taskIds = ["tasks", "statuses"].includes(name);
    const statusWith = async (authorizedScopes: readonly string[]) => {
      const request = requestOf(method);
      const body = taskIds ? JSON.stringify({ taskIds: [taskId] }) : request.body;
      return (await callWith({ ...request, body }, authorizedScopes)).status;
    };
    expect(await statusWith(scopes)).not.toBe(403);
    for (const missing of scopes) {
      const others = scopes.filter((scope) => scope !== missing);
      expect(await statusWith(others)).toBe(403);
      expect(await statusWith([...others, missing.slice(0, -1)])).toBe(403);
    }
  });
});
