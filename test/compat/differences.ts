// The intended differences between our API and that of Taskcluster, with reasons. references.test.ts fails for
// a difference that is not listed, and for an entry whose difference no longer exists.
import type { IntendedDifference } from "./intended-difference.ts";
import { monitoringDifferences } from "./monitoring-differences.ts";

const missing = (reason: string, of: string, names: readonly string[]): IntendedDifference[] =>
  names.map((name) => ({ where: `${of} ${name}`, is: "missing", reason }));

export const intendedDifferences: readonly IntendedDifference[] = [
  ...monitoringDifferences,

  // Whole services.
  ...missing("This service is not implemented yet.", "service", ["github", "hooks", "notify"]),
  ...missing("Only the web UI of Taskcluster uses it.", "service", ["web-server"]),

  {
    where: "service events",
    is: "added",
    reason: "Events are also available over HTTP, as in a service that Taskcluster has retired.",
  },

  {
    where: "service identity",
    is: "added",
    reason:
      "Tasks prove their identity to other systems. In Taskcluster they need stored credentials instead.",
  },

  {
    where: "purge-cache purgeCache input schema/properties/cacheName/maxLength",
    is: "added",
    reason:
      "The list of a pool has no pages, so names are bounded. Workers accept no longer names of caches.",
  },

  // Worker-manager.
  ...missing("This server calls no clouds.", "worker-manager log", [
    "azureInstanceViewRepeated404",
    "azureResourceGroupEnsured",
    "azureTeardownMode",
    "azureThrottled",
    "cloudApiMetrics",
    "cloudApiPaused",
    "cloudApiResumed",
    "registrationNewIntermediateCertificate",
    "registrationRejectedIntermediateCertificateUrl",
    "scanSeen",
  ]),
  ...missing("This server starts no machines.", "worker-manager log", [
    "launchConfigSelectorsDebug",
    "simpleEstimate",
    "workerPoolProvisioned",
  ]),
  ...missing(
    "A metric counts refused registrations. Anybody may call registerWorker, and so fill the log.",
    "worker-manager log",
    ["registrationErrorWarning"],
  ),
  ...missing(
    "A worker of `self` is requested and runs in one step, and so it stops: workerRunning and workerRemoved report both.",
    "worker-manager log",
    [
      "workerRequested",
      "workerStopped",
      "workerRunning fields/registrationDuration",
      "workerRemoved fields/runningDuration",
    ],
  ),
  ...["workerRunning", "workerRemoved", "workerError"].map((name): IntendedDifference => ({
    where: `worker-manager log ${name} level`,
    is: { ours: "info" },
    reason: "The level `notice` does not exist here.",
  })),
  ...["workerRunning", "workerRemoved"].map((name): IntendedDifference => ({
    where: `worker-manager log ${name} version`,
    is: { ours: 1 },
    reason: "Its fields are others.",
  })),
  ...missing("This server calls no clouds.", "worker-manager metric", [
    "worker_manager_azure_arm_deployment_errors_total",
    "worker_manager_azure_ratelimit_remaining",
    "worker_manager_azure_teardown_total",
    "worker_manager_azure_throttle_total",
    "worker_manager_worker_pool_scan_errors",
    "worker_manager_worker_pool_scan_seen_workers",
  ]),
  ...missing("This server starts no machines.", "worker-manager metric", [
    "worker_manager_adjusted_pending_tasks",
    "worker_manager_desired_capacity",
    "worker_manager_requested_capacity",
    "worker_manager_stopping_capacity",
    "worker_manager_worker_pool_provision_seconds",
    "worker_manager_worker_provision_seconds",
    "worker_manager_worker_registration_seconds",
  ]),
  ...missing("The metrics of the queue have these numbers for each pool.", "worker-manager metric", [
    "worker_manager_pending_tasks",
    "worker_manager_claimed_tasks",
    "worker_manager_total_idle_capacity",
  ]),
  ...missing(
    "Computed for the worker that calls shouldWorkerTerminate, not for all.",
    "worker-manager metric",
    ["worker_manager_workers_to_terminate"],
  ),
  ...missing("Workers choose their groups, and each would be a series.", "worker-manager metric", [
    "worker_manager_existing_capacity labels/workerGroup",
    "worker_manager_worker_startup_seconds labels/workerGroup",
  ]),
  ...[
    "worker-manager setWorkerPoolSecrets",
    "worker-manager schema v1/config-self.json",
    "worker-manager registerWorker input schema/properties/workerIdentityProof/oneOf/4",
  ].map((where): IntendedDifference => ({
    where,
    is: "added",
    reason: "The provider self, whose workers register with a secret of their pool.",
  })),
  ...missing("This server has no provider that starts machines.", "worker-manager schema", [
    "v1/azure-arm-templates.json",
    "v1/azure-deployment-resources.json",
    "v1/config-aws.json",
    "v1/config-azure.json",
    "v1/config-google.json",
  ]),
  ...missing("The provider for tests of Taskcluster itself.", "worker-manager schema", [
    "v1/config-testing.json",
  ]),
  ...missing("Only part of other schemas, not a request, reply or message.", "worker-manager schema", [
    "v1/task-run.json",
    "v1/task.json",
  ]),

  // The queue.
  {
    where: "queue defineTask",
    is: "added",
    reason: "Old clients still call it. Taskcluster removed it some versions ago.",
  },
  ...["queue cancelTaskGroup category", "queue changeTaskGroupPriority category"].map((where) => ({
    where,
    is: { ours: "Task Groups" },
    reason:
      "Only documentation uses the category. Theirs spreads the methods on groups over three categories.",
  })),
  {
    where: "queue watchdog",
    is: "added",
    reason: "Reports the findings of the watchdog to operators. Taskcluster has no watchdog.",
  },
  {
    where: "queue why",
    is: "added",
    reason: "Explains the state of a task, which otherwise only an operator of the queue can find out.",
  },
  ...[
    "queue declareProvisioner",
    "queue declareWorkerType",
    ...["getProvisioner", "getWorkerType", "getWorker", "quarantineWorker", "declareWorker"].flatMap(
      (name) => [
        `queue ${name} output schema/properties/actions`,
        `queue ${name} output schema/required/actions`,
      ],
    ),
  ].map((where): IntendedDifference => ({
    where,
    is: "added",
    reason: "Release v106.0.0 has it, and its clients may require it. It was removed after that release.",
  })),
  {
    where: "queue taskQueueOverview",
    is: "added",
    reason: "Lists the queues whose tasks wait and that no worker serves, which listTaskQueues leaves out.",
  },
  ...["queue listTasks", "queue listTaskGroups"].map((where): IntendedDifference => ({
    where,
    is: "added",
    reason: "Finds earlier tasks and groups by name, time and state. Taskcluster only has them by id.",
  })),
  {
    where: "queue claimWork input schema/properties/claimId",
    is: "added",
    reason:
      "Makes a claim idempotent, in case its reply is lost. Optional, so that other clients are unaffected.",
  },
  {
    where: "queue createTask input schema/properties/payload/default",
    is: "missing",
    reason: "Their default is a list, but the payload is a required object: the default never applies.",
  },
  {
    where: "queue createTask input schema/properties/scopes/maxItems",
    is: "added",
    reason: "Comparing 380,000 scopes with those of the caller took a second before the call was refused.",
  },
  {
    where: "queue createTasks",
    is: "added",
    reason: "Creates a graph of thousands of tasks in one call and one transaction, all or nothing.",
  },
  {
    where: "queue taskGroupTimeline",
    is: "added",
    reason: "Shows how the duration of a group came about, which single tasks do not reveal.",
  },
  ...missing("Only part of other schemas, not a request, reply or message.", "queue schema", [
    "v1/object-credentials.json",
    "v1/task-pulse-definition.json",
  ]),
  ...missing("The reply of a method that no longer exists.", "queue schema", [
    "v1/poll-task-urls-response.json",
  ]),

  // Objects.
  ...[
    "object createUpload input schema/properties/proposedUploadMethods/properties/multipartPutUrls",
    "object createUpload output schema/properties/uploadMethod/properties/multipartPutUrls",
    "object finishUpload input schema/properties/partEtags",
  ].map((where): IntendedDifference => ({
    where,
    is: "added",
    reason:
      "Multipart uploads: S3 limits a PUT to 5 GiB. Only clients that propose the method get it, so others are unaffected.",
  })),
  ...missing("Only part of other schemas, not a request, reply or message.", "object schema", [
    "v1/download-method-geturl.json",
    "v1/download-method-simple.json",
    "v1/hashes.json",
    "v1/upload-method-data-inline.json",
    "v1/upload-method-put-url.json",
  ]),

  // Clients and roles.
  ...["auth explainScopes", "auth previewRole"].map((where): IntendedDifference => ({
    where,
    is: "added",
    reason:
      "Explains why a call is allowed or refused, and what a change of a role would do, before it is made.",
  })),
  ...["createClient", "updateClient", "createRole", "updateRole"].map((name): IntendedDifference => ({
    where: `auth ${name} input schema/properties/scopes/maxItems`,
    is: "added",
    reason: "Every process keeps the scopes of all clients and roles in memory, and expands them.",
  })),
];
