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
    help: "Runs that ended as completed",
    labels: queue,
  },
  failedTasks: {
    type: "counter",
    name: "queue_failed_tasks",
    help: "Runs that ended as failed",
    labels: { ...queue, reasonResolved: "Why it failed" },
  },
  exceptionTasks: {
    type: "counter",
    name: "queue_exception_tasks",
    help: "Runs that ended as exception",
    labels: { ...queue, reasonResolved: "Which exception" },
  },
  pendingTasks: {
    type: "gauge",
    name: "queue_pending_tasks",
    help: "Runs waiting for a worker",
    labels: queue,
  },
  claimedTasks: {
    type: "gauge",
    name: "queue_claimed_tasks",
    help: "Runs that a worker holds",
    labels: queue,
  },
  workers: { type: "gauge", name: "queue_workers_total", help: "Workers known", labels: queue },
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
    help: "What the watchdog found wrong in the database",
    labels: { check: "Name of the check", repaired: "yes or no" },
  },
  openInvariantViolations: {
    type: "gauge",
    name: "queue_invariant_violations_open",
    help: "What the watchdog found wrong, and is wrong still",
    labels: { check: "Name of the check" },
  },
} as const satisfies MetricDefinitions;
