// Methods on workers and their quarantine.
import { allOf, forEach } from "../../../lib/scopes/template.ts";
import { endpoint } from "../../endpoint.ts";
import { declareWorkerFile, quarantineWorkerFile, workerFile, workerListFile } from "../workers.ts";
import { identifier, page } from "./params.ts";

const category = "Worker Metadata";
const ofWorkerType = { provisionerId: identifier, workerType: identifier } as const;
const ofWorker = { ...ofWorkerType, workerGroup: identifier, workerId: identifier } as const;

export const workerEndpoints = {
  listWorkers: endpoint({
    method: "GET",
    path: "/provisioners/:provisionerId/worker-types/:workerType/workers",
    params: ofWorkerType,
    query: { ...page, quarantined: /^(true|false)$/ },
    name: "listWorkers",
    category,
    stability: "deprecated",
    title: "List the workers of a queue",
    description:
      "Returns the workers of a queue, ordered by group and id. `quarantined=true` lists only the quarantined ones, `quarantined=false` only the others.",
    scopes: "queue:list-workers:<provisionerId>/<workerType>",
    reply: workerListFile,
  }),
  getWorker: endpoint({
    method: "GET",
    path: "/provisioners/:provisionerId/worker-types/:workerType/workers/:workerGroup/:workerId",
    params: ofWorker,
    name: "getWorker",
    category,
    stability: "deprecated",
    title: "Get a worker",
    description: "Returns when the worker was last active, its latest tasks and its quarantine, if any.",
    scopes: "queue:get-worker:<provisionerId>/<workerType>/<workerGroup>/<workerId>",
    reply: workerFile,
  }),
  quarantineWorker: endpoint({
    method: "PUT",
    path: "/provisioners/:provisionerId/worker-types/:workerType/workers/:workerGroup/:workerId",
    params: ofWorker,
    name: "quarantineWorker",
    category,
    stability: "experimental",
    title: "Quarantine a worker",
    description:
      "The worker gets no tasks until the given time, and keeps those that it has claimed. Takes effect for all claims that start after the reply. A time in the past ends the quarantine.",
    scopes: allOf("queue:quarantine-worker:<provisionerId>/<workerType>/<workerGroup>/<workerId>"),
    body: quarantineWorkerFile,
    reply: workerFile,
  }),
  declareWorker: endpoint({
    method: "PUT",
    path: "/provisioners/:provisionerId/worker-types/:workerType/:workerGroup/:workerId",
    params: ofWorker,
    name: "declareWorker",
    category,
    stability: "experimental",
    title: "Declare a worker",
    description:
      "Registers a worker before it first requests work, or extends its expiry: `expires` never moves to an earlier time. Requires a scope for each property of the body.",
    scopes: allOf(
      forEach(
        "property",
        "properties",
        "queue:declare-worker:<provisionerId>/<workerType>/<workerGroup>/<workerId>#<property>",
      ),
    ),
    body: declareWorkerFile,
    reply: workerFile,
  }),
} as const;
