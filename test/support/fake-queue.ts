// An in-memory queue for tests of workers, over real HTTP: claims, artifacts, events, and injected faults. The real queue
// must behave in the same way; test/scenarios checks the worker against it.
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { gunzipSync } from "node:zlib";
import type { CreateArtifactRequest } from "../../src/api/queue/artifacts.ts";
import type { ClaimedTask, ClaimWorkRequest } from "../../src/api/queue/claim.ts";
import type { Run, TaskStatus } from "../../src/api/queue/status.ts";
import { createState, Refusal } from "./fake-queue-state.ts";
import type { StoredArtifact, SubmitOptions } from "./fake-queue-state.ts";

export type Call =
  | "claimWork"
  | "reclaimTask"
  | "reportCompleted"
  | "reportFailed"
  | "reportException"
  | "createArtifact"
  | "status"
  | "upload"
  | "events";

/** What to do instead: reply with a status, do the work but drop the reply, or never reply. */
export type Fault = number | "lose-reply" | "hang";

interface ReceivedCall {
  readonly call: Call;
  readonly path: string;
  readonly authorization: string | undefined;
}

export interface FakeQueue {
  readonly rootUrl: string;
  /** All calls in order of arrival. */
  readonly calls: readonly ReceivedCall[];
  /** Returns the number of calls of a kind. */
  count(call: Call): number;
  /** Creates a pending task with this payload. Returns its id. */
  submit(payload: unknown, options?: SubmitOptions): string;
  /** Resolves the first run as an exception, as a cancellation or an expired claim would. */
  end(taskId: string, reason: "canceled" | "claim-expired" | "deadline-exceeded"): void;
  status(taskId: string): TaskStatus;
  /** Waits until the first run is resolved, and returns the reason. */
  resolved(taskId: string): Promise<string>;
  /** Waits until `condition` holds. It is checked on every call and every reply. */
  until(condition: () => boolean): Promise<void>;
  artifact(taskId: string, name: string): StoredArtifact | undefined;
  /** Returns the uncompressed content of an artifact. */
  content(taskId: string, name: string): string;
  /** Adds faults for the next calls of this kind, one each. */
  inject(call: Call, ...faults: Fault[]): void;
  close(): Promise<void>;
}

export interface FakeQueueOptions {
  readonly claimMs?: number;
  /** How far the queue's clock is ahead of this machine's, in ms. */
  readonly skewMs?: number;
  readonly pollMs?: number;
  /** False: the queue refuses claim ids, as other implementations of the API do. */
  readonly claimIds?: boolean;
  /** False: the server has no stream of events. */
  readonly events?: boolean;
  /** The address that it listens on. Default: 127.0.0.1. */
  readonly host?: string;
}

export async function startFakeQueue(options: FakeQueueOptions = {}): Promise<FakeQueue> {
  const { claimMs = 1_200_000, skewMs = 0, pollMs = 20_000, claimIds = true, events = true } = options;
  const { host = "127.0.0.1" } = options;
  const state = createState({ claimMs, skewMs });
  const claims = new Map<string, ClaimedTask[]>();
  const faults = new Map<Call, Fault[]>();
  const calls: ReceivedCall[] = [];
  const followers = new Set<ServerResponse>();
  const watchers = new Set<() => void>();
  const changed = (): void => {
    for (const check of watchers) check();
  };

  function until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!condition()) return;
        watchers.delete(check);
        resolve();
      };
      watchers.add(check);
      check();
    });
  }

  function resolve(
    taskId: string,
    runId: number,
    to: Run["state"],
    reason: NonNullable<Run["reasonResolved"]>,
  ): unknown {
    const status = (): TaskStatus => state.status(taskId);
    if (state.resolve(taskId, runId, to, reason) && to === "exception") {
      const message = JSON.stringify({ payload: { status: status(), runId } });
      for (const follower of followers) follower.write(`event: message\ndata: ${message}\n\n`);
    }
    changed();
    return { status: status() };
  }

  async function claimWork(body: ClaimWorkRequest, response: ServerResponse): Promise<unknown> {
    const { claimId } = body;
    if (claimId !== undefined && !claimIds) throw new Refusal(400, 'unknown property "claimId"');
    const known = claimId === undefined ? undefined : claims.get(claimId);
    if (known !== undefined) return { tasks: known };
    const gone = once(response, "close");
    await Promise.race([until(() => state.pendingIds().length > 0), gone, after(pollMs)]);
    if (response.destroyed) return undefined;
    const claimed = state
      .pendingIds()
      .slice(0, body.tasks)
      .map((taskId) => state.claim(taskId, body));
    if (claimId !== undefined && claimed.length > 0) claims.set(claimId, claimed);
    return { tasks: claimed };
  }

  function createArtifact(
    taskId: string,
    runId: number,
    name: string,
    request: CreateArtifactRequest,
  ): unknown {
    state.createArtifact(taskId, runId, name, request);
    if (request.storageType !== "s3") return { storageType: request.storageType };
    const putUrl = `${rootUrl}/upload/${taskId}/${encodeURIComponent(name)}`;
    return { storageType: "s3", contentType: request.contentType, expires: request.expires, putUrl };
  }

  async function upload(taskId: string, name: string, request: IncomingMessage): Promise<unknown> {
    if (request.headers["content-length"] === undefined) throw new Refusal(411, "Content-Length is missing");
    const known = state.artifacts(taskId).get(name);
    if (known === undefined) throw new Refusal(403, `${name} was not created`);
    const body = await bytesOf(request);
    state.artifacts(taskId).set(name, { request: known.request, headers: request.headers, body });
    return {};
  }

  /** Opens the stream of events. The reply does not end. */
  function follow(response: ServerResponse): undefined {
    if (!events) throw new Refusal(404, "no such service");
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("event: ready\ndata: {}\n\n");
    followers.add(response);
    response.once("close", () => followers.delete(response));
  }

  /** Returns the kind of a call and its handler. */
  function route(request: IncomingMessage, response: ServerResponse): [Call, () => unknown] {
    const { pathname } = new URL(request.url ?? "", "http://fake");
    const path = pathname
      .replace(/^\/api\/queue\/v1/, "")
      .split("/")
      .map(decodeURIComponent);
    const [, first, taskId = "", part = "", run, action, name = ""] = path;
    const runId = Number(run);
    if (first === "upload") return ["upload", () => upload(taskId, part, request)];
    if (first === "api") return ["events", () => follow(response)];
    if (first === "claim-work") return ["claimWork", async () => claimWork(await json(request), response)];
    if (part === "status") return ["status", () => ({ status: state.status(taskId) })];
    if (action === "reclaim") return ["reclaimTask", () => state.reclaim(taskId, runId)];
    if (action === "completed") {
      return ["reportCompleted", () => resolve(taskId, runId, "completed", "completed")];
    }
    if (action === "failed") return ["reportFailed", () => resolve(taskId, runId, "failed", "failed")];
    if (action === "exception") {
      const work = async (): Promise<unknown> => {
        const { reason } = await json<{ reason: NonNullable<Run["reasonResolved"]> }>(request);
        return resolve(taskId, runId, "exception", reason);
      };
      return ["reportException", work];
    }
    return ["createArtifact", async () => createArtifact(taskId, runId, name, await json(request))];
  }

  async function handleRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [call, work] = route(request, response);
    const { url: path = "", headers } = request;
    calls.push({ call, path, authorization: headers.authorization });
    const fault = faults.get(call)?.shift();
    changed();
    try {
      if (fault === "hang") return;
      if (typeof fault === "number") throw new Refusal(fault, "injected fault");
      const reply = await work();
      if (fault === "lose-reply") response.destroy();
      else if (reply !== undefined) send(response, 200, reply);
    } catch (error) {
      const status = error instanceof Refusal ? error.statusCode : 500;
      send(response, status, { code: "Refused", message: error instanceof Error ? error.message : "" });
    }
    changed();
  }

  const server = createServer((request, response) => void handleRequest(request, response));
  server.listen(0, host);
  await once(server, "listening");
  const address = server.address();
  const rootUrl = `http://${host}:${typeof address === "object" ? address?.port : 0}`;

  return {
    rootUrl,
    calls,
    count: (kind) => calls.filter(({ call }) => call === kind).length,
    submit(payload, submitOptions) {
      const taskId = state.submit(payload, submitOptions);
      changed();
      return taskId;
    },
    end: (taskId, reason) => void resolve(taskId, 0, "exception", reason),
    status: (taskId) => state.status(taskId),
    async resolved(taskId) {
      await until(() => state.run(taskId, 0).reasonResolved !== undefined);
      return state.run(taskId, 0).reasonResolved ?? "";
    },
    until,
    artifact: (taskId, name) => state.artifacts(taskId).get(name),
    content(taskId, name) {
      const { body, headers } = state.artifacts(taskId).get(name) ?? {};
      if (body === undefined) throw new Error(`${name} was not uploaded`);
      return (headers?.["content-encoding"] === "gzip" ? gunzipSync(body) : body).toString("utf8");
    },
    inject: (call, ...more) => void faults.set(call, [...(faults.get(call) ?? []), ...more]),
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The end of a long poll that gets no task, which only time can bring. */
function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Returns the body without checks: the only caller is the worker's typed client. */
async function json<T>(request: IncomingMessage): Promise<T> {
  return JSON.parse((await bytesOf(request)).toString("utf8")) as T;
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
