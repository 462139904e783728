// How a run can end: the causes that stop it, what the queue is told, and the errors that stages throw.

import type { EXCEPTION_REASONS } from "../api/queue/status.ts";

/** Reasons that `reportException` takes from a worker. */
export type ExceptionReason = (typeof EXCEPTION_REASONS)[number];

/** Why a run is no longer ours to resolve: the queue has decided it, or gives it to somebody else. */
export type LostCause = "canceled" | "deadline" | "claim-lost";

/** Everything that stops a run from outside. A task that exceeds its own limits is stopped by a plugin instead. */
export type AbortCause = LostCause | "worker-shutdown";

/** What became of a run. `none` means that nothing is reported, because the queue knows already. */
export type Resolution =
  | { readonly kind: "completed" }
  | { readonly kind: "failed" }
  | { readonly kind: "exception"; readonly reason: ExceptionReason }
  | { readonly kind: "none"; readonly cause: LostCause };

/** Thrown by whatever was waiting when the run was stopped from outside. */
export class AbortedError extends Error {
  readonly abort: AbortCause;
  constructor(abort: AbortCause) {
    super(`the run was stopped: ${abort}`);
    this.name = "AbortedError";
    this.abort = abort;
  }
}

/** The task asks for something impossible; every message is a sentence for its author. */
export class MalformedPayloadError extends Error {
  readonly messages: readonly string[];
  constructor(messages: readonly string[]) {
    super(messages.join("\n"));
    this.name = "MalformedPayloadError";
    this.messages = messages;
  }
}

/** Something outside the task and the worker did not work; running it again by hand may help. */
export class ResourceUnavailableError extends Error {
  override readonly name = "ResourceUnavailableError";
}

/** True for causes after which the queue would refuse a report of ours. */
export function isLost(cause: AbortCause): cause is LostCause {
  return cause !== "worker-shutdown";
}
