// Adds the first key and its successors, and removes old keys. Any number of processes may do so concurrently.
import { identityApi } from "../../../api/identity/index.ts";
import type { BodyOf, ReplyOf } from "../../../api/endpoint.ts";
import { ApiError } from "../../../lib/errors.ts";
import { actorOf } from "../../core/audit.ts";
import type { Caller } from "../../core/caller.ts";
import { contextOf } from "../../core/encryption/encrypted-column.ts";
import type { RunOnce } from "../../core/loop.ts";
import { timestamp } from "../../core/timestamp.ts";
import type { IdentityContext } from "./context.ts";
import { newSigningKey } from "./signing-key.ts";
import { deleteOldKeys, erasePrivateKeys, insertKey, privateKeys, readKeys, type KeyRow } from "./store.ts";
import { LEEWAY_MS, PUBLISHED_AFTER_MS, PUBLISHED_BEFORE_MS } from "./times.ts";

const { rotateOidcKeys } = identityApi.endpoints;

/** The server itself, as the audit log names it. No client has this name. */
const SERVER = "(server)";

type Reason = "first" | "age" | "request" | "revocation";

/** Adds a key after those that were read. Returns false if another process did so meanwhile. */
async function addKey(
  ctx: IdentityContext,
  keys: readonly KeyRow[],
  reason: Reason,
  actor: string,
): Promise<boolean> {
  const { db, keyRing, metrics, monitor } = ctx;
  const { kid, publicKey, privateKey: plain } = await newSigningKey();
  // There is no time to publish a key before it signs if no other may sign. It then signs by the clocks of all servers.
  const isOnlyKey = keys.length === 0 || reason === "revocation";
  const added = await keyRing.writing(async () =>
    insertKey(db, {
      kid,
      generation: (keys.at(-1)?.generation ?? 0) + 1,
      publicKey,
      privateKey: await keyRing.encrypt(plain, contextOf(privateKeys, kid)),
      created: timestamp(ctx),
      signsFrom: timestamp(ctx, isOnlyKey ? -LEEWAY_MS : PUBLISHED_BEFORE_MS),
      revoke: reason === "revocation",
      actor,
    }),
  );
  if (added) {
    metrics.oidcKeys.inc({ reason });
    monitor.log.info({ kid, reason }, "created a key for tokens of tasks");
  }
  return added;
}

/** Returns a function that adds the first key, unless there is one. Concurrent calls share one attempt. */
export function firstKey(ctx: IdentityContext): () => Promise<void> {
  let adding: Promise<void> | undefined;
  const add = async (): Promise<void> => {
    const keys = await readKeys(ctx.db);
    if (keys.length === 0) await addKey(ctx, keys, "first", SERVER);
  };
  return () =>
    (adding ??= add().finally(() => {
      adding = undefined;
    }));
}

/** Reports whether the latest key does not sign yet. */
const isPending = (latest: KeyRow | undefined, now: number): boolean =>
  latest !== undefined && latest.signs_from.getTime() > now;

/** An iteration of the loop: adds the next key when the latest is old, and removes keys whose tokens have all expired. */
export const rotateByAge =
  (ctx: IdentityContext): RunOnce =>
  async () => {
    const keys = await readKeys(ctx.db);
    const latest = keys.at(-1);
    const now = ctx.clock.now();
    // Without a key nobody has used a token yet, so none is needed.
    if (latest && !isPending(latest, now) && latest.created.getTime() + ctx.config.keyAge <= now)
      await addKey(ctx, keys, "age", SERVER);
    if (keys.length > 1) {
      await erasePrivateKeys(ctx.db, timestamp(ctx, -LEEWAY_MS));
      await deleteOldKeys(ctx.db, timestamp(ctx, -PUBLISHED_AFTER_MS));
    }
    return { more: false };
  };

/** Adds the next key now. Returns the keys that are published then. */
export const rotateNow =
  (ctx: IdentityContext) =>
  async (
    caller: Caller,
    { revoke = false }: BodyOf<typeof rotateOidcKeys>,
  ): Promise<ReplyOf<typeof rotateOidcKeys>> => {
    caller.authorize(rotateOidcKeys, {});
    const keys = await readKeys(ctx.db);
    if (revoke || !isPending(keys.at(-1), ctx.clock.now())) {
      const added = await addKey(ctx, keys, revoke ? "revocation" : "request", actorOf(caller));
      if (revoke && !added)
        throw new ApiError(
          "RequestConflict",
          "Another key was added at the same time, so no key was revoked. Repeat the call.",
        );
    }
    return {
      keys: (await readKeys(ctx.db)).map(({ kid, created, signs_from }) => ({
        kid,
        created: created.toISOString(),
        signsFrom: signs_from.toISOString(),
      })),
    };
  };
