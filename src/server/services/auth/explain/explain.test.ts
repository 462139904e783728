// explainScopes and previewRole over HTTP.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ExplainRequest } from "../../../../api/auth/explain.ts";
import { connect } from "../../../../client/connect.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { taskDefinition } from "../../../../../test/support/factories.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";

const in1000Years = "3025-01-01T00:00:00.000Z";

let stack: Stack;
beforeAll(async () => {
  stack = await testStack({ roles: ["api"], config: { access: "closed" } });
  const { auth } = stack.client;
  const role = (roleId: string, ...scopes: string[]) =>
    auth.createRole({ roleId }, { scopes, description: "" });
  const client = (clientId: string, ...scopes: string[]) =>
    auth.createClient({ clientId }, { scopes, description: "", expires: in1000Years });
  await role("repo:*", "assume:project:<..>", "queue:scheduler-id:<..>");
  await role("project:*", "queue:create-task:project:<..>", "queue:create-task:low:<..>/*");
  await client("ci/app", "assume:repo:app", "queue:route:index.app.*");
  await client("ci/off", "a:b");
  await auth.disableClient({ clientId: "ci/off" });
});
afterAll(() => stack.stop());

const explain = (request: ExplainRequest) => stack.client.auth.explainScopes(request);
const withScopes = (...authorizedScopes: string[]) =>
  connect({ rootUrl: stack.rootUrl, credentials: stack.rootCredentials, authorizedScopes }).auth;
const task = (members: object) => ({
  service: "queue",
  name: "createTask",
  params: { taskId: slugid() },
  body: taskDefinition({
    projectId: "app",
    schedulerId: "app",
    priority: "low",
    taskQueueId: "app/linux",
    ...members,
  }),
});

describe("explainScopes", () => {
  test("proves each scope that creating a task requires by the roles that grant it", async () => {
    const reply = await explain({ clientId: "ci/app", method: task({ routes: ["index.app.main"] }) });
    expect(reply).toMatchObject({ allowed: true, credentials: "valid" });
    expect(reply.proofs).toContainEqual({
      required: "queue:create-task:low:app/linux",
      steps: [
        { scope: "assume:repo:app" },
        { scope: "assume:project:app", roleId: "repo:*" },
        { scope: "queue:create-task:low:app/*", roleId: "project:*" },
      ],
    });
    expect(reply.proofs).toContainEqual({
      required: "queue:route:index.app.main",
      steps: [{ scope: "queue:route:index.app.*" }],
    });
  });

  test("names the fewest scopes to add, and agrees with the call itself", async () => {
    const scopes = ["assume:repo:app"];
    const method = task({ routes: ["r"], scopes: ["s:t"], priority: "high" });
    const reply = await explain({ scopes, method });
    expect(reply).toMatchObject({
      allowed: false,
      missing: ["queue:create-task:highest:app/linux", "queue:route:r", "s:t"],
    });
    const create = (all: readonly string[]) =>
      connect({
        rootUrl: stack.rootUrl,
        credentials: stack.rootCredentials,
        authorizedScopes: all,
      }).queue.createTask({ taskId: slugid() }, method.body);
    await expect(create(scopes)).rejects.toMatchObject({ code: "InsufficientScopes" });
    await create([...scopes, ...(reply.missing ?? [])]);
  });

  test("derives what a method's scopes contain from its request, or names what it cannot derive", async () => {
    const required = async (name: string, rest: object = {}, service = "queue") =>
      (await explain({ scopes: [], method: { service, name, ...rest } })).expression;
    expect(await required("ping")).toBeUndefined();
    expect(await required("listTasks")).toEqual("queue:list-tasks:*");
    expect(
      await required(
        "purgeCache",
        { params: { workerPoolId: "a/b" }, body: { cacheName: "c" } },
        "purge-cache",
      ),
    ).toBe("purge-cache:a/b:c");
    const expires = in1000Years;
    expect(
      await required("declareWorkerType", {
        params: { provisionerId: "a", workerType: "b" },
        body: { expires },
      }),
    ).toEqual({
      AllOf: ["queue:declare-worker-type:a/b#expires"],
    });
    const update = { description: "", expires, scopes: ["assume:repo:app", "more"] };
    expect(await required("updateClient", { params: { clientId: "ci/app" }, body: update }, "auth")).toEqual({
      AllOf: ["auth:update-client:ci/app", "more"],
    });
    // The role grants the first one already, through another role.
    const role = { description: "", scopes: ["queue:create-task:low:<..>/x", "more"] };
    expect(await required("updateRole", { params: { roleId: "repo:*" }, body: role }, "auth")).toEqual({
      AllOf: ["auth:update-role:repo:*", "more"],
    });
    expect(await required("createTasks", { body: { tasks: [] } }).catch(String)).toContain(
      "would refuse this body",
    );
    expect(
      await required(
        "awsS3Credentials",
        { params: { level: "read-only", bucket: "abc", prefix: "p" } },
        "auth",
      ),
    ).toEqual({
      AnyOf: ["auth:aws-s3:read-only:abc/p", "auth:aws-s3:read-write:abc/p"],
    });
    const taskId = slugid();
    await expect(required("cancelTask", { params: { taskId } })).rejects.toMatchObject({
      code: "InputError",
      message: expect.stringMatching(
        /also depend on schedulerId \(a string or a number\), taskGroupId .*, projectId .*such values are those of the task/,
      ),
    });
    const state = { schedulerId: "s", taskGroupId: taskId, projectId: "p" };
    expect(JSON.stringify(await required("cancelTask", { params: { taskId, ...state } }))).toContain(
      `queue:cancel-task:s/${taskId}/${taskId}`,
    );
  });

  test.each([
    [{ service: "que", name: "task" }, "There is no service 'que'. Use one of auth,"],
    [{ service: "queue", name: "creatTask" }, "has no method 'creatTask'. Did you mean 'createTask'?"],
    [
      { service: "queue", name: "task", params: { id: "x" } },
      "'id' is not a parameter of queue.task, which has taskId",
    ],
    [{ service: "queue", name: "task", params: { taskId: "x" } }, "'taskId' must match /^"],
    [{ service: "queue", name: "task", params: { taskId: true } }, "'taskId' must be a string or a number"],
    [{ service: "queue", name: "tasks", params: { taskIds: "x" } }, "'taskIds' must be a list of strings"],
    [{ service: "queue", name: "task", body: {} }, "queue.task has no body"],
    [
      { service: "queue", name: "tasks", params: {} },
      "also depend on taskIds (a list of strings). Give it in `params`, or give all parameters of the path (none) and the body",
    ],
  ])("refuses %j", async (method, message) => {
    await expect(explain({ scopes: [], method })).rejects.toMatchObject({
      code: "InputError",
      message: expect.stringContaining(message),
    });
  });

  test("refuses expressions that are none or too large, and contradictory requests", async () => {
    // Safe: the request is invalid on purpose.
    const refusal = (request: object): Promise<string> =>
      explain(request as never).then(() => "accepted", String);
    expect(await refusal({ expression: { AnyOf: ["a", { AllOf: ["b", 1] }] } })).toContain(
      'expression.AnyOf[1].AllOf[1] must be a scope, {"AllOf": […]} or {"AnyOf": […]}',
    );
    let deep: object | string = "a";
    for (let n = 0; n < 10; n++) deep = { AllOf: [deep] };
    expect(await refusal({ expression: deep })).toContain("is nested deeper than 10");
    expect(await refusal({ expression: { AllOf: Array(10_000).fill("a") } })).toContain(
      "more than 10000 parts",
    );
    expect(await refusal({ expression: "é" })).toContain("printable ASCII");
    expect(await refusal({})).toContain("use either `method` or `expression`");
    expect(await refusal({ expression: "a", scopes: [], roleId: "b" })).toContain(
      "use one of scopes, roleId",
    );
    expect(await refusal({ expression: "a", clientId: "nobody" })).toContain(
      "no client with the id 'nobody'",
    );
    expect(await refusal({ expression: "a", roleId: "nothing" })).toContain("no role with the id 'nothing'");
  });

  test("a role also applies by a star in its id", async () => {
    const { allowed, proofs } = await explain({
      roleId: "project:x",
      expression: "queue:create-task:project:x",
    });
    expect({ allowed, steps: proofs[0]?.steps.length }).toEqual({ allowed: true, steps: 2 });
  });

  test("explains the caller's own scopes, also if the call is restricted", async () => {
    expect(await explain({ expression: "any" })).toEqual({
      allowed: true,
      expression: "any",
      proofs: [{ required: "any", steps: [{ scope: "*" }] }],
    });
    expect(await withScopes("a:*").explainScopes({ expression: { AllOf: ["a:b", "c"] } })).toMatchObject({
      allowed: false,
      proofs: [{ required: "a:b", steps: [{ scope: "a:*" }] }],
      missing: ["c"],
    });
  });

  test("says that a client is disabled", async () => {
    expect(await explain({ clientId: "ci/off", expression: "a:b" })).toMatchObject({
      allowed: true,
      credentials: "disabled",
    });
  });

  test("names no roles to callers who may not read them, whatever pattern they send", async () => {
    for (const [pattern, required] of [
      ["assume:*", "*"],
      ["assume:re*", "re*"],
      ["assume:none", "none"],
      ["as*", "*"],
    ] as const) {
      const request = { scopes: [pattern], expression: "none" };
      const refused: unknown = await withScopes()
        .explainScopes(request)
        .catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: "InsufficientScopes" });
      const { message } = refused as Error;
      expect(message.match(/auth:get-role:[^"\n]*/g)).toEqual(
        message.match(/auth:get-role:/g)?.map(() => `auth:get-role:${required}`),
      );
    }
    expect(
      await withScopes()
        .explainScopes({ scopes: ["a*"], expression: "ab" })
        .catch(String),
    ).toContain("auth:get-role:*");
    expect(await withScopes().explainScopes({ scopes: ["b*"], expression: "bb" })).toMatchObject({
      allowed: true,
    });
  });

  test("needs the scopes to read the client, and each role in the proof and in a list of scopes", async () => {
    const refusal = (request: ExplainRequest, ...scopes: string[]): Promise<string> =>
      withScopes(...scopes)
        .explainScopes(request)
        .then(
          () => "allowed",
          (error: Error) => error.message,
        );
    const ofClient = { clientId: "ci/app", expression: "queue:scheduler-id:app" };
    expect(await refusal(ofClient)).toContain("auth:get-client:ci/app");
    expect(await refusal(ofClient, "auth:get-client:ci/app")).toContain("auth:get-role:repo:*");
    expect(await refusal(ofClient, "auth:get-client:ci/app", "auth:get-role:repo:*")).toBe("allowed");
    // Whether something is granted is not revealed by a refusal.
    const ofList = { scopes: ["assume:project:x"], expression: "none" };
    expect(await refusal(ofList)).toContain("auth:get-role:project:x");
    expect(await refusal(ofList, "auth:get-role:project:*")).toBe("allowed");
    expect(await refusal({ clientId: "no/such", expression: "a" })).toContain("auth:get-client:no/such");
    // Which scopes an update adds depends on the client or role.
    const update = (name: string, params: Record<string, string | string[]>) => ({
      scopes: [],
      method: {
        service: "auth",
        name,
        params,
        body: { description: "", expires: in1000Years, scopes: ["a"] },
      },
    });
    const ofUpdate = update("updateClient", { clientId: "ci/app" });
    expect(await refusal(ofUpdate)).toContain("auth:get-client:ci/app");
    expect(await refusal(ofUpdate, "auth:get-client:ci/app")).toBe("allowed");
    expect(await refusal(update("updateClient", { clientId: "ci/app", scopesAdded: ["a"] }))).toBe("allowed");
    expect(await refusal(update("updateClient", { clientId: "no/such" }), "auth:get-client:*")).toContain(
      "also depend on scopesAdded",
    );
  });
});

describe("previewRole", () => {
  const preview = (roleId: string, scopes: string[] | null) =>
    stack.client.auth.previewRole({ roleId, scopes });

  test("lists the clients and roles that would gain or lose scopes, and changes nothing", async () => {
    const reply = await preview("project:*", ["queue:create-task:project:<..>", "secrets:get:<..>"]);
    const app = { gained: ["secrets:get:app"], lost: ["queue:create-task:low:app/*"] };
    const any = { gained: ["secrets:get:*"], lost: ["queue:create-task:low:*"] };
    expect(reply).toEqual({
      roleId: "project:*",
      change: "updated",
      clients: [{ clientId: "ci/app", ...app }],
      affectedClients: 1,
      hiddenClients: 0,
      roles: [
        { roleId: "project:*", ...any },
        { roleId: "repo:*", ...any },
      ],
      affectedRoles: 2,
      hiddenRoles: 0,
    });
    expect((await explain({ clientId: "ci/app", expression: "secrets:get:app" })).allowed).toBe(false);
  });

  test("previews a role that does not exist yet, and the deletion of one", async () => {
    expect(await preview("repo:app", ["x"])).toMatchObject({
      change: "created",
      clients: [{ clientId: "ci/app", gained: ["x"], lost: [] }],
      roles: [{ roleId: "repo:*" }, { roleId: "repo:app", gained: ["x"], lost: [] }],
    });
    expect(await preview("repo:*", null)).toMatchObject({
      change: "deleted",
      clients: [{ clientId: "ci/app", gained: [], lost: expect.arrayContaining(["assume:project:app"]) }],
    });
    await expect(preview("nothing", null)).rejects.toMatchObject({ code: "ResourceNotFound" });
    expect(await preview("repo:*", ["assume:project:<..>", "queue:scheduler-id:<..>"])).toMatchObject({
      change: "none",
      affectedClients: 0,
      affectedRoles: 0,
    });
  });

  test("refuses what updateRole refuses", async () => {
    await expect(preview("project:*", ["assume:repo:a"])).rejects.toMatchObject({
      code: "InputError",
      message: expect.stringContaining("Roles may not contain dependency cycles, found: 'assume:project:*'"),
    });
    await expect(preview("project:*", ["<..><..>"])).rejects.toMatchObject({ code: "InputError" });
    await expect(preview("project:*", ["a**"])).rejects.toMatchObject({ code: "InputError" });
  });

  test("needs the scope to update the role, and only counts clients and roles that the caller may not read", async () => {
    const request = { roleId: "project:*", scopes: [] };
    await expect(withScopes("auth:update-role:other").previewRole(request)).rejects.toMatchObject({
      message: expect.stringContaining("auth:update-role:project:*"),
    });
    expect(
      await withScopes("auth:update-role:project:*", "auth:get-role:repo:*").previewRole(request),
    ).toMatchObject({
      clients: [],
      affectedClients: 1,
      hiddenClients: 1,
      roles: [{ roleId: "repo:*" }],
      affectedRoles: 2,
      hiddenRoles: 1,
    });
  });

  test("says why a change of the role anonymous has no effect while access is closed", async () => {
    expect(await preview("anonymous", ["a:b"])).toMatchObject({
      affectedClients: 0,
      note: expect.stringContaining("has no effect"),
    });
  });
});
