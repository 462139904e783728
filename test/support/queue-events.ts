// Reads the queue's events from the event log, and checks each against the contract.
import Type from "typebox";
import { Compile } from "typebox/compile";
import { queueApi } from "../../src/api/queue/index.ts";
import { exchangeName } from "../../src/api/service.ts";
import type { TaskStatus } from "../../src/api/queue/status.ts";
import type { Db } from "../../src/server/core/db.ts";
import { sql } from "../../src/server/core/sql.ts";

export interface QueueEvent {
  /** Such as `task-pending`. */
  readonly kind: string;
  readonly routingKey: string;
  readonly routes: readonly string[];
  readonly payload: {
    readonly status?: TaskStatus;
    readonly runId?: number;
    readonly workerGroup?: string;
    readonly workerId?: string;
    readonly task?: { readonly tags: Readonly<Record<string, string>> };
    readonly taskGroupId?: string;
  };
}

const EventRow = Type.Object({
  exchange: Type.String(),
  routing_key: Type.String(),
  cc: Type.Array(Type.String()),
  payload: Type.String(),
});

const kinds = new Map(
  Object.values(queueApi.exchanges).map((of) => [
    exchangeName(queueApi, of) as string,
    { kind: of.exchange, message: Compile(of.message.schema), words: of.routingKey },
  ]),
);

/** Returns all events in order, or those of one task or group. Throws if one violates the contract. */
export async function queueEvents(
  db: Db,
  of: { taskId?: string; taskGroupId?: string } = {},
): Promise<QueueEvent[]> {
  const { taskId = "%", taskGroupId = "%" } = of;
  const rows = await db.many(
    EventRow,
    sql`
    select exchange, routing_key, cc, payload from events
    where exchange like 'exchange/taskcluster-queue/%'
      and routing_key like ${`primary.${taskId}.%`} and routing_key like ${`%.${taskGroupId}.%`}
      -- A group has the id of its first task, so its events have the same first word.
      and (${taskId} = '%' or exchange not like '%/task-group-%')
    order by id`,
  );
  return rows.map(({ exchange, routing_key: routingKey, cc: routes, payload: text }) => {
    const known = kinds.get(exchange);
    if (!known) throw new Error(`there is no exchange ${exchange}`);
    const parsed: unknown = JSON.parse(text);
    const errors = known.message.Errors(parsed);
    if (errors.length > 0) throw new Error(`${known.kind}: ${JSON.stringify(errors)}\n${text}`);
    // Checked against its schema above.
    const payload = parsed as QueueEvent["payload"];
    const members: Readonly<Record<string, unknown>> = {
      ...payload.status,
      ...payload,
      routingKeyKind: "primary",
    };
    const word = (value: unknown) => (typeof value === "string" || typeof value === "number" ? value : "_");
    const expected = known.words.map(({ name }) => word(members[name])).join(".");
    if (routingKey !== expected) throw new Error(`${known.kind}: key ${routingKey} instead of ${expected}`);
    return { kind: known.kind, routingKey, routes, payload };
  });
}

/** Returns the kind and run of each event, such as `task-pending 0`, in order. */
export const summarize = (events: readonly QueueEvent[]): string[] =>
  events.map(({ kind, payload: { runId } }) => (runId === undefined ? kind : `${kind} ${runId}`));
