// Every service of the contract, under the name by which clients know it. Routes, references and typed clients
// all derive from this list.
import { authApi } from "./auth/index.ts";
import { eventsApi } from "./events.ts";
import { objectApi } from "./object/index.ts";
import { queueApi } from "./queue/index.ts";

export const services = { auth: authApi, events: eventsApi, object: objectApi, queue: queueApi } as const;
export type Services = typeof services;
