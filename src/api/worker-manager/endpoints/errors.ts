// Methods on the errors of worker pools.
import { allOf } from "../../../lib/scopes/template.ts";
import { endpoint } from "../../endpoint.ts";
import { slugid } from "../../queue/endpoints/params.ts";
import { errorStatsFile, poolErrorFile, poolErrorListFile, reportErrorFile } from "../errors.ts";
import { identifier, ofPool, page } from "./params.ts";

const scopes = "worker-manager:list-worker-pool-errors:<workerPoolId>";

export const errorEndpoints = {
  reportWorkerError: endpoint({
    method: "POST",
    path: "/worker-pool-errors/:workerPoolId",
    slashIn: "workerPoolId",
    params: ofPool,
    name: "reportWorkerError",
    category: "Worker Interface",
    stability: "stable",
    title: "Report an error of a worker",
    description: "Records an error that prevents a worker from doing its work, for the owner of the pool.",
    scopes: allOf("assume:worker-pool:<workerPoolId>", "assume:worker-id:<workerGroup>/<workerId>"),
    body: reportErrorFile,
    reply: poolErrorFile,
  }),
  workerPoolErrorStats: endpoint({
    method: "GET",
    path: "/worker-pool-errors/stats",
    query: ofPool,
    name: "workerPoolErrorStats",
    category: "Worker Pools",
    stability: "experimental",
    title: "Count the errors of worker pools",
    description:
      "Returns the errors of a pool, or without `workerPoolId` of all pools, by day of the last seven days, hour of the last 24, title, code, launch config and pool. All pools require the scope with `*` as the pool.",
    scopes,
    reply: errorStatsFile,
  }),
  listWorkerPoolErrors: endpoint({
    method: "GET",
    path: "/worker-pool-errors/:workerPoolId",
    slashIn: "workerPoolId",
    params: ofPool,
    query: { ...page, launchConfigId: identifier, errorId: slugid },
    name: "listWorkerPoolErrors",
    category: "Worker Pools",
    stability: "stable",
    title: "List the errors of a worker pool",
    description: "Returns the errors of a pool, the newest first.",
    scopes,
    reply: poolErrorListFile,
  }),
} as const;
