// Every service of the server, in the order of creation: each can use what those before it provide.
import { serviceList } from "./core/service.ts";
import * as auth from "./services/auth/settings.ts";
import * as events from "./services/events/settings.ts";
import * as identity from "./services/identity/settings.ts";
import * as index from "./services/index/settings.ts";
import * as object from "./services/object/settings.ts";
import * as purgeCache from "./services/purge-cache/settings.ts";
import * as queue from "./services/queue/settings.ts";
import * as secrets from "./services/secrets/settings.ts";
import * as workerManager from "./services/worker-manager/settings.ts";

export const services = serviceList()
  .add(auth, async () => (await import("./services/auth/index.ts")).authService)
  .add(object, async () => (await import("./services/object/index.ts")).objectService)
  .add(queue, async () => (await import("./services/queue/index.ts")).queueService)
  .add(index, async () => (await import("./services/index/index.ts")).indexService)
  .add(identity, async () => (await import("./services/identity/index.ts")).identityService)
  .add(secrets, async () => (await import("./services/secrets/index.ts")).secretsService)
  .add(purgeCache, async () => (await import("./services/purge-cache/index.ts")).purgeCacheService)
  .add(workerManager, async () => (await import("./services/worker-manager/index.ts")).workerManagerService)
  .add(events, async () => (await import("./services/events/index.ts")).eventsService);
