// Every intended difference between our API and that of the compatible system, each with its reason. The test
// beside this list fails for a difference that is not here, and for an entry whose difference is gone.
import type { Json } from "./normalise.ts";

export interface IntendedDifference {
  /** As the comparison names it: `queue claimWork input schema/properties/claimId`. */
  readonly where: string;
  /** `missing`: they have it and we do not; `added`: the reverse; otherwise what we have in its place. */
  readonly is: "missing" | "added" | { readonly ours: Json };
  readonly reason: string;
}

const missing = (reason: string, of: string, names: readonly string[]): IntendedDifference[] =>
  names.map((name) => ({ where: `${of} ${name}`, is: "missing", reason }));

export const intendedDifferences: readonly IntendedDifference[] = [
  // Whole services.
  ...missing("This service is still to come.", "service", [
    "github",
    "hooks",
    "index",
    "notify",
    "purge-cache",
    "secrets",
    "worker-manager",
  ]),
  ...missing("It only serves the compatible system's own web UI.", "service", ["web-server"]),

  {
    where: "service events",
    is: "added",
    reason:
      "Events come over HTTP too, as they once did from a service that the compatible system has retired.",
  },

  // The queue.
  {
    where: "queue defineTask",
    is: "added",
    reason: "Old clients still call it; the compatible system had it until some versions ago.",
  },
  ...["queue cancelTaskGroup category", "queue changeTaskGroupPriority category"].map((where) => ({
    where,
    is: { ours: "Task Groups" },
    reason: "Only documentation shows it; there the methods on groups stand in three places.",
  })),
  {
    where: "queue watchdog",
    is: "added",
    reason: "Tells operators what the watchdog found: the compatible system has none.",
  },
  {
    where: "queue why",
    is: "added",
    reason: "Says why a task is where it is, which otherwise nobody but the queue's operator can find out.",
  },
  {
    where: "queue claimWork input schema/properties/claimId",
    is: "added",
    reason: "Makes a claim safe to repeat after its reply was lost. Optional, so that no client notices.",
  },
  {
    where: "queue createTask input schema/properties/payload/default",
    is: "missing",
    reason: "Theirs is a list, where the payload is a required object: it can never be filled in.",
  },
  {
    where: "queue createTasks",
    is: "added",
    reason: "A graph of thousands of tasks in one call and one transaction, all of it or nothing.",
  },
  {
    where: "queue taskGroupTimeline",
    is: "added",
    reason: "Tells where the time of a group went, which nobody can see from single tasks.",
  },
  ...missing("Part of other schemas; it describes no request, reply or message.", "queue schema", [
    "v1/object-credentials.json",
    "v1/task-pulse-definition.json",
  ]),
  ...missing("It describes the reply of a method that is no longer there.", "queue schema", [
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
      "Uploads in parts: S3 takes 5 GiB in one PUT. Only who proposes the method gets it, so no other client notices.",
  })),
  ...missing("Part of other schemas; it describes no request, reply or message.", "object schema", [
    "v1/download-method-geturl.json",
    "v1/download-method-simple.json",
    "v1/hashes.json",
    "v1/upload-method-data-inline.json",
    "v1/upload-method-put-url.json",
  ]),

  // Authentication.
  ...missing("Clients that are kept in the database are still to come.", "auth", [
    "listClients",
    "createClient",
    "updateClient",
    "enableClient",
    "disableClient",
    "deleteClient",
    "resetAccessToken",
  ]),
  ...missing("Roles that are kept in the database are still to come.", "auth", [
    "listRoles",
    "listRoles2",
    "listRoleIds",
    "role",
    "createRole",
    "updateRole",
    "deleteRole",
  ]),
  ...missing("With clients and roles in the database, changes of them are still to come.", "auth event", [
    "clientCreated",
    "clientUpdated",
    "clientDeleted",
    "roleCreated",
    "roleUpdated",
    "roleDeleted",
  ]),
  ...missing("The history of clients and roles is still to come.", "auth", [
    "getEntityHistory",
    "listAuditHistory",
  ]),
  ...missing("Credentials for other systems are still to come.", "auth", [
    "awsS3Credentials",
    "azureAccounts",
    "azureTables",
    "azureTableSAS",
    "azureContainers",
    "azureContainerSAS",
    "sentryDSN",
    "websocktunnelToken",
    "gcpCredentials",
    "githubRepoToken",
  ]),
];
