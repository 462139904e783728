// What a token says. All of it is from the database and the configuration, except for the audience.
import { randomUUID } from "node:crypto";
import type { RunningTask } from "../queue/index.ts";
import { subjectOf } from "./subject.ts";

export interface TokenRequest {
  /** The root URL. */
  readonly issuer: string;
  readonly audience: string;
  readonly task: RunningTask;
  /** Milliseconds. */
  readonly now: number;
  readonly lifetimeMs: number;
}

/** Tolerates verifiers whose clocks are behind. */
const EARLIER_SECONDS = 60;

/** Returns the claims. Ids are strings, also that of the run, because some systems compare nothing else. */
export function claimsOf({ issuer, audience, task, now, lifetimeMs }: TokenRequest) {
  const iat = Math.floor(now / 1000);
  const [provisionerId, workerType] = task.taskQueueId.split("/");
  return {
    iss: issuer,
    sub: subjectOf(task),
    aud: audience,
    // Rounded down, so that it is never later than what it is derived from.
    exp: Math.floor(Math.min(now + lifetimeMs, task.until) / 1000),
    iat,
    nbf: iat - EARLIER_SECONDS,
    jti: randomUUID(),
    task_id: task.taskId,
    run_id: String(task.runId),
    task_group_id: task.taskGroupId,
    project_id: task.projectId,
    scheduler_id: task.schedulerId,
    task_queue_id: task.taskQueueId,
    provisioner_id: provisionerId,
    worker_type: workerType,
    worker_group: task.workerGroup,
    worker_id: task.workerId,
  };
}

/** The names of all claims. */
export const CLAIMS = [
  "iss",
  "sub",
  "aud",
  "exp",
  "iat",
  "nbf",
  "jti",
  "task_id",
  "run_id",
  "task_group_id",
  "project_id",
  "scheduler_id",
  "task_queue_id",
  "provisioner_id",
  "worker_type",
  "worker_group",
  "worker_id",
] as const satisfies (keyof ReturnType<typeof claimsOf>)[];
