// Metrics of the identity service.
import type { MetricDefinitions } from "../../core/metrics.ts";

export const metrics = {
  oidcTokens: {
    type: "counter",
    name: "oidc_tokens_total",
    help: "Tokens that were issued to tasks",
    labels: {},
  },
  oidcKeys: {
    type: "counter",
    name: "oidc_keys_created_total",
    help: "Keys for tokens that this process created",
    labels: { reason: "first, age, request or revocation" },
  },
} as const satisfies MetricDefinitions;
