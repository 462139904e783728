// Public API of the index service.
import { indexApi } from "../../../api/index/index.ts";
import { defineService, type Platform } from "../../core/service.ts";
import type { ServiceClientDeclaration } from "../../core/service-client.ts";
import type { Auth } from "../auth/index.ts";
import type { Queue } from "../queue/index.ts";
import type { IndexContext } from "./context.ts";
import { expireEntries } from "./expire-entries.ts";
import { indexHandlers } from "./handlers.ts";
import { completedTasksConsumer } from "./index-completed-tasks.ts";
import { scopeParams } from "./scope-params.ts";
import { settings } from "./settings.ts";
import { indexUseCases } from "./use-cases.ts";

/** The client that signs URLs of artifacts. */
const client = {
  clientId: "static/taskcluster/index",
  description: "The index: signs URLs of artifacts of indexed tasks.",
  scopes: ["queue:get-artifact:*"],
} as const;

export const indexService = defineService({
  api: indexApi,
  settings,
  metrics: {},
  client,
  scopeParams,
  create(
    platform: Platform<typeof settings, {}, ServiceClientDeclaration>,
    { auth, queue }: { readonly auth: Auth; readonly queue: Queue },
  ) {
    const { db, clock, monitor, config } = platform;
    const { anonymousScopes } = auth;
    const ctx: IndexContext = { db, clock, monitor, queue, anonymousScopes, client: platform.client };
    const useCases = indexUseCases(ctx);
    return {
      handlers: indexHandlers(useCases),
      provides: useCases,
      loops: [
        {
          name: "index-expiry",
          intervalMs: config.index.loopInterval,
          runOnce: expireEntries({ db, clock }),
        },
      ],
      consumers: [completedTasksConsumer(ctx)],
    };
  },
});
