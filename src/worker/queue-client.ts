// What the worker needs of a queue, and nothing more: the typed client fits, and so does a test's.
import type { Static } from "typebox";
import type { CreateArtifactReply, CreateArtifactRequest } from "../api/queue/artifacts.ts";
import type { ClaimedTask, ClaimWorkRequest, ReclaimReply, TaskCredentials } from "../api/queue/claim.ts";
import type { TaskStatus } from "../api/queue/status.ts";
import type { ExceptionReason } from "./outcome.ts";

export type Reclaim = Static<typeof ReclaimReply>;
export type ErrorReason = Extract<CreateArtifactRequest, { reason: string }>["reason"];

/** The run that a call is about; the id as text, for it becomes a part of the path. */
export interface RunParams {
  readonly taskId: string;
  readonly runId: string;
}

interface CallOptions {
  readonly signal?: AbortSignal;
  /** Tries after the first. The worker repeats by rules of its own where it says 0. */
  readonly retries?: number;
}

/**
 * The queue as the worker calls it. A refusal rejects with an Error that has a numeric `statusCode`; an error
 * without one means that no answer came. Calls may retry passing failures on their own.
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
  /** The same queue, called as somebody else. */
  withCredentials(credentials: TaskCredentials): QueueClient;
}

/** The HTTP status with which a call was refused, or undefined where no answer came. */
export function refusalOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("statusCode" in error)) return undefined;
  return typeof error.statusCode === "number" ? error.statusCode : undefined;
}

/** True where the same call may work a moment later: no answer, a broken server, or too many calls. */
export function isPassing(error: unknown): boolean {
  const status = refusalOf(error);
  return status === undefined || status >= 500 || status === 429 || status === 408;
}
