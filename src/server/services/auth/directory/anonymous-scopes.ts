// The scopes of the role `anonymous`, which every caller has, for each access of an instance.
import { LISTEN_SCOPE } from "../../../../api/events.ts";
import { METRICS_SCOPE } from "../../../../api/service.ts";
import type { Access } from "../../../core/config/core-settings.ts";

/** Reads states of tasks and workers, counts, events, metrics, and artifacts below `public/`. */
const results: readonly string[] = [
  "auth:current-scopes",
  LISTEN_SCOPE,
  "queue:claimed-count:*",
  "queue:get-artifact:public/*",
  "queue:get-provisioner:*",
  "queue:get-worker-type:*",
  "queue:get-worker:*",
  "queue:list-artifacts:*",
  "queue:list-provisioners",
  "queue:list-worker-types:*",
  "queue:list-workers:*",
  "queue:pending-count:*",
  // Workers request a task's status without credentials after a failed update.
  "queue:status:*",
  METRICS_SCOPE,
];

/** The other scopes that Taskcluster documents for a public instance. */
const everything: readonly string[] = [
  // Returns what roles grant.
  "auth:expand-scopes",
  "auth:get-client:*",
  "auth:get-role:*",
  "auth:list-clients",
  "auth:list-roles",
  "github:get-badge:*",
  "github:get-repository:*",
  "github:latest-status:*",
  "github:list-builds",
  "hooks:get:*",
  "hooks:list-hooks:*",
  "hooks:list-last-fires:*",
  "hooks:status:*",
  "index:find-task:*",
  "index:list-namespaces:*",
  "index:list-tasks:*",
  "purge-cache:all-purge-requests",
  "purge-cache:purge-requests:*",
  // These three return definitions of tasks, with the environment in their payloads.
  "queue:get-task:*",
  "queue:list-dependent-tasks:*",
  "queue:list-task-group:*",
  // These two return names of tasks, which are part of the definitions.
  "queue:list-task-groups:*",
  "queue:list-tasks:*",
  "secrets:list-secrets",
  "web:read-pulse",
  "worker-manager:get-worker-pool:*",
  "worker-manager:get-worker:*",
  "worker-manager:list-providers",
  "worker-manager:list-worker-pool-errors:*",
  "worker-manager:list-worker-pools",
  "worker-manager:list-workers:*",
  "worker-manager:should-worker-terminate:*",
];

export const anonymousScopes: Readonly<Record<Access, readonly string[]>> = {
  closed: [],
  results,
  open: [...results, ...everything],
};
