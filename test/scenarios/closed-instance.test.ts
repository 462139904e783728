// What strangers learn from an instance: every method of the contract, the stream of events, pages, documents, metrics and
// the artifact store, with no credentials, with wrong ones, and with valid ones that have no scopes.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSigner, type Credentials } from "../../src/client/signer.ts";
import { exchangeName, type Service } from "../../src/api/service.ts";
import { services } from "../../src/api/services.ts";
import { slugid } from "../../src/lib/slugid.ts";
import { runCli } from "../support/captured-io.ts";
import {
  createKnown,
  exampleBody,
  exampleParam,
  methods,
  paramsOf,
  pathOf,
  type Known,
  type Method,
} from "../support/contract-calls.ts";
import { createTask } from "../support/factories.ts";
import { fastFetch } from "../support/fast-fetch.ts";
import { testStack, type Stack } from "../support/stack.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { eventually } from "../support/until.ts";
import { startTestWorker, type TestWorker } from "../support/worker.ts";

/** In every text that belongs to somebody, and in no request of this test. */
const mark = "private-3f9c1d";

interface Reply {
  readonly status: number;
  readonly text: string;
}

interface Who {
  readonly credentials?: Credentials;
  readonly authorizedScopes?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

async function send(stack: Stack, method: string, path: string, body: unknown, who: Who): Promise<Reply> {
  const url = stack.rootUrl + path;
  const signer = who.credentials && createSigner(who.credentials, who.authorizedScopes);
  const authorization = await signer?.header(method, url, Date.now());
  const ended = new AbortController();
  const reply = await fastFetch(url, {
    method,
    headers: {
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(authorization !== undefined && { authorization }),
      ...who.headers,
    },
    body: body === undefined ? null : JSON.stringify(body),
    redirect: "manual",
    signal: ended.signal,
  });
  return { status: reply.status, text: await reply.text() };
}

/** Calls a method with parameters that exist. */
function callMethod(
  stack: Stack,
  method: Method,
  known: Known,
  who: Who,
  body = exampleBody(method, known),
): Promise<Reply> {
  const values = paramsOf(method).map((name) => [name, exampleParam(method, name, known)]);
  const path = pathOf(method, Object.fromEntries(values));
  return send(stack, method.of.method, path, body, who);
}

const streamOf = (exchange: string): string =>
  `/api/events/v1/connect?from=start&bindings=${encodeURIComponent(
    JSON.stringify({ bindings: [{ exchange, routingKeyPattern: "#" }] }),
  )}`;
const stream = streamOf("exchange/taskcluster-queue/v1/task-pending");

const documents = [
  "/",
  "/docs/api",
  "/docs/api/queue",
  "/openapi.json",
  "/references/manifest.json",
  "/references/queue/v1/api.json",
  "/references/queue/v1/exchanges.json",
  "/schemas/queue/v1/task.json",
  "/__version__",
  "/__heartbeat__",
  "/__lbheartbeat__",
  "/robots.txt",
];

/** Creates tasks, a group, artifacts, workers and objects with the mark wherever a text may be. */
async function fill(stack: Stack): Promise<{ readonly known: Known; readonly storeUrl: string }> {
  const { client } = stack;
  const known = await createKnown(stack);
  const base = await createTask(client, {
    taskQueueId: "a/b",
    schedulerId: mark,
    projectId: mark,
    routes: [mark],
    scopes: [`${mark}:*`],
    payload: { command: [["echo", mark]], env: { TOKEN: mark } },
    metadata: {
      name: mark,
      description: mark,
      owner: `${mark}@example.com`,
      source: `https://${mark}.example.com`,
    },
    tags: { tag: mark },
    extra: { extra: mark },
  });
  await createTask(client, {
    dependencies: [base],
    schedulerId: mark,
    taskGroupId: base,
    metadata: { name: mark, description: mark, owner: mark, source: `https://${mark}` },
  });
  const run = { taskId: base, runId: 0 };
  await client.queue.claimTask(run, { workerGroup: "g", workerId: "w" });
  const expires = new Date(Date.now() + 3_600_000).toISOString();
  const queue = client.queue;
  await queue.createArtifact(
    { ...run, name: "public/a" },
    { storageType: "reference", expires, contentType: "text/plain", url: `https://${mark}.example.com` },
  );
  await queue.createArtifact(
    { ...run, name: `public/${mark}` },
    { storageType: "error", expires, reason: "file-missing-on-worker", message: mark },
  );
  const stored = await queue.createArtifact(
    { ...run, name: "private" },
    { storageType: "s3", expires, contentType: "text/plain", contentLength: mark.length },
  );
  if (!("putUrl" in stored)) throw new Error("no upload URL");
  await fetch(stored.putUrl, { method: "PUT", body: mark, headers: { "content-type": "text/plain" } });
  await client.object.createUpload(
    { name: "o" },
    {
      projectId: "p",
      uploadId: slugid(),
      expires,
      proposedUploadMethods: {
        dataInline: { contentType: "a/b", objectData: Buffer.from(mark).toString("base64") },
      },
    },
  );
  const worker = { provisionerId: "a", workerType: "b", workerGroup: "g", workerId: "w" };
  await queue.quarantineWorker(worker, { quarantineUntil: expires, quarantineInfo: mark });
  return {
    known: { ...known, taskId: [base], taskGroupId: [base], runId: ["0"] },
    storeUrl: new URL((await queue.getArtifact({ ...run, name: "private" })).url).pathname,
  };
}

describe("a closed instance", () => {
  let stack: Stack;
  let known: Known;
  let storeUrl: string;
  let strangers: Readonly<Record<string, Who>>;
  beforeAll(async () => {
    stack = await testStack({
      roles: ["api"],
      config: {
        access: "closed",
        queue: { claimWorkTimeout: 50 },
        server: { metricsToken: "a-token-for-prometheus" },
        auth: {
          staticClients: [{ clientId: "static/useless", accessToken: "useless-useless-useless", scopes: [] }],
        },
      },
    });
    ({ known, storeUrl } = await fill(stack));
    const { rootCredentials: root } = stack;
    strangers = {
      "no credentials": {},
      "credentials without scopes": {
        credentials: { clientId: "static/useless", accessToken: "useless-useless-useless" },
      },
      "credentials that renounce all scopes": { credentials: root, authorizedScopes: [] },
      "a wrong token": { credentials: { ...root, accessToken: "wrong-wrong-wrong-wrong" } },
      "an unknown client": { credentials: { ...root, clientId: "static/nobody" } },
      "a bearer token": { headers: { authorization: "Bearer wrong-wrong-wrong" } },
    };
  });
  afterAll(() => stack.stop());

  const guarded = methods.filter(({ of }) => of.scopes !== undefined);

  test("has private texts in the replies to callers with scopes, so that the tests below mean something", async () => {
    const who = { credentials: stack.rootCredentials };
    const reads = guarded.filter(({ of }) => of.method === "GET" && of.name !== "watchdog");
    const replies = await Promise.all(reads.map((method) => callMethod(stack, method, known, who)));
    expect(replies.filter(({ text }) => text.includes(mark)).length).toBeGreaterThan(8);
  });

  test("refuses strangers every method that has scopes, and replies nothing private", async () => {
    const tryAll = async ([kind, who]: readonly [string, Who]): Promise<void> => {
      for (const method of methods) {
        const { status, text } = await callMethod(stack, method, known, who);
        const what = `${method.name} with ${kind}`;
        expect(text, what).not.toContain(mark);
        if (method.of.scopes !== undefined)
          expect(`${what}: ${status}`).toBe(`${what}: ${/token|unknown/.test(kind) ? 401 : 403}`);
      }
    };
    await Promise.all(Object.entries(strangers).map(tryAll));
  });

  test("refuses strangers also what does not exist, and calls with an empty body", async () => {
    const unknown = { ...known, taskId: [slugid()], taskGroupId: [slugid()], provisionerId: ["none"] };
    for (const kind of ["no credentials", "credentials without scopes"])
      for (const method of guarded) {
        const missing = await callMethod(stack, method, unknown, strangers[kind] ?? {});
        expect(`${method.name} ${missing.status}`).toBe(`${method.name} 403`);
        if (method.of.body === undefined) continue;
        const { status, text } = await callMethod(stack, method, known, strangers[kind] ?? {}, {});
        // Nothing is needed to read nothing, and most bodies must have members.
        if (status === 200) expect(text, method.name).toMatch(/^\{"\w+":\[\]\}$/);
        else expect([400, 403], method.name).toContain(status);
      }
  });

  test("refuses strangers events and metrics", async () => {
    for (const [kind, who] of Object.entries(strangers))
      for (const path of [stream, "/metrics"])
        for (const method of ["GET", "HEAD"]) {
          const { status, text } = await send(stack, method, path, undefined, who);
          expect(`${path} with ${kind}: ${status}`).toBe(
            `${path} with ${kind}: ${/token|unknown/.test(kind) ? 401 : 403}`,
          );
          expect(text).not.toContain(mark);
        }
  });

  test("serves its public documents, which contain nothing private", async () => {
    for (const path of documents) {
      const { status, text } = await send(stack, "GET", path, undefined, {});
      expect(`${path} ${status}`).toBe(`${path} 200`);
      expect(text).not.toContain(mark);
    }
    const { text } = await send(stack, "GET", "/", undefined, {});
    expect(text).not.toMatch(/requested work|responds in/);
  });

  test("serves no content of its artifact store without a signature", async () => {
    for (const query of ["", "?expires=99999999999", "?expires=99999999999&signature=AAAA"]) {
      const { status, text } = await send(stack, "GET", storeUrl + query, undefined, {});
      expect(`${query} ${status}`).toBe(`${query} 403`);
      expect(text).not.toContain(mark);
    }
  });

  test("shows metrics to callers with the scope, and to Prometheus with the token", async () => {
    const withToken = await send(stack, "GET", "/metrics", undefined, {
      headers: { authorization: "Bearer a-token-for-prometheus" },
    });
    const { rootCredentials: credentials } = stack;
    const withScope = await send(stack, "GET", "/metrics", undefined, {
      credentials,
      authorizedScopes: ["server:metrics"],
    });
    for (const { status, text } of [withToken, withScope]) {
      expect(status).toBe(200);
      expect(text).toContain("http_requests_total");
    }
  });
});

describe("an instance with public results", () => {
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
        const { status, text } = await callMethod(stack, method, of, {});
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
    for (const name of ["createTask", "createTasks", "cancelTask", "claimWork", "createArtifact"])
      expect(allowed).not.toContain(`queue.${name}`);
    const { text: log } = await send(
      stack,
      "GET",
      `/api/queue/v1/task/${taskId}/runs/0/artifacts/public/logs/live_backing.log`,
      undefined,
      {},
    );
    const content = await (await fetch((JSON.parse(log) as { url: string }).url)).text();
    expect(content).toContain("public\n");
    expect(content).not.toContain(mark);
    expect((await send(stack, "GET", "/metrics", undefined, {})).text).toContain("http_requests_total");
  });

  test("sends events of tasks, but those of clients, roles and pools only to callers who may list these", async () => {
    const all: readonly Service[] = Object.values(services);
    for (const service of all)
      for (const declared of Object.values(service.exchanges)) {
        const path = streamOf(exchangeName(service, declared));
        const { status } = await send(stack, "HEAD", path, undefined, {});
        expect(`${path} ${status}`).toBe(`${path} ${service.name === "queue" ? 200 : 403}`);
        if (declared.scope === undefined) continue;
        const reader = { credentials: stack.rootCredentials, authorizedScopes: [declared.scope] };
        expect((await send(stack, "HEAD", path, undefined, reader)).status).toBe(200);
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
    expect((await send(stack, "GET", stream, undefined, { headers })).status).toBe(403);
    expect((await send(stack, "GET", "/metrics", undefined, { headers })).status).toBe(403);
  });
});
