// The auth service over HTTP, called with Taskcluster's client for Node.
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  peerAuth,
  peerHeader,
  peerTemporaryCredentials,
  type PeerClientOptions,
} from "../../../../../test/support/hawk-peer.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
const root = { clientId: "static/taskcluster/root", accessToken: "test-root-token-0123456789" };
const tool = { clientId: "static/tool", accessToken: "the-token-of-the-static-tool" };
const tester = { clientId: "tester", accessToken: "no-secret" };

let stack: Stack;
let rootUrl = "";
beforeAll(async () => {
  stack = await testStack({
    config: {
      access: "closed",
      auth: {
        anonymousScopes: ["auth:get-client:*", "auth:expand-scopes"],
        staticClients: [{ ...tool, description: "A tool", scopes: ["auth:current-scopes", "b:*", "b:c"] }],
      },
    },
  });
  ({ rootUrl } = stack);
});
afterAll(() => stack.stop());

const auth = (options: Omit<PeerClientOptions, "rootUrl"> = {}) =>
  peerAuth({ rootUrl, credentials: { clientId: "", accessToken: "" }, ...options });

const temporary = (
  credentials: { clientId: string; accessToken: string },
  scopes: readonly string[],
  clientId?: string,
) =>
  peerTemporaryCredentials({
    ...(clientId !== undefined && { clientId }),
    credentials,
    scopes,
    start: new Date(Date.now() - 60_000),
    expiry: new Date(Date.now() + 600_000),
  });

test("scopes are expanded and sorted", async () => {
  expect(await auth().expandScopes({ scopes: ["b", "a*", "assume:anonymous"] })).toEqual({
    scopes: ["a*", "b"],
  });
  expect(await auth().expandScopes({ scopes: ["b", "assume:anonymous"] })).toEqual({
    scopes: ["assume:anonymous", "auth:expand-scopes", "auth:get-client:*", "b"],
  });
});

test("lists of scopes that are longer than any client's are refused", async () => {
  const some = Array.from({ length: 12_000 }, (_, i) => `a:${i}:${"x".repeat(8)}`);
  expect((await auth({ credentials: root }).expandScopes({ scopes: some })).scopes).toHaveLength(12_000);
  const many = some.map((scope) => `${scope}${"x".repeat(8)}`);
  await expect(auth({ credentials: root }).expandScopes({ scopes: many })).rejects.toMatchObject({
    statusCode: 413,
    message: expect.stringContaining("larger than the limit of 262144 bytes"),
  });
  // Its credentials are valid only for this method, and only after the body was read.
  const testing = auth({ credentials: tester }).testAuthenticate({ clientScopes: many, requiredScopes: [] });
  await expect(testing).rejects.toMatchObject({ statusCode: 401 });
});

test("currentScopes returns the caller's scopes, restricted to authorizedScopes", async () => {
  expect(await auth({ credentials: root }).currentScopes()).toEqual({ scopes: ["*"] });
  const anonymous = ["assume:anonymous", "auth:current-scopes", "auth:expand-scopes", "auth:get-client:*"];
  expect(await auth({ credentials: tool }).currentScopes()).toEqual({ scopes: [...anonymous, "b:*"] });
  const some = { credentials: tool, authorizedScopes: ["b:x", "auth:current-scopes"] };
  expect(await auth(some).currentScopes()).toEqual({ scopes: [...anonymous, "b:x"] });
  await expect(auth().currentScopes()).rejects.toMatchObject({
    statusCode: 403,
    message: expect.stringContaining("requires Taskcluster credentials that satisfy"),
  });
});

test("authenticateHawk checks the signature of another request", async () => {
  const credentials = { id: tool.clientId, key: tool.accessToken };
  const url = "http://ci.example.com/some/path";
  const request = { method: "put", resource: "/some/path", host: "ci.example.com", port: 80 };
  const authorization = peerHeader(url, "PUT", credentials, { payload: "{}" });
  const checked = await auth().authenticateHawk({ ...request, authorization, sourceIp: "127.0.0.1" });
  expect(checked).toEqual({
    status: "auth-success",
    scheme: "hawk",
    clientId: "static/tool",
    scopes: ["assume:anonymous", "auth:current-scopes", "auth:expand-scopes", "auth:get-client:*", "b:*"],
    expires: expect.stringMatching(/^3\d{3}-.*Z$/),
    hash: "XtNvx1FqrUYVOLlne3l2WzcyRfj9QeC6YtmhMKKFMGY=",
  });
  expect(await auth().authenticateHawk({ ...request, port: 81, authorization })).toEqual({
    status: "auth-failed",
    message: "Unauthorized: Bad mac",
  });
  expect(await auth().authenticateHawk(request)).toEqual({
    status: "no-auth",
    scheme: "none",
    scopes: ["assume:anonymous", "auth:expand-scopes", "auth:get-client:*"],
    expires: expect.stringMatching(/^\d{4}-.*Z$/),
  });
});

test("invalid credentials are ignored by methods that require none", async () => {
  const wrong = { credentials: { clientId: "nobody", accessToken: "nothing" } };
  expect(await auth(wrong).ping()).toMatchObject({ alive: true });
  await expect(auth(wrong).client("static/tool")).rejects.toMatchObject({
    statusCode: 401,
    code: "AuthenticationFailed",
    message: expect.stringContaining("Client with clientId 'nobody' not found"),
  });
});

test("clients can test signing", async () => {
  const body = { clientScopes: ["test:*"], requiredScopes: ["test:a"] };
  expect(await auth({ credentials: tester }).testAuthenticate(body)).toEqual({
    clientId: "tester",
    scopes: ["assume:anonymous", "test:*"],
  });
  await expect(
    auth({ credentials: tester }).testAuthenticate({ ...body, requiredScopes: ["test:a", "other"] }),
  ).rejects.toMatchObject({
    statusCode: 403,
    message: expect.stringMatching(/^Client ID tester does not have sufficient scopes .*\n\n```\nother\n```/),
  });
  await expect(auth({ credentials: root }).testAuthenticate(body)).rejects.toMatchObject({
    statusCode: 401,
    message: expect.stringContaining("Client with clientId 'static/taskcluster/root' not found"),
  });
  await expect(auth().testAuthenticate(body)).rejects.toMatchObject({
    statusCode: 401,
    message: expect.stringContaining("sign it as 'tester' with the access token 'no-secret'"),
  });
});

test("clients can test temporary credentials and authorizedScopes", async () => {
  const body = { clientScopes: ["test:*", "auth:create-client:test:*"], requiredScopes: ["test:a:b"] };
  const unnamed = { credentials: temporary(tester, ["test:a:*"]) };
  expect(await auth(unnamed).testAuthenticate(body)).toEqual({
    clientId: "tester",
    scopes: ["assume:anonymous", "test:a:*"],
  });
  const named = { credentials: temporary(tester, ["test:a:*"], "test:me"), authorizedScopes: ["test:a:b"] };
  expect(await auth(named).testAuthenticate(body)).toEqual({
    clientId: "test:me",
    scopes: ["assume:anonymous", "test:a:b"],
  });
  const foreign = { credentials: temporary(tester, ["test:a:*"], "other:me") };
  await expect(auth(foreign).testAuthenticate(body)).rejects.toMatchObject({
    statusCode: 401,
    message: expect.stringContaining("doesn't have `auth:create-client:other:me` for supplied clientId."),
  });
});

test("clients can test GET and signed URLs", async () => {
  const client = auth({ credentials: tester });
  const expected = {
    clientId: "tester",
    scopes: ["assume:anonymous", "auth:create-client:test:*", "test:*"],
  };
  expect(await client.testAuthenticateGet()).toEqual(expected);
  const url = client.buildSignedUrl(client.testAuthenticateGet);
  expect(await (await fetch(url)).json()).toEqual(expected);
  const named = auth({ credentials: temporary(tester, ["test:authenticate-get"], "test:me") });
  const namedUrl = named.buildSignedUrl(named.testAuthenticateGet);
  expect(await (await fetch(namedUrl)).json()).toMatchObject({ clientId: "test:me" });
  const posted = await fetch(url, { method: "POST" });
  expect(posted.status).toBe(404);
});
