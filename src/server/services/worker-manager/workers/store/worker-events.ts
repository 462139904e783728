// Events of the workers `w` of a statement, with their messages. Only the provider `self` publishes them.
import { logEvents } from "../../../../core/event-log/log-events.ts";
import { sql, type Sql } from "../../../../core/sql.ts";
import { events } from "../../events.ts";

const words = {
  providerId: sql`w.provider_id`,
  provisionerId: sql`split_part(w.worker_pool_id, '/', 1)`,
  workerType: sql`split_part(w.worker_pool_id, '/', 2)`,
  workerGroup: sql`w.worker_group`,
  workerId: sql`w.worker_id`,
  launchConfigId: sql`w.launch_config_id`,
};

const message = (at: string, reason?: string): Sql => sql`
  json_strip_nulls(json_build_object('workerPoolId', w.worker_pool_id, 'providerId', w.provider_id,
    'workerGroup', w.worker_group, 'workerId', w.worker_id, 'capacity', w.capacity, 'timestamp', ${at}::text,
    'launchConfigId', w.launch_config_id, 'reason', ${reason ?? null}::text))::text`;

const inOrder = (first: Sql, second: Sql, from: Sql): Sql =>
  logEvents(sql`
    select exchange, routing_key, cc, payload from (
      select 0 as step, w.worker_key, ${first} ${from} where w.provider_id = 'self'
      union all
      select 1 as step, w.worker_key, ${second} ${from} where w.provider_id = 'self') e
    order by worker_key, step`);

/** Publishes that the workers of `from` were added to their pools and run. */
export const logStarted = (from: Sql, at: string): Sql =>
  inOrder(
    events.workerRequested.event(words, message(at)),
    events.workerRunning.event(words, message(at)),
    from,
  );

/** Publishes that the workers of `from` have stopped and were removed. */
export const logEnded = (from: Sql, at: string, reason: string): Sql =>
  inOrder(
    events.workerStopped.event(words, message(at)),
    events.workerRemoved.event(words, message(at, reason)),
    from,
  );
