// Taskcluster's JavaScript client drives every method of the auth service. No code of ours runs in the client.
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ApiReference } from "../../src/api/references/api-reference.ts";
import type { services } from "../../src/api/services.ts";
import { testStack, type Stack } from "../support/stack.ts";
import { peer, type PeerCredentials, type PeerError, type PeerService } from "./peer-client.ts";

const SECRET = "the-secret-of-the-websocktunnel";
type PeerAuth = PeerService<(typeof services)["auth"]>;

let stack: Stack;
/** Returns a client made from the reference that the server publishes, since version 55 lacks some methods. */
let publishedAs: (authorizedScopes?: readonly string[]) => PeerAuth;
beforeAll(async () => {
  stack = await testStack({ config: { auth: { websocktunnelSecret: SECRET } } });
  const reference = await fetch(`${stack.rootUrl}/references/auth/v1/api.json`);
  const Auth = peer.createClient<"auth">((await reference.json()) as ApiReference, "Auth");
  publishedAs = (authorizedScopes) =>
    new Auth({
      rootUrl: stack.rootUrl,
      credentials: stack.rootCredentials,
      retries: 0,
      ...(authorizedScopes && { authorizedScopes }),
    });
});
afterAll(() => stack.stop());

const authAs = (credentials: PeerCredentials, authorizedScopes?: readonly string[]): PeerAuth =>
  new peer.Auth({
    rootUrl: stack.rootUrl,
    credentials,
    retries: 0,
    ...(authorizedScopes && { authorizedScopes }),
  });
const root = (): PeerAuth => authAs(stack.rootCredentials);
const errorOf = (call: Promise<unknown>): Promise<PeerError> =>
  call.then(
    () => expect.unreachable("the call was not refused"),
    (err: unknown) => err as PeerError,
  );
type Name = keyof (typeof services)["auth"]["endpoints"];
const lacking: readonly Name[] = ["getEntityHistory", "listAuditHistory", "githubRepoToken"];
const called = new Set<Name>();
/** Calls a method as root. */
function call<N extends Name>(name: N, ...args: readonly unknown[]): ReturnType<PeerAuth[N]> {
  called.add(name);
  const client = lacking.includes(name) ? publishedAs() : root();
  return client[name](...args) as ReturnType<PeerAuth[N]>;
}

describe("taskcluster-client", () => {
  it("manages clients", async () => {
    const clientId = "project/x/client";
    const body = { expires: peer.fromNow("1 hour"), description: "A client", scopes: ["a:*"] };
    const created = await call("createClient", clientId, body);
    expect(created).toMatchObject({ clientId, scopes: ["a:*"], expandedScopes: ["a:*"] });
    expect((await authAs(created).currentScopes()).scopes).toContain("a:*");
    expect(await call("client", clientId)).toMatchObject({ clientId, disabled: false });
    const updated = await call("updateClient", clientId, { ...body, scopes: ["b"], description: "Changed" });
    expect(updated).toMatchObject({ scopes: ["b"], description: "Changed" });
    expect(await call("disableClient", clientId)).toMatchObject({ disabled: true });
    expect((await errorOf(authAs(created).currentScopes())).message).toContain("is disabled");
    expect(await call("enableClient", clientId)).toMatchObject({ disabled: false });
    const reset = await call("resetAccessToken", clientId);
    expect((await authAs(reset).currentScopes()).scopes).toContain("b");
    const listed: unknown[] = [];
    let continuationToken: string | undefined;
    do {
      const more = continuationToken !== undefined && { continuationToken };
      const page = await call("listClients", { prefix: "static/", limit: 1, ...more });
      listed.push(...page.clients.map((client) => client.clientId));
      ({ continuationToken } = page);
    } while (continuationToken !== undefined && listed.length < 20);
    expect(listed).toEqual(expect.arrayContaining(["static/taskcluster/queue", "static/taskcluster/root"]));
    expect(await call("listAuditHistory", stack.rootCredentials.clientId)).toMatchObject({
      auditHistory: expect.arrayContaining([expect.objectContaining({ entityId: clientId })]),
    });
    const history = await call("getEntityHistory", "client", clientId);
    expect(history.auditHistory.map(({ actionType }) => actionType)).toEqual([
      "reset-access-token",
      "enabled",
      "disabled",
      "updated",
      "created",
    ]);
    await call("deleteClient", clientId);
    expect(await errorOf(call("client", clientId))).toMatchObject({ statusCode: 404 });
  });

  it("manages roles", async () => {
    const roleId = "repo:github.com/org/*";
    const role = { description: "A role", scopes: ["queue:route:<..>", "b"] };
    expect(await call("createRole", roleId, role)).toMatchObject({ scopes: ["b", "queue:route:<..>"] });
    const updated = await call("updateRole", roleId, { ...role, scopes: ["queue:route:x.<..>"] });
    expect(updated).toMatchObject({ roleId, scopes: ["queue:route:x.<..>"] });
    expect(await call("role", roleId)).toEqual(updated);
    expect(await call("expandScopes", { scopes: ["assume:repo:github.com/org/a"] })).toEqual({
      scopes: ["assume:repo:github.com/org/a", "queue:route:x.a"],
    });
    const ids = ["anonymous", roleId];
    expect(await call("listRoleIds")).toEqual({ roleIds: ids });
    expect(await call("listRoles")).toMatchObject(ids.map((id) => ({ roleId: id })));
    expect(await call("listRoles2", { limit: 1 })).toMatchObject({
      roles: [{ roleId: "anonymous" }],
      continuationToken: expect.any(String),
    });
    await call("deleteRole", roleId);
    expect(await errorOf(call("role", roleId))).toMatchObject({ code: "ResourceNotFound" });
  });

  it("checks scopes and signatures", async () => {
    expect(await call("currentScopes")).toEqual({ scopes: ["*"] });
    const request = { method: "get", resource: "/", host: "example.com", port: 443 };
    expect(await call("authenticateHawk", request)).toMatchObject({ status: "no-auth" });
    const tester = authAs({ clientId: "tester", accessToken: "no-secret" });
    expect(await tester.testAuthenticate({ clientScopes: ["a"], requiredScopes: ["a"] })).toMatchObject({
      clientId: "tester",
    });
    expect(await tester.testAuthenticateGet()).toMatchObject({ clientId: "tester" });
  });

  it("gets a token for websocktunnel that names the caller", async () => {
    const { token, expires, ...rest } = await call("websocktunnelToken", "audience", "group.worker");
    expect(rest).toEqual({ wstAudience: "audience", wstClient: "group.worker" });
    const [head = "", claims = "", signature] = token.split(".");
    const decoded = (part: string): unknown => JSON.parse(Buffer.from(part, "base64url").toString());
    expect(decoded(head)).toEqual({ alg: "HS256", typ: "JWT" });
    const now = Math.floor(Date.now() / 1000);
    const { iat, exp, nbf, ...named } = decoded(claims) as { iat: number; exp: number; nbf: number };
    expect(named).toEqual({
      iss: "taskcluster-auth",
      sub: stack.rootCredentials.clientId,
      aud: "audience",
      tid: "group.worker",
    });
    expect(Math.abs(iat - now)).toBeLessThan(60);
    expect([exp - iat, iat - nbf]).toEqual([96 * 3600, 15 * 60]);
    expect(Date.parse(expires)).toBe(exp * 1000);
    expect(signature).toBe(createHmac("sha256", SECRET).update(`${head}.${claims}`).digest("base64url"));
  });

  it.each<[Name, readonly unknown[], string]>([
    ["awsS3Credentials", ["read-only", "bucket", "a/b"], "auth:aws-s3:read-write:bucket/a/b"],
    ["azureAccounts", [], "auth:azure-table:list-accounts"],
    ["azureTables", ["account"], "auth:azure-table:list-tables:account"],
    ["azureTableSAS", ["account", "table", "read-write"], "auth:azure-table:read-write:account/table"],
    ["azureContainers", ["account"], "auth:azure-container:list-containers:account"],
    ["azureContainerSAS", ["account", "c", "read-only"], "auth:azure-container:read-only:account/c"],
    ["sentryDSN", ["project"], "auth:sentry:project"],
    ["gcpCredentials", ["-", "service@example.com"], "auth:gcp:access-token:-/service@example.com"],
    [
      "githubRepoToken",
      ["app", "owner", { repositories: ["repo"], permissions: { contents: "read" } }],
      "auth:github-repo-token:app/owner/repo:contents:read",
    ],
  ])("gets no credentials by %s, which checks its scopes first", async (name, args, scope) => {
    expect(await errorOf(call(name, ...args))).toMatchObject({
      statusCode: 404,
      message: expect.stringContaining("not configured on this deployment"),
    });
    const as = (scopes: readonly string[]) => publishedAs(scopes)[name](...args);
    expect(await errorOf(as([scope]))).toMatchObject({ code: "ResourceNotFound" });
    expect(await errorOf(as([`${scope}x`]))).toMatchObject({ code: "InsufficientScopes" });
  });

  it("has been tried with every method that Taskcluster has", () => {
    const facts = readFileSync(join(import.meta.dirname, "facts", "auth.json"), "utf8");
    const { api } = JSON.parse(facts) as { api: { name: string }[] };
    const others = ["ping", "lbheartbeat", "version", "heartbeat", "testAuthenticate", "testAuthenticateGet"];
    expect([...called, ...others].toSorted()).toEqual(api.map(({ name }) => name).toSorted());
  });
});
