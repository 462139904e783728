// The loop that removes expired secrets.
import { inBatches } from "../../core/in-batches.ts";
import type { RunOnce } from "../../core/loop.ts";
import { timestamp } from "../../core/timestamp.ts";
import { deleteExpired } from "./store.ts";
import type { SecretsContext } from "./use-cases.ts";

const BATCH_SIZE = 200;

export const expireSecrets = (ctx: Pick<SecretsContext, "db" | "clock">): RunOnce =>
  inBatches(BATCH_SIZE, (limit) => deleteExpired(ctx.db, timestamp(ctx), limit));
