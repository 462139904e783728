// The log records of worker-manager, by message.
import type { LogDefinitions } from "../../core/log-definitions.ts";

const pool = { workerPoolId: "The worker pool" };
const worker = { ...pool, providerId: "The provider of the worker", workerId: "The id of the worker" };

export const logs = {
  "worker-running": {
    name: "workerRunning",
    level: "info",
    title: "A worker registered for the first time, or again after it had stopped",
    fields: worker,
  },
  "worker-removed": {
    name: "workerRemoved",
    level: "info",
    title: "A worker stopped",
    fields: {
      ...worker,
      workerAge: "Seconds since the worker was created",
      reason: "Why the worker stopped",
    },
  },
  "worker-error": {
    name: "workerError",
    level: "info",
    title: "A worker reported an error",
    fields: { ...pool, errorId: "The id of the error", kind: "The kind of the error" },
  },
} as const satisfies LogDefinitions;
