// Reads and writes the launch configs of worker pools.
import Type, { type Static } from "typebox";
import type { SelfLaunchConfig } from "../../../../../api/worker-manager/provider-configs.ts";
import { column } from "../../../../core/columns.ts";
import { Timestamp, type Queryable } from "../../../../core/db.ts";
import { jsonText, type Json } from "../../../../core/json.ts";
import { unlessFull } from "../../../../core/pagination.ts";
import { sql } from "../../../../core/sql.ts";
import { events } from "../../events.ts";

const common = {
  launch_config_id: Type.String(),
  is_archived: Type.Boolean(),
  created: Timestamp,
  last_modified: Timestamp,
};
const Row = Type.Object({ ...common, configuration: jsonText<SelfLaunchConfig>() });
export type LaunchConfigRow = Static<typeof Row>;

/** Returns all launch configs of a pool, archived ones too. */
export const readLaunchConfigs = (db: Queryable, workerPoolId: string): Promise<LaunchConfigRow[]> =>
  db.many(
    Row,
    sql`
    select launch_config_id, is_archived, configuration, created, last_modified from worker_pool_launch_configs
    where worker_pool_id = ${workerPoolId} order by launch_config_id`,
  );

/** Reports whether a launch config is archived. */
export const isArchived = async (db: Queryable, workerPoolId: string, id: string): Promise<boolean> =>
  (await db.run(sql`
    select from worker_pool_launch_configs
    where worker_pool_id = ${workerPoolId} and launch_config_id = ${id} and is_archived`)) > 0;

const ListedRow = Type.Object({
  ...common,
  configuration: Type.Union([jsonText<SelfLaunchConfig>(), Type.Null()]),
});

/** Returns up to `limit` launch configs after the given one, with `archived` also those. The configuration is null where the page is full. */
export const listLaunchConfigs = (
  db: Queryable,
  workerPoolId: string,
  after: string,
  archived: boolean,
  limit: number,
) =>
  db.many(
    ListedRow,
    sql`
    select launch_config_id, is_archived, created, last_modified,
      ${unlessFull(sql`configuration`, sql`octet_length(configuration)`, sql`launch_config_id`)} as configuration
    from (
      select * from worker_pool_launch_configs
      where worker_pool_id = ${workerPoolId} and launch_config_id > ${after} ${archived ? sql`` : sql`and not is_archived`}
      order by launch_config_id limit ${limit}) c
    order by launch_config_id`,
  );

export interface LaunchConfigChange {
  readonly kind: "created" | "updated" | "archived";
  readonly id: string;
  readonly configuration: Json<unknown>;
}

const publisher = {
  created: events.launchConfigCreated,
  updated: events.launchConfigUpdated,
  archived: events.launchConfigArchived,
};

/** Writes launch configs that were created, updated or archived in the same way. The pool is locked. */
export function writeLaunchConfigs(
  tx: Queryable,
  pool: { readonly workerPoolId: string; readonly providerId: string; readonly at: string },
  kind: LaunchConfigChange["kind"],
  changes: readonly LaunchConfigChange[],
): Promise<number> {
  const { workerPoolId, providerId, at } = pool;
  const [provisionerId = "", workerType = ""] = workerPoolId.split("/");
  const launchConfigId = sql`launch_config_id`;
  const message = sql`json_build_object('launchConfigId', launch_config_id,
    'workerPoolId', ${workerPoolId}::text, 'providerId', ${providerId}::text)::text`;
  const logged = publisher[kind].publish({ providerId, provisionerId, workerType, launchConfigId }, message, {
    from: sql`from written order by launch_config_id`,
  });
  return tx.run(sql`
    with written as (
      insert into worker_pool_launch_configs as c
        (worker_pool_id, launch_config_id, configuration, is_archived, created, last_modified)
      select ${workerPoolId}, id, configuration, ${kind === "archived"}, ${at}::timestamptz, ${at}::timestamptz
      from unnest(${column(changes, "id")}::text[], ${column(changes, "configuration")}::text[]) as x (id, configuration)
      on conflict (worker_pool_id, launch_config_id) do update set
        configuration = excluded.configuration, is_archived = excluded.is_archived, last_modified = excluded.last_modified
      returning launch_config_id)
    ${logged}`);
}
