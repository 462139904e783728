// How a run can end: the causes that stop it, the resolutions reported to the queue, and the errors that stages throw.

import type { EXCEPTION_REASONS } from "../api/queue/status.ts";

/** Reasons that `reportException` accepts from a worker. */
export type ExceptionReason = (typeof EXCEPTION_REASONS)[number];

/** Why this worker must not resolve the run: the queue has resolved it, or may give it to another worker. */
export type LostCause = "canceled" | "deadline" | "claim-lost";

/** Every cause that stops a run from outside. A task that exceeds its own limits is stopped by a plugin instead. */
export type AbortCause = LostCause | "worker-shutdown";

/** The result of a run. `none` means that nothing is reported, because the queue has resolved the run already. */
export type Resolution =
  | { readonly kind: "completed" }
  | { readonly kind: "failed" }
  | { readonly kind: "exception"; readonly reason: ExceptionReason }
  | { readonly kind: "none"; readonly cause: LostCause };

/** Thrown by pending operations when the run is stopped from outside. */
export class AbortedError extends Error {
  readonly abort: AbortCause;
  constructor(abort: AbortCause) {
    // oxlint-disable-next-line messages/next-step -- no fault: the run is resolved as aborted
    super(`the run was stopped: ${abort}`);
    this.name = "AbortedError";
    this.abort = abort;
  }
}

/** The payload is invalid. Each message is a sentence for the author of the task. */
export class MalformedPayloadError extends Error {
  readonly messages: readonly string[];
  constructor(messages: readonly string[]) {
    super(messages.join("\n"));
    this.name = "MalformedPayloadError";
    this.messages = messages;
  }
}

/** The task cannot succeed, for a reason that is neither its payload nor a command. The message is for its author. */
export class TaskFailedError extends Error {
  override readonly name = "TaskFailedError";
}

/** Something outside the task and the worker failed. A manual rerun may succeed. */
export class ResourceUnavailableError extends Error {
  override readonly name = "ResourceUnavailableError";
}

/** Reports whether the queue would refuse a report after this cause. */
export function isLost(cause: AbortCause): cause is LostCause {
  return cause !== "worker-shutdown";
}
