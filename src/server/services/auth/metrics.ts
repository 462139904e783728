// Metrics of authentication.
import type { MetricDefinitions } from "../../core/metrics.ts";

export const metrics = {
  authSuccesses: {
    type: "counter",
    name: "auth_success_total",
    help: "Requests to methods that require scopes, with credentials that were accepted or without any",
    // Not by client id: temporary credentials have a new one in every run, and a label value is never removed.
    labels: { scheme: "hawk, bewit or none" },
  },
  authFailures: {
    type: "counter",
    name: "auth_failure_total",
    help: "Requests whose credentials were refused",
    labels: {
      reason: "Why they were refused: form, ext, client, time, mac or hash",
      scheme: "hawk or bewit",
    },
  },
} as const satisfies MetricDefinitions;
