// All services of the contract, by the name that clients use. Routes, references and typed clients derive from this list.
import { authApi } from "./auth/index.ts";
import { eventsApi } from "./events.ts";
import { identityApi } from "./identity/index.ts";
import { indexApi } from "./index/index.ts";
import { objectApi } from "./object/index.ts";
import { purgeCacheApi } from "./purge-cache/index.ts";
import { queueApi } from "./queue/index.ts";
import { secretsApi } from "./secrets/index.ts";
import { workerManagerApi } from "./worker-manager/index.ts";

export const services = {
  auth: authApi,
  events: eventsApi,
  identity: identityApi,
  index: indexApi,
  object: objectApi,
  purgeCache: purgeCacheApi,
  queue: queueApi,
  secrets: secretsApi,
  workerManager: workerManagerApi,
} as const;
export type Services = typeof services;
