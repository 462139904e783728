// Fills the tables behind the lists of the services with as many rows as a large deployment has, with plain SQL.
import type pg from "pg";

export interface Sizes {
  readonly entries: number;
  readonly secrets: number;
  /** Entries of the audit log, a tenth of them of one client and one entity. */
  readonly audit: number;
  readonly pools: number;
  /** Workers, and errors; half of each in one pool. */
  readonly workers: number;
}

const CHUNK = 250_000;
/** Entries per namespace, except for the large one. */
const NAMESPACE = 50;

/** The namespace with half of the entries, and the pool with half of the workers. */
export const LARGE_NAMESPACE = "bench.large";
export const LARGE_POOL = "bench/large";

/** Returns an SQL expression with seven digits. */
const digits = (n: string): string => `lpad((${n})::text, 8, '0')`;

export async function fillLists(db: pg.Client, sizes: Sizes): Promise<void> {
  const { entries, secrets, audit, pools, workers } = sizes;
  const half = Math.floor(entries / 2);
  for (let from = 0; from < entries; from += CHUNK) {
    const to = Math.min(from + CHUNK, entries);
    await db.query(`
      insert into index_tasks (namespace, name, task_id, rank, data, expires)
      select case when n < ${half} then '${LARGE_NAMESPACE}' else 'bench.many.n' || ${digits(`n / ${NAMESPACE}`)} end,
        'e' || ${digits("n")}, 'fN1SbArXTPSVFNUvaOlinQ', 0, '{"kind":"build","level":3}', now() + interval '1 year'
      from generate_series(${from}::bigint, ${to - 1}::bigint) n`);
    process.stderr.write(`\rfilled ${(to / 1e6).toFixed(2)} million index entries`);
  }
  process.stderr.write("\n");
  const year = "now() + interval '1 year'";
  await db.query(`
    insert into index_namespaces (parent, name, expires)
    select * from (values ('', 'bench', ${year}), ('bench', 'large', ${year}), ('bench', 'many', ${year})) v
    union all
    select 'bench.many', 'n' || ${digits("n")}, ${year}
    from generate_series(${Math.ceil(half / NAMESPACE)}, ${Math.ceil(entries / NAMESPACE)}) n`);
  const series = (count: number): string => `from generate_series(0, ${count - 1}) n`;
  await db.query(`
    insert into secrets (name, secret, expires)
    select 'bench/' || ${digits("n")}, 'v1:' || (select id from encryption_keys limit 1) || ':', ${year} ${series(secrets)}`);
  await db.query(`
    insert into audit_log (entity_type, entity_id, client_id, action)
    select 'secret', case when n % 10 = 0 then 'bench/large' else 'bench/' || n % 5000 end,
      case when n % 10 = 0 then 'bench/large' else 'bench/' || n % 5000 end, 'updated' ${series(audit)}`);
  await db.query(`
    insert into worker_pools (worker_pool_id, provider_id, definition, created, last_modified)
    select case when n = 0 then '${LARGE_POOL}' else 'bench/p' || ${digits("n")} end, 'static',
      '{"description":"A pool.","config":{},"owner":"nobody@example.com","emailOnError":false}', now(), now() ${series(pools)}`);
  const poolOf = `case when n % 2 = 0 then '${LARGE_POOL}' else 'bench/p' || ${digits(`1 + n / 2 % ${pools - 1}`)} end`;
  await db.query(`
    insert into worker_pool_launch_configs (worker_pool_id, launch_config_id, configuration, created, last_modified)
    select '${LARGE_POOL}', 'lc-' || ${digits("n")}, '{"capacityPerInstance":1}', now(), now() ${series(1000)}`);
  // Most workers of a pool have stopped.
  await db.query(`
    insert into pool_workers (worker_pool_id, worker_group, worker_id, provider_id, launch_config_id, state, capacity, created,
      expires, last_modified, last_checked)
    select ${poolOf}, 'g' || n / 2 % 100, 'w' || ${digits("n")}, 'self', 'lc-' || ${digits("n % 1000")},
      case when n > ${workers - 2000} then 'running' else 'stopped' end, 1, now(), ${year}, now(), now() ${series(workers)}`);
  await db.query(`
    insert into worker_pool_errors (error_id, worker_pool_id, launch_config_id, reported, report, title)
    select 'e' || ${digits("n")}, ${poolOf}, 'lc-' || ${digits("n % 1000")}, now() - n * interval '1 second',
      '{"kind":"startup","title":"Failed","description":"It did not start.","extra":{}}', 'Failed' ${series(workers)}`);
  await db.query(`
    insert into purge_requests (worker_pool_id, cache_name, before, expires)
    select ${poolOf}, 'c' || ${digits("n")}, now(), ${year} ${series(20_000)}`);
  await db.query("vacuum (analyze)");
  await db.query("checkpoint");
}
