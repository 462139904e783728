// The contract of the worker-manager service: worker pools, their workers, and how workers get credentials.
import { monitoringEndpoints, service } from "../service.ts";
import { errorEndpoints } from "./endpoints/errors.ts";
import { poolEndpoints } from "./endpoints/pools.ts";
import { registrationEndpoints } from "./endpoints/registration.ts";
import { workerEndpoints } from "./endpoints/workers.ts";
import { workerManagerExchanges } from "./exchanges.ts";
import { lifecycleFile, nullConfigFile, selfConfigFile, staticConfigFile } from "./provider-configs.ts";

export const workerManagerApi = service({
  name: "worker-manager",
  version: "v1",
  title: "Worker Manager",
  description:
    "Manages worker pools: who may be a worker of a pool, its credentials, and when it should terminate. It starts no machines.",
  endpoints: {
    ...monitoringEndpoints,
    ...poolEndpoints,
    ...errorEndpoints,
    ...workerEndpoints,
    ...registrationEndpoints,
  },
  exchanges: workerManagerExchanges,
  schemas: [lifecycleFile, nullConfigFile, staticConfigFile, selfConfigFile],
});
