// Methods on workers: what the queue knows of them, and their quarantine.
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
      "In order of groups and ids. `quarantined=true` lists those that are in quarantine, `quarantined=false` the others.",
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
    description: "When it was last seen, its latest tasks, and whether and why it is in quarantine.",
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
    title: "Put a worker in quarantine",
    description:
      "Until the given time the worker is handed no task; what it holds it keeps. No claim that begins after the reply gets anything. A time in the past ends the quarantine.",
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
      "Makes a worker known before it asks for work, or known for longer: `expires` only ever moves later. Needs a scope for each property of the body.",
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
