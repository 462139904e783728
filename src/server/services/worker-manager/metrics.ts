// Metrics of worker-manager.
import type { MetricDefinitions } from "../../core/metrics.ts";

// Not by worker group, which workers choose.
const ofPool = { workerPoolId: "The worker pool", providerId: "The provider of the worker" };

export const metrics = {
  existingCapacity: {
    type: "gauge",
    name: "worker_manager_existing_capacity",
    help: "Capacity of the workers that are not stopped",
    labels: ofPool,
  },
  workerStartup: {
    type: "histogram",
    name: "worker_manager_worker_startup_seconds",
    help: "Time from the start of a worker's system, which the worker reports, to a registration",
    labels: ofPool,
    buckets: [5, 10, 15, 30, 45, 60, 90, 120, 180, 300, 600],
  },
  registrationFailures: {
    type: "counter",
    name: "worker_manager_worker_registration_failures_total",
    help: "Registrations with a pool that exists that were refused",
    labels: ofPool,
  },
  workerLifetime: {
    type: "histogram",
    name: "worker_manager_worker_lifetime_seconds",
    help: "Age of workers when they stopped",
    labels: ofPool,
    buckets: [60, 300, 900, 1800, 3600, 7200, 14400, 28800, 86400, 172800, 604800, 1209600],
  },
} as const satisfies MetricDefinitions;
