// The in-memory state of the fake queue and its rules: tasks, runs, claims and artifacts.
import type { CreateArtifactRequest } from "../../src/api/queue/artifacts.ts";
import type { ClaimedTask, ClaimWorkRequest } from "../../src/api/queue/claim.ts";
import type { Run, TaskStatus } from "../../src/api/queue/status.ts";
import type { TaskDefinition } from "../../src/api/queue/task.ts";
import { slugid } from "../../src/lib/slugid.ts";

export const taskQueueId = "test-provisioner/test-worker";
const [provisionerId = "", workerType = ""] = taskQueueId.split("/");

export interface StoredArtifact {
  readonly request: CreateArtifactRequest;
  readonly headers: Readonly<Record<string, unknown>>;
  /** The bytes as uploaded. */
  readonly body: Buffer | undefined;
}

export interface SubmitOptions {
  /** From now. */
  readonly deadlineMs?: number;
  /** From now. */
  readonly expiresMs?: number;
  /** The definition's `extra`. */
  readonly extra?: Record<string, unknown>;
  readonly retries?: number;
}

interface Task {
  readonly definition: TaskDefinition;
  readonly runs: Run[];
  readonly artifacts: Map<string, StoredArtifact>;
}

/** A call that the queue refuses. */
export class Refusal extends Error {
  readonly statusCode: number;
  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

export interface QueueState {
  submit(payload: unknown, options?: SubmitOptions): string;
  pendingIds(): readonly string[];
  status(taskId: string): TaskStatus;
  run(taskId: string, runId: number): Run;
  artifacts(taskId: string): Map<string, StoredArtifact>;
  claim(taskId: string, worker: ClaimWorkRequest): ClaimedTask;
  reclaim(taskId: string, runId: number): Omit<ClaimedTask, "task">;
  /** Resolves a run. Throws a 409 if it was resolved differently. Returns false if it was resolved in the same way. */
  resolve(
    taskId: string,
    runId: number,
    state: Run["state"],
    reason: NonNullable<Run["reasonResolved"]>,
  ): boolean;
  /** Applies the rules of createArtifact. */
  createArtifact(taskId: string, runId: number, name: string, request: CreateArtifactRequest): void;
}

export interface StateOptions {
  readonly claimMs: number;
  /** How far this queue's clock is ahead, in ms. */
  readonly skewMs: number;
  readonly now?: () => number;
}

export function createState({ claimMs, skewMs, now = Date.now }: StateOptions): QueueState {
  const tasks = new Map<string, Task>();
  const time = (ms = 0): string => new Date(now() + skewMs + ms).toISOString();

  function find(taskId: string): Task {
    const task = tasks.get(taskId);
    if (task === undefined) throw new Refusal(404, `no task ${taskId}`);
    return task;
  }
  function status(taskId: string): TaskStatus {
    const { definition, runs } = find(taskId);
    const { deadline, expires = deadline } = definition;
    return {
      taskId,
      provisionerId,
      workerType,
      taskQueueId,
      schedulerId: "-",
      projectId: "none",
      taskGroupId: taskId,
      deadline,
      expires,
      retriesLeft: 0,
      state: runs.at(-1)?.state ?? "unscheduled",
      runs: structuredClone(runs),
    };
  }
  function run(taskId: string, runId: number): Run {
    const found = find(taskId).runs[runId];
    if (found === undefined) throw new Refusal(404, `no run ${runId} of ${taskId}`);
    return found;
  }
  function claimOf(taskId: string, { runId, workerGroup, workerId }: Run): Omit<ClaimedTask, "task"> {
    const held = run(taskId, runId);
    const credentials = {
      clientId: `task-client/${taskId}/${runId}`,
      accessToken: slugid(),
      certificate: JSON.stringify({ version: 1, scopes: [], start: 0, expiry: 0, seed: "", signature: "" }),
    };
    held.takenUntil = time(claimMs);
    const { takenUntil } = held;
    return {
      status: status(taskId),
      runId,
      workerGroup: workerGroup ?? "",
      workerId: workerId ?? "",
      takenUntil,
      credentials,
    };
  }

  return {
    status,
    run,
    artifacts: (taskId) => find(taskId).artifacts,
    pendingIds: () =>
      [...tasks].filter(([, { runs }]) => runs.at(-1)?.state === "pending").map(([taskId]) => taskId),
    submit(payload, { deadlineMs = 3_600_000, expiresMs = 7_200_000, extra = {}, retries = 5 } = {}) {
      const taskId = slugid();
      const definition: TaskDefinition = {
        provisionerId,
        workerType,
        taskQueueId,
        schedulerId: "-",
        projectId: "none",
        taskGroupId: taskId,
        dependencies: [],
        requires: "all-completed",
        routes: [],
        priority: "lowest",
        retries,
        created: time(),
        deadline: time(deadlineMs),
        expires: time(expiresMs),
        scopes: [],
        // Tests also submit invalid payloads.
        payload: payload as Record<string, unknown>,
        metadata: {
          name: "test",
          description: "",
          owner: "nobody@example.com",
          source: "https://example.com",
        },
        tags: {},
        extra,
      };
      const first: Run = { runId: 0, state: "pending", reasonCreated: "scheduled", scheduled: time() };
      tasks.set(taskId, { definition, runs: [first], artifacts: new Map() });
      return taskId;
    },
    claim(taskId, { workerGroup, workerId }) {
      const { definition, runs } = find(taskId);
      const claimed = run(taskId, runs.length - 1);
      Object.assign(claimed, { state: "running", workerGroup, workerId, started: time() });
      return { ...claimOf(taskId, claimed), task: definition };
    },
    reclaim(taskId, runId) {
      const held = run(taskId, runId);
      if (held.state !== "running") throw new Refusal(409, `the run is ${held.state}`);
      return claimOf(taskId, held);
    },
    resolve(taskId, runId, state, reasonResolved) {
      const held = run(taskId, runId);
      if (held.state === state && held.reasonResolved === reasonResolved) return false;
      if (held.state !== "running" && held.state !== "pending")
        throw new Refusal(409, `the run is ${held.state}`);
      Object.assign(held, { state, reasonResolved, resolved: time() });
      return true;
    },
    createArtifact(taskId, runId, name, request) {
      const { state } = run(taskId, runId);
      if (state !== "running" && state !== "exception") throw new Refusal(409, `the run is ${state}`);
      const { artifacts } = find(taskId);
      const existing = artifacts.get(name);
      if (existing !== undefined && !mayReplace(existing.request, request)) {
        throw new Refusal(409, `${name} exists already`);
      }
      if (existing?.request.storageType === "s3") return;
      artifacts.set(name, { request, headers: {}, body: undefined });
    },
  };
}

/** The queue's rule for an existing name: the same artifact again, another reference, or a link instead of a reference. */
function mayReplace(existing: CreateArtifactRequest, request: CreateArtifactRequest): boolean {
  if (request.expires < existing.expires) return false;
  if (existing.storageType === "reference") return ["reference", "link"].includes(request.storageType);
  return JSON.stringify({ ...existing, expires: "" }) === JSON.stringify({ ...request, expires: "" });
}
