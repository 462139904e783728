// Tokens as other systems see them: `jose` finds the keys by the configuration that the server publishes.
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import Type from "typebox";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { manualClock } from "../../../../test/support/clock.ts";
import { claimOne, createTask } from "../../../../test/support/factories.ts";
import { rawCall } from "../../../../test/support/raw-call.ts";
import { runningTask } from "../../../../test/support/running-task.ts";
import { testStack, type Stack } from "../../../../test/support/stack.ts";
import type { TaskDefinitionRequest } from "../../../api/queue/task.ts";
import type { Client } from "../../../client/index.ts";
import { sql } from "../../core/sql.ts";
import { createTemporaryCredentials } from "../auth/index.ts";

const minute = 60_000;
const audience = "https://cloud.example.com/pools/a?b=c&d=%25";
const scopes = ["auth:oidc-token:*"];
const clock = manualClock(Date.UTC(2026, 0, 1, 12));
let stack: Stack;
beforeAll(async () => {
  stack = await testStack({ clock, manualLoops: true, config: { access: "closed" } });
});
afterAll(() => stack.stop());

const tokenOf = async (client: Client, of = audience): Promise<string> =>
  (await client.identity.oidcToken({ audience: of })).token;
const task = (overrides: Partial<TaskDefinitionRequest> = {}) =>
  runningTask(stack, { scopes, ...overrides }, clock.now());

/** Verifies a token like a system that knows nothing but the issuer. */
async function verified(token: string, of = audience) {
  const found = await fetch(`${stack.rootUrl}/.well-known/openid-configuration`);
  const { issuer, jwks_uri } = (await found.json()) as { issuer: string; jwks_uri: string };
  expect(issuer).toBe(stack.rootUrl);
  const options = { issuer, audience: of, algorithms: ["RS256"], currentDate: new Date(clock.now()) };
  return (await jwtVerify(token, createRemoteJWKSet(new URL(jwks_uri)), options)).payload;
}

describe("a token", () => {
  it("names the task, and another system can verify it", async () => {
    const taskQueueId = "test/named";
    const taskId = await createTask(
      stack.client,
      { scopes, taskQueueId, projectId: "org/app", schedulerId: "ci" },
      clock.now(),
    );
    const claim = await claimOne(stack.client, taskQueueId);
    const { token, expires } = await stack.as(claim.credentials).identity.oidcToken({ audience });
    const claims = await verified(token);
    const now = clock.now() / 1000;
    expect(claims).toEqual({
      iss: stack.rootUrl,
      sub: "project:org/app:scheduler:ci:queue:test/named",
      aud: audience,
      exp: now + 15 * 60,
      iat: now,
      nbf: now - 60,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      task_id: taskId,
      run_id: "0",
      task_group_id: taskId,
      project_id: "org/app",
      scheduler_id: "ci",
      task_queue_id: "test/named",
      provisioner_id: "test",
      worker_type: "named",
      worker_group: "group",
      worker_id: "worker",
    });
    expect(new Date(expires).getTime()).toBe((claims.exp ?? 0) * 1000);
    expect(decodeProtectedHeader(token)).toEqual({ alg: "RS256", typ: "JWT", kid: expect.any(String) });
    const configuration = await fetch(`${stack.rootUrl}/.well-known/openid-configuration`);
    const { claims_supported } = (await configuration.json()) as { claims_supported: string[] };
    expect(Object.keys(claims).toSorted()).toEqual(claims_supported.toSorted());
  });

  it("is refused by a verifier for another audience, after its expiry, and if it was changed", async () => {
    const token = await tokenOf((await task()).worker);
    await expect(verified(token, "https://other.example.com")).rejects.toThrow(
      'unexpected "aud" claim value',
    );
    const [header = "", payload = "", signature = ""] = token.split(".");
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as object;
    const forged = Buffer.from(JSON.stringify({ ...claims, project_id: "x" })).toString("base64url");
    await expect(verified(`${header}.${forged}.${signature}`)).rejects.toThrow(
      "signature verification failed",
    );
    await clock.advance(15 * minute);
    await expect(verified(token)).rejects.toThrow('"exp" claim timestamp check failed');
  });

  it("ends with the claim, the deadline and the credentials", async () => {
    const claimed = await task();
    const claimEnd = clock.now() + 20 * minute;
    await clock.advance(15 * minute);
    expect((await verified(await tokenOf(claimed.worker))).exp).toBe(claimEnd / 1000);

    const due = clock.now() + 2 * minute + 999;
    const short = await task({ deadline: new Date(due).toISOString() });
    expect((await verified(await tokenOf(short.worker))).exp).toBe(Math.floor(due / 1000));
    // Credentials are accepted for five minutes after they end, and must not give tokens then.
    await clock.advance(6 * minute);
    await stack.client.queue.reclaimTask(claimed.run);
    await expect(tokenOf(claimed.worker)).rejects.toMatchObject({
      code: "AccessDenied",
      message: expect.stringContaining("these credentials have expired"),
    });
  });

  it("is not in the log, and the private key is in no reply, log record or dump of the database", async () => {
    const token = await tokenOf((await task()).worker);
    const logged = JSON.stringify(stack.records);
    expect(logged).toContain("issued a token to a task");
    expect(logged).not.toContain(token.split(".")[2]);
    const jwks = await fetch(`${stack.rootUrl}/.well-known/jwks.json`);
    const { keys } = (await jwks.json()) as { keys: object[] };
    expect(keys.map((key) => Object.keys(key).toSorted())).toEqual([["alg", "e", "kid", "kty", "n", "use"]]);
    expect(logged).not.toContain("PRIVATE KEY");
    const rows = await stack.database.db.many(
      Type.Object({ row: Type.String() }),
      sql`select k::text as row from oidc_keys k`,
    );
    expect(rows).toEqual([{ row: expect.stringMatching(/v1:[\w-]+:/) }]);
    expect(JSON.stringify(rows)).not.toContain("PRIVATE KEY");
  });
});

describe("refused are", () => {
  const expectRefusal = (of: Client, error: object, asked = audience) =>
    expect(tokenOf(of, asked)).rejects.toMatchObject(error);

  test("callers without the scope, also for another audience", async () => {
    const { worker } = await task({ scopes: ["auth:oidc-token:https://a.example.com"] });
    expect(
      await verified(await tokenOf(worker, "https://a.example.com"), "https://a.example.com"),
    ).toBeDefined();
    await expectRefusal(worker, { code: "InsufficientScopes" }, "https://a.example.com/b");
    await expectRefusal(stack.as(undefined), { code: "InsufficientScopes" });
  });

  test("clients that are no task", async () => {
    await expectRefusal(stack.client, {
      code: "AccessDenied",
      statusCode: 403,
      message: expect.stringContaining(
        "Only a running task can call this, with the credentials that the queue issued for its run. These are credentials of static/taskcluster/root: call this from a task.",
      ),
    });
  });

  test("clients that have the name of a running task, but credentials of somebody else", async () => {
    const { taskId } = await task();
    const clientId = `task-client/${taskId}/0/on/group/worker/until/${clock.now() / 1000 + 60}`;
    const start = clock.now();
    const of = { clientId, scopes, start, expiry: start + 5 * minute };
    const { clientId: issuerId, accessToken } = stack.rootCredentials;
    const issued = createTemporaryCredentials({ ...of, issuer: { clientId: issuerId, accessToken } });
    await expectRefusal(stack.as(issued), { code: "AccessDenied" });
    const created = await stack.client.auth.createClient(
      { clientId },
      { description: "", scopes, expires: new Date(start + 5 * minute).toISOString() },
    );
    await expectRefusal(stack.as({ clientId, accessToken: created.accessToken }), {
      code: "AccessDenied",
    });
  });

  test("tasks that are resolved, and earlier runs", async () => {
    const { run, taskId, worker } = await task();
    await stack.client.queue.reportCompleted(run);
    await expectRefusal(worker, {
      code: "AccessDenied",
      message: expect.stringContaining(`Run 0 of task ${taskId} is not running any more`),
    });
    const canceled = await task();
    await stack.client.queue.cancelTask({ taskId: canceled.taskId });
    await expectRefusal(canceled.worker, { code: "AccessDenied" });
    await stack.client.queue.rerunTask({ taskId });
    await expectRefusal(worker, { code: "AccessDenied" });
  });

  test.each(["a b", "a*", "é", '"', "<a>", "a\\b", "x".repeat(257)])("the audience %j", async (bad) => {
    await expectRefusal((await task()).worker, { code: "InvalidRequestArguments" }, bad);
  });

  test("tasks whose subject would be too long", async () => {
    const { worker } = await task({ projectId: "p".repeat(300) });
    await expectRefusal(worker, { code: "InputError", message: expect.stringContaining("255") });
  });
});

test("the published documents are public, may be cached and are revalidated", async () => {
  for (const path of ["/.well-known/openid-configuration", "/.well-known/jwks.json"]) {
    const reply = await rawCall(stack.rootUrl, { method: "GET", path });
    expect([reply.status, reply.headers.get("cache-control")]).toEqual([200, "public, max-age=300"]);
    const etag = reply.headers.get("etag") ?? "";
    const again = await rawCall(stack.rootUrl, { method: "GET", path, headers: { "if-none-match": etag } });
    expect(again.status).toBe(304);
  }
});
