// Reads and writes the secrets of worker pools.
import Type from "typebox";
import { auditEntry } from "../../../../core/audit.ts";
import type { Queryable } from "../../../../core/db.ts";
import type { EncryptedColumn } from "../../../../core/encryption/encrypted-column.ts";
import { sql } from "../../../../core/sql.ts";

/** The column with the secrets of a pool, as a JSON list. */
export const poolSecrets: EncryptedColumn = {
  name: "worker_pool_secrets.secrets",
  table: sql`worker_pool_secrets`,
  column: sql`secrets`,
  keyId: sql`secrets_key_id`,
  row: sql`worker_pool_id`,
};

interface Change {
  readonly workerPoolId: string;
  readonly clientId: string;
}
const audited = ({ workerPoolId, clientId }: Change) =>
  auditEntry({
    entityType: "worker-pool",
    entityId: workerPoolId,
    clientId,
    action: "secrets set",
    from: sql`from written`,
  });

/** Replaces the secrets, encrypted, of a pool. Returns 0 if the pool does not exist. */
export const writeSecrets = (db: Queryable, change: Change, secrets: string): Promise<number> =>
  db.run(sql`
    with written as (
      insert into worker_pool_secrets (worker_pool_id, secrets)
      select worker_pool_id, ${secrets} from worker_pools where worker_pool_id = ${change.workerPoolId} for update
      on conflict (worker_pool_id) do update set secrets = excluded.secrets
      returning 1)
    ${audited(change)}`);

/** Removes the secrets of a pool. Returns 0 if the pool does not exist. */
export const removeSecrets = (db: Queryable, change: Change): Promise<number> =>
  db.run(sql`
    with removed as (delete from worker_pool_secrets where worker_pool_id = ${change.workerPoolId}),
    written as (select from worker_pools where worker_pool_id = ${change.workerPoolId})
    ${audited(change)}`);

const SecretsRow = Type.Object({ secrets: Type.String() });

export const readSecrets = (db: Queryable, workerPoolId: string) =>
  db.maybeOne(
    SecretsRow,
    sql`select secrets from worker_pool_secrets where worker_pool_id = ${workerPoolId}`,
  );
