// Metrics of authentication.
import type { MetricDefinitions } from "../../core/metrics.ts";

export const metrics = {
  authSuccesses: {
    type: "counter",
    name: "auth_success_total",
    help: "Requests whose credentials were accepted, or that needed some and had none",
    // Not by client id: temporary credentials have a new one with every run, and a label value lives for ever.
    labels: { scheme: "hawk, bewit or none" },
  },
  authFailures: {
    type: "counter",
    name: "auth_failure_total",
    help: "Requests whose credentials were refused",
    labels: {
      reason: "form, ext, client, time, mac or hash: what about them is wrong",
      scheme: "hawk, bewit: what was tried",
    },
  },
} as const satisfies MetricDefinitions;
