// The loop that removes expired secrets.
import type { RunOnce } from "../../core/loop.ts";
import { deleteExpired } from "./store.ts";
import { timestamp, type SecretsContext } from "./use-cases.ts";

const BATCH_SIZE = 200;

/** Returns the loop's iteration, which deletes one batch. Several processes may run it. */
export const expireSecrets =
  (ctx: Pick<SecretsContext, "db" | "clock">): RunOnce =>
  async () => ({ more: (await deleteExpired(ctx.db, timestamp(ctx), BATCH_SIZE)) === BATCH_SIZE });
