// The part of the queue's API that the worker uses. The typed client implements it, and so do fakes in tests.
import type { Static } from "typebox";
import type { CreateArtifactReply, CreateArtifactRequest } from "../api/queue/artifacts.ts";
import type { ClaimedTask, ClaimWorkRequest, ReclaimReply, TaskCredentials } from "../api/queue/claim.ts";
import type { TaskStatus } from "../api/queue/status.ts";
import type { ExceptionReason } from "./outcome.ts";

export type Reclaim = Static<typeof ReclaimReply>;
export type ErrorReason = Extract<CreateArtifactRequest, { reason: string }>["reason"];

/** Parameters of requests about a run. The run id is text, as in the path. */
export interface RunParams {
  readonly taskId: string;
  readonly runId: string;
}

interface CallOptions {
  readonly signal?: AbortSignal;
  /** Tries after the first. With 0 the worker retries by its own rules. */
  readonly retries?: number;
}

/**
 * The queue as the worker calls it. A refusal rejects with an Error that has a numeric `statusCode`. An error without one
 * means that there was no reply. Calls may retry transient failures themselves.
 */
export interface QueueClient {
  claimWork(
    params: { readonly taskQueueId: string },
    body: ClaimWorkRequest,
    options?: CallOptions,
  ): Promise<{ readonly tasks: readonly ClaimedTask[] }>;
  reclaimTask(params: RunParams, options?: CallOptions): Promise<Reclaim>;
  status(
    params: { readonly taskId: string },
    options?: CallOptions,
  ): Promise<{ readonly status: TaskStatus }>;
  reportCompleted(params: RunParams, options?: CallOptions): Promise<unknown>;
  reportFailed(params: RunParams, options?: CallOptions): Promise<unknown>;
  reportException(
    params: RunParams,
    body: { readonly reason: ExceptionReason },
    options?: CallOptions,
  ): Promise<unknown>;
  createArtifact(
    params: RunParams & { readonly name: string },
    body: CreateArtifactRequest,
    options?: CallOptions,
  ): Promise<CreateArtifactReply>;
  finishArtifact(
    params: RunParams & { readonly name: string },
    body: { readonly uploadId: string },
    options?: CallOptions,
  ): Promise<unknown>;
  getLatestArtifact(
    params: { readonly taskId: string; readonly name: string },
    options?: CallOptions,
  ): Promise<{ readonly url: string }>;
  /** The same queue, called with other credentials. */
  withCredentials(credentials: TaskCredentials): QueueClient;
}

/** Returns the HTTP status with which a request was refused, or undefined if there was no reply. */
export function refusalOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("statusCode" in error)) return undefined;
  return typeof error.statusCode === "number" ? error.statusCode : undefined;
}

/** Reports whether a retry may succeed: there was no reply, the server failed, or there were too many requests. */
export function isTransient(error: unknown): boolean {
  const status = refusalOf(error);
  return status === undefined || status >= 500 || status === 429 || status === 408;
}
