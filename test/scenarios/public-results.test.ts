// What strangers learn from an instance with `access: results`, the default of one on a developer's machine.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exchangeName, type Service } from "../../src/api/service.ts";
import { services } from "../../src/api/services.ts";
import { runCli } from "../support/captured-io.ts";
import { exampleRequest, methods } from "../support/contract-calls.ts";
import { createTask } from "../support/factories.ts";
import { mark } from "../support/private-data.ts";
import { rawText } from "../support/raw-call.ts";
import { testStack, type Stack } from "../support/stack.ts";
import { streamOf } from "../support/event-stream-path.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { eventually } from "../support/until.ts";
import { startTestWorker, type TestWorker } from "../support/worker.ts";

const stream = streamOf("exchange/taskcluster-queue/v1/task-pending");

let stack: Stack;
let worker: TestWorker;
beforeAll(async () => {
  stack = await testStack({ config: { access: "results", queue: { claimWorkTimeout: 50 } } });
  const client = stack.as(stack.rootCredentials);
  worker = await startTestWorker(stack.rootUrl, { client, taskQueueId: "local/default" });
});
afterAll(async () => {
  await worker.end();
  await stack.stop();
});

/** Sends a request without credentials. */
const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
  rawText(stack.rootUrl, { method: "GET", path, headers });

test("shows states, logs, events and metrics, but no source, upload URL or environment", async () => {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, "src"));
  await writeFile(join(cwd, "src", "secret"), mark);
  const line = [
    "run",
    "--json",
    "--cwd-tarball",
    "-e",
    `TOKEN=${mark}`,
    "-a",
    "src/",
    "--",
    "sh",
    "-c",
    "echo public; rm src/*; echo ok > src/ok",
  ];
  const { out } = await runCli(line, { cwd, env: stack.env });
  const { taskId } = JSON.parse(out) as { taskId: string };
  const [source = ""] = (await stack.client.queue.task({ taskId })).dependencies;
  const known = {
    taskId: [taskId],
    taskGroupId: [source],
    runId: ["0"],
    taskQueueId: ["local/default"],
    provisionerId: ["local"],
    workerType: ["default"],
    workerGroup: ["test-group"],
    workerId: ["test-worker"],
    name: ["public/src/ok"],
  };
  const ofSource = { ...known, taskId: [source], name: [`taskyard/source/${source}.tar.gz`] };
  const allowed = new Set<string>();
  for (const method of methods)
    for (const of of [known, ofSource]) {
      const { status, text } = await rawText(stack.rootUrl, exampleRequest(method, of));
      expect(text, method.name).not.toContain(mark);
      if (of === known && status < 400) allowed.add(method.name);
      if (
        of === ofSource &&
        !/^queue\.(status|statuses|why|list|artifactInfo|latestArtifactInfo)/.test(method.name)
      )
        expect(text, method.name).not.toContain("/artifact-store/");
    }
  for (const name of ["status", "why", "listLatestArtifacts", "getWorker"])
    expect(allowed).toContain(`queue.${name}`);
  for (const name of ["task", "tasks", "listTaskGroup", "listDependentTasks", "taskGroupTimeline"])
    expect(allowed).not.toContain(`queue.${name}`);
  expect(
    [...allowed].filter((name) => name.startsWith("auth.") && !/heartbeat$|ping$|version$/.test(name)),
  ).toEqual(["auth.currentScopes"]);
  for (const name of ["createTask", "createTasks", "cancelTask", "claimWork", "createArtifact"])
    expect(allowed).not.toContain(`queue.${name}`);
  const { text: log } = await get(
    `/api/queue/v1/task/${taskId}/runs/0/artifacts/public/logs/live_backing.log`,
  );
  const content = await (await fetch((JSON.parse(log) as { url: string }).url)).text();
  expect(content).toContain("public\n");
  expect(content).not.toContain(mark);
  expect((await get("/metrics")).text).toContain("http_requests_total");
});

test("sends events of tasks, but those of clients, roles and pools only to callers who may list these", async () => {
  const all: readonly Service[] = Object.values(services);
  for (const service of all)
    for (const declared of Object.values(service.exchanges)) {
      const path = streamOf(exchangeName(service, declared));
      const { status } = await rawText(stack.rootUrl, { method: "HEAD", path });
      expect(`${path} ${status}`).toBe(`${path} ${service.name === "queue" ? 200 : 403}`);
      if (declared.scope === undefined) continue;
      const reader = { credentials: stack.rootCredentials, authorizedScopes: [declared.scope] };
      expect((await rawText(stack.rootUrl, { method: "HEAD", path, ...reader })).status).toBe(200);
    }
});

test("sends events to programs, but not to web pages of other sites", async () => {
  await createTask(stack.client, { payload: { env: { TOKEN: mark } } });
  await eventually(async () => {
    const response = await fetch(stack.rootUrl + stream);
    const reader = response.body?.getReader();
    let text = "";
    while (!text.includes("task-pending"))
      text += Buffer.from((await reader?.read())?.value ?? []).toString();
    await reader?.cancel();
    expect(text).not.toContain(mark);
  });
  const headers = { origin: "https://evil.example.com" };
  expect((await get(stream, headers)).status).toBe(403);
  expect((await get("/metrics", headers)).status).toBe(403);
});
