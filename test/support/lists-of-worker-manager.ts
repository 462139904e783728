// The paginated lists of the worker-manager service. Elements are added and removed without events.
import type { Db } from "../../src/server/core/db.ts";
import { sql } from "../../src/server/core/sql.ts";
import { slugid } from "../../src/lib/slugid.ts";
import type { List } from "./paginated-list.ts";

/** Returns a function for each method that makes a separate list. `newName` returns a name that was not used before. */
export function workerManagerLists(
  db: () => Db,
  newName: () => string,
): Readonly<Record<string, () => List | Promise<List>>> {
  /** Inserts worker pools. */
  const pools = (list: string) => async (): Promise<List> => {
    // Rows of earlier lists, which would all be read.
    await db().run(sql`delete from worker_pools`);
    return {
      add: async () => {
        const workerPoolId = `pool/${newName()}`;
        const definition = { description: "", config: {}, owner: "a@example.com", emailOnError: false };
        await db().run(sql`
        insert into worker_pools (worker_pool_id, provider_id, definition, created, last_modified)
        values (${workerPoolId}, 'static', ${JSON.stringify(definition)}, now(), now())`);
        return workerPoolId;
      },
      remove: (id) => db().run(sql`delete from worker_pools where worker_pool_id = ${id}`),
      items: (reply) => reply[list] ?? [],
      key: ({ workerPoolId = "" }) => workerPoolId,
      isShared: true,
    };
  };
  /** Lists of the workers of a pool. */
  const poolWorkers = (): List => {
    const workerPoolId = `pool/${newName()}`;
    return {
      params: { workerPoolId, workerGroup: "g" },
      add: async () => {
        const workerId = newName();
        await db().run(sql`
        insert into pool_workers (worker_pool_id, worker_group, worker_id, provider_id, state, capacity, created, expires,
          last_modified, last_checked)
        values (${workerPoolId}, 'g', ${workerId}, 'static', 'running', 1, now(), now() + interval '1 day', now(), now())`);
        return workerId;
      },
      remove: (workerId) => db().run(sql`delete from pool_workers where worker_id = ${workerId}`),
      items: ({ workers = [] }) => workers,
      key: ({ workerId = "" }) => workerId,
    };
  };

  return {
    "worker-manager.listWorkerPools": pools("workerPools"),
    "worker-manager.listWorkerPoolsStats": pools("workerPoolsStats"),
    "worker-manager.listWorkersForWorkerPool": poolWorkers,
    "worker-manager.listWorkersForWorkerGroup": poolWorkers,
    "worker-manager.listWorkerPoolLaunchConfigs": async () => {
      const pool = await pools("")();
      const workerPoolId = await pool.add();
      return {
        params: { workerPoolId },
        add: async () => {
          const id = newName();
          await db().run(sql`
          insert into worker_pool_launch_configs (worker_pool_id, launch_config_id, configuration, created, last_modified)
          values (${workerPoolId}, ${id}, '{}', now(), now())`);
          return id;
        },
        remove: (id) => db().run(sql`delete from worker_pool_launch_configs where launch_config_id = ${id}`),
        items: ({ workerPoolLaunchConfigs = [] }) => workerPoolLaunchConfigs,
        key: ({ launchConfigId = "" }) => launchConfigId,
      };
    },
    "worker-manager.listWorkerPoolErrors": () => {
      const workerPoolId = `pool/${newName()}`;
      return {
        params: { workerPoolId },
        add: async () => {
          const errorId = slugid();
          const report = { kind: "k", title: "t", description: "d", extra: {} };
          // Several have the same time.
          await db().run(sql`
          insert into worker_pool_errors (error_id, worker_pool_id, reported, report, title)
          values (${errorId}, ${workerPoolId}, date_trunc('minute', now()), ${JSON.stringify(report)}, 't')`);
          return errorId;
        },
        remove: (id) => db().run(sql`delete from worker_pool_errors where error_id = ${id}`),
        items: ({ workerPoolErrors = [] }) => workerPoolErrors,
        key: ({ errorId = "" }) => errorId,
      };
    },
  };
}
