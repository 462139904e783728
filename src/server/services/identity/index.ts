// Public API of the identity service: tokens by which other systems recognize tasks.
import { identityApi } from "../../../api/identity/index.ts";
import type { Identity } from "../../core/caller.ts";
import { defineService } from "../../core/service.ts";
import type { RunningTask } from "../queue/index.ts";
import type { IdentityContext } from "./context.ts";
import { keyInUse } from "./key-in-use.ts";
import { metrics } from "./metrics.ts";
import { issueToken } from "./oidc-token.ts";
import { createPublishedKeys } from "./published-keys.ts";
import { firstKey, rotateByAge, rotateNow } from "./rotate-keys.ts";
import { settings } from "./settings.ts";
import { privateKeys } from "./store.ts";

interface Queue {
  /** Returns the running task whose credentials these are. Throws `AccessDenied` for others. */
  runningTask(identity: Identity): Promise<RunningTask>;
}

export const identityService = defineService({
  api: identityApi,
  settings,
  metrics,
  encrypted: [privateKeys],
  create(platform, { queue }: { readonly queue: Queue }) {
    const { db, clock, keyRing, config, metrics: own, monitor, rootUrl, wakeUps } = platform;
    const ctx: IdentityContext = {
      db,
      clock,
      keyRing,
      config: config.identity,
      metrics: own,
      monitor,
      rootUrl,
    };
    const addFirst = firstKey(ctx);
    const published = createPublishedKeys({ ...ctx, wakeUps }, addFirst);
    const issue = issueToken({
      ...ctx,
      runningTask: queue.runningTask,
      signingKey: keyInUse(ctx, addFirst),
    });
    const rotate = rotateNow(ctx);
    return {
      handlers: {
        oidcToken: ({ caller, params }) => issue(caller, params.audience),
        rotateOidcKeys: ({ caller, body }) => rotate(caller, body),
      },
      provides: {},
      publicDocuments: published.documents,
      loops: [{ name: "oidc-key-rotation", intervalMs: 60_000, runOnce: rotateByAge(ctx) }],
      start: async () => published.start(),
      stop: () => published.stop(),
    };
  },
});
