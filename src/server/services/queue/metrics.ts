// Metrics of the queue.
import type { MetricDefinitions } from "../../core/metrics.ts";

const queue = {
  provisionerId: "First half of the task queue id",
  workerType: "Second half of the task queue id",
};

export const metrics = {
  completedTasks: {
    type: "counter",
    name: "queue_completed_tasks",
    help: "Runs resolved as completed",
    labels: queue,
  },
  failedTasks: {
    type: "counter",
    name: "queue_failed_tasks",
    help: "Runs resolved as failed",
    labels: { ...queue, reasonResolved: "The reason of the resolution" },
  },
  exceptionTasks: {
    type: "counter",
    name: "queue_exception_tasks",
    help: "Runs resolved as exception",
    labels: { ...queue, reasonResolved: "The reason of the resolution" },
  },
  pendingTasks: {
    type: "gauge",
    name: "queue_pending_tasks",
    help: "Pending runs",
    labels: queue,
  },
  claimedTasks: {
    type: "gauge",
    name: "queue_claimed_tasks",
    help: "Running runs",
    labels: queue,
  },
  workers: { type: "gauge", name: "queue_workers_total", help: "Known workers", labels: queue },
  quarantinedWorkers: {
    type: "gauge",
    name: "queue_quarantined_workers",
    help: "Workers in quarantine",
    labels: queue,
  },
  runningWorkers: {
    type: "gauge",
    name: "queue_running_workers",
    help: "Workers that hold a run",
    labels: queue,
  },
  idleWorkers: {
    type: "gauge",
    name: "queue_idle_workers",
    help: "Workers that hold no run",
    labels: queue,
  },
  invariantViolations: {
    type: "counter",
    name: "queue_invariant_violations_total",
    help: "Violations of invariants that the watchdog found in the database",
    labels: { check: "Name of the check", repaired: "yes or no" },
  },
  openInvariantViolations: {
    type: "gauge",
    name: "queue_invariant_violations_open",
    help: "Violations of invariants that have not ended",
    labels: { check: "Name of the check" },
  },
} as const satisfies MetricDefinitions;
