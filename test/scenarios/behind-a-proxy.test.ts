// Commands and workers in a network that reaches the server only through a proxy.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { forwardProxy, type ForwardProxy } from "../support/forward-proxy.ts";
import { startTaskyard, temporaryHome } from "../support/process.ts";
import { testStack, type Stack } from "../support/stack.ts";
import { eventually } from "../support/until.ts";

// A name that does not resolve: only the proxy knows it.
const host = "taskyard.invalid";
const rootUrl = `http://${host}`;
let stack: Stack;
let proxy: ForwardProxy;
let env: Record<string, string>;
beforeAll(async () => {
  stack = await testStack({ config: { server: { hostNames: [host] } } });
  proxy = await forwardProxy(stack.rootUrl);
  env = { ...stack.env, TASKCLUSTER_ROOT_URL: rootUrl };
});
afterAll(async () => {
  await proxy.close();
  await stack.stop();
});

const start = async (args: readonly string[], variables: Record<string, string>) =>
  startTaskyard(args, { home: await temporaryHome(), env: { ...env, ...variables } });

test.each(["HTTP_PROXY", "http_proxy"])("a command uses the proxy of %s", async (name) => {
  const ping = await start(["ping"], { [name]: proxy.url });
  expect(await ping.exitStatus(), ping.output()).toBe(0);
  expect(proxy.requests).toContain(`GET ${rootUrl}/api/queue/v1/__heartbeat__`);
});

test("without a proxy, or with NO_PROXY, a command does not reach such a server", async () => {
  for (const variables of [{}, { HTTP_PROXY: proxy.url, NO_PROXY: "example.com,.invalid" }]) {
    const ping = await start(["ping"], { ...variables });
    expect(await ping.exitStatus()).toBe(1);
    expect(ping.output()).toContain(host);
  }
});

test("this machine itself is not looked for behind the proxy", async () => {
  for (const TASKCLUSTER_ROOT_URL of [stack.rootUrl, stack.rootUrl.replace("localhost", "127.0.0.1")]) {
    const before = proxy.requests.length;
    const ping = await start(["ping"], { HTTP_PROXY: proxy.url, TASKCLUSTER_ROOT_URL });
    expect(await ping.exitStatus(), ping.output()).toBe(0);
    expect(proxy.requests).toHaveLength(before);
  }
});

test("https goes through a tunnel", async () => {
  const ping = await start(["ping"], {
    HTTPS_PROXY: proxy.url,
    TASKCLUSTER_ROOT_URL: `https://${host}`,
  });
  expect(await ping.exitStatus()).toBe(1);
  await eventually(() => expect(proxy.requests).toContain(`CONNECT ${host}:443`));
});

test("what is not the URL of a proxy is refused without showing its password", async () => {
  const ping = await start(["ping"], { HTTPS_PROXY: "user:hidden@proxy" });
  expect(await ping.exitStatus()).toBe(1);
  expect(ping.output()).toContain("error: The environment variable HTTPS_PROXY is not the URL of a proxy");
  expect(ping.output()).not.toContain("hidden");
});

test("a worker claims, uploads artifacts and logs, gets a folder, and follows events through the proxy", async () => {
  const before = proxy.requests.length;
  const worker = await start(["worker", "--task-queue", "behind/proxy"], { http_proxy: proxy.url });
  onTestFinished(() => worker.signal("SIGTERM"));
  const home = await temporaryHome();
  await writeFile(join(home, "file"), "through");
  const run = startTaskyard(["run", "--cwd-tarball", "--task-queue", "behind/proxy", "--", "cat", "file"], {
    home,
    env: { ...env, http_proxy: proxy.url },
  });
  expect(await run.exitStatus(), run.output() + worker.output()).toBe(0);
  expect(run.output()).toContain("through");
  worker.signal("SIGTERM");
  await worker.exitStatus();
  const seen = proxy.requests.slice(before).join("\n");
  expect(seen).toMatch(/^POST http:\/\/taskyard\.invalid\/api\/queue\/v1\/claim-work/m);
  expect(seen).toMatch(/^PUT http:\/\/taskyard\.invalid\/\S*live_backing/m);
  for (const method of ["PUT", "GET"])
    expect(seen).toMatch(new RegExp(`^${method} http://taskyard\\.invalid/\\S*\\.tar\\.gz`, "m"));
  expect(seen).toMatch(/^GET http:\/\/taskyard\.invalid\/api\/events\/v1\/connect/m);
});
