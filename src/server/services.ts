// Every service of the server, in the order of creation: each can use what those before it provide.
import { serviceList } from "./core/service.ts";
import { authService } from "./services/auth/index.ts";
import { eventsService } from "./services/events/index.ts";
import { objectService } from "./services/object/index.ts";
import { purgeCacheService } from "./services/purge-cache/index.ts";
import { queueService } from "./services/queue/index.ts";
import { secretsService } from "./services/secrets/index.ts";

export const { services } = serviceList()
  .add(authService)
  .add(objectService)
  .add(queueService)
  .add(secretsService)
  .add(purgeCacheService)
  .add(eventsService);
