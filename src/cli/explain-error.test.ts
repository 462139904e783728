// What the command line adds to the errors of servers and of the system.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "../../test/support/captured-io.ts";
import { scriptedServer } from "../../test/support/scripted-server.ts";
import { createTask } from "../../test/support/factories.ts";
import { testStack, type Stack } from "../../test/support/stack.ts";
import { explainError } from "./explain-error.ts";

describe("a refusal of the server", () => {
  let stack: Stack;
  const reader = {
    clientId: "static/reader",
    accessToken: "reader-reader-reader-reader",
    description: "reads",
    scopes: ["queue:status:*"],
  };
  beforeAll(async () => {
    stack = await testStack({
      roles: ["api"],
      config: { auth: { anonymousScopes: [], staticClients: [reader] } },
    });
  });
  afterAll(() => stack.stop());

  test("for missing credentials names the command that sets them, and no scopes", async () => {
    const { status, err } = await runCli(["queue", "list"], {
      env: { TASKCLUSTER_ROOT_URL: stack.rootUrl },
    });
    expect(err).toBe(
      'error: queue.taskQueueOverview requires credentials: `eval "$(taskyard env)"` sets those of the local server; for ' +
        "another, set TASKCLUSTER_CLIENT_ID and TASKCLUSTER_ACCESS_TOKEN\n",
    );
    expect(status).toBe(1);
  });

  test("for missing scopes prints them once, and the fewest that suffice", async () => {
    const taskId = await createTask(stack.client);
    const { err } = await runCli(["task", "cancel", taskId], {
      env: {
        TASKCLUSTER_ROOT_URL: stack.rootUrl,
        TASKCLUSTER_CLIENT_ID: reader.clientId,
        TASKCLUSTER_ACCESS_TOKEN: reader.accessToken,
      },
    });
    expect(err).toMatch(/Client ID static\/reader/);
    expect(err.match(/sufficient scopes/g)).toHaveLength(1);
    expect(err).toMatch(/or have `queue:cancel-task:[^`]+` added to the client\./);
  });

  test("for a wrong access token says which credentials were used", async () => {
    const { err } = await runCli(["queue", "list"], {
      env: { ...stack.env, TASKCLUSTER_ACCESS_TOKEN: "x".repeat(44) },
    });
    expect(err).toContain("Unauthorized: Bad mac. Check the access token and the root URL");
    expect(err).toContain("The command used the credentials of TASKCLUSTER_CLIENT_ID (static/");
    expect(err).toContain('`eval "$(taskyard env)"`');
  });

  test("to cancel a group that is not sealed names the option", async () => {
    const taskGroupId = await createTask(stack.client);
    const { err, status } = await runCli(["group", "cancel", taskGroupId], { env: stack.env });
    expect(err).toContain(`group ${taskGroupId} is not sealed`);
    expect(err).toContain("use --seal to seal it first");
    expect(status).toBe(1);
    expect((await runCli(["group", "cancel", "--seal", taskGroupId], { env: stack.env })).status).toBe(0);
  });

  test("for a root URL with a path names the path", async () => {
    const rootUrl = `${stack.client.rootUrl}/api`;
    const { err } = await runCli(["ping"], { env: { ...stack.env, TASKCLUSTER_ROOT_URL: rootUrl } });
    expect(err).toContain(`TASKCLUSTER_ROOT_URL is ${rootUrl}: remove its path`);
  });
});

test("a URL that is no Taskyard server is named as such", async () => {
  const { rootUrl, close } = await scriptedServer((response) =>
    response.writeHead(404, "File not found", { "content-type": "text/html" }).end("<h1>not here</h1>"),
  );
  const { err, status } = await runCli(["ping"], { env: { TASKCLUSTER_ROOT_URL: rootUrl } });
  await close();
  expect(err).toContain(`${rootUrl} is no Taskyard server, or something in between replies for it`);
  expect(err).toContain("check TASKCLUSTER_ROOT_URL");
  expect(status).toBe(1);
});

test.each([
  [{ code: "ENOENT", path: "/a/b" }, "/a/b does not exist: create it, or check the path"],
  [
    { code: "EACCES", path: "/a/b" },
    "no permission for /a/b: choose another place, or change its permissions",
  ],
  [{ code: "ENOSPC", path: "/a/b" }, "the disk of /a/b is full: free some space, or choose another place"],
  [
    { code: "EADDRINUSE", address: "127.0.0.1", port: 80 },
    "127.0.0.1:80 is in use by another process: choose another port",
  ],
  [{ code: "EUNKNOWN", path: "/a/b" }, "the raw message"],
])("the system error %j is explained", (properties, text) => {
  expect(explainError(Object.assign(new Error("the raw message"), properties), { env: {} })).toBe(text);
});
