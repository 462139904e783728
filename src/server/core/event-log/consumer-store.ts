// The statements of named consumers: their positions and dead letters.
import Type, { type Static } from "typebox";
import { Timestamp, type Queryable } from "../db.ts";
import { sql, waking } from "../sql.ts";

/** Wakes a consumer because retries of dead letters were requested. */
export const retryTopic = (consumer: string): string => `dead-letters:${consumer}`;

const PositionRow = Type.Object({ position: Type.String() });

/** Returns the stored position of a consumer. Stores `initial` if it has none. */
export async function openConsumer(db: Queryable, name: string, initial: string): Promise<string> {
  const row = await db.maybeOne(
    PositionRow,
    // The update changes nothing, but makes `returning` return an existing row.
    sql`insert into event_consumers as c (name, position) values (${name}, ${initial})
      on conflict (name) do update set position = c.position
      returning position`,
  );
  return row?.position ?? initial;
}

/** Moves a consumer from one position to another. Returns false if it is not at `from`: another process consumes as it. */
export async function advanceConsumer(
  db: Queryable,
  name: string,
  from: string,
  to: string,
): Promise<boolean> {
  const query = sql`update event_consumers set position = ${to}, updated = now()
    where name = ${name} and position = ${from}`;
  return (await db.run(query)) === 1;
}

/** An event that a consumer failed to handle. */
export interface UnhandledEvent {
  readonly id: number;
  readonly recorded: Date;
  readonly exchange: string;
  readonly routingKey: string;
  readonly routes: readonly string[];
  readonly payload: string;
}

/** Stores an event as a dead letter, or adds to its attempts if it is one already. */
export async function parkEvent(
  db: Queryable,
  consumer: string,
  event: UnhandledEvent,
  { attempts, error }: { readonly attempts: number; readonly error: string },
): Promise<void> {
  await db.run(sql`
    insert into event_dead_letters as d
      (consumer, event_id, recorded, exchange, routing_key, cc, payload, attempts, error)
    values (${consumer}, ${event.id}, ${event.recorded}, ${event.exchange}, ${event.routingKey}, ${event.routes},
      ${event.payload}, ${attempts}, ${error})
    on conflict (consumer, event_id) do update
    set attempts = d.attempts + excluded.attempts, error = excluded.error, parked = now(), retry_requested = false`);
}

const LetterRow = Type.Object({
  consumer: Type.String(),
  event_id: Type.Integer(),
  recorded: Timestamp,
  exchange: Type.String(),
  routing_key: Type.String(),
  cc: Type.Array(Type.String()),
  payload: Type.String(),
  attempts: Type.Integer(),
  error: Type.String(),
  parked: Timestamp,
  retry_requested: Type.Boolean(),
});
export type DeadLetterRow = Static<typeof LetterRow>;

const letterColumns = sql`consumer, event_id, recorded, exchange, routing_key, cc, payload, attempts, error, parked,
  retry_requested`;

/** Returns dead letters after `after`, by consumer and event id. */
export function listDeadLetters(
  db: Queryable,
  { after, limit }: { readonly after?: { consumer: string; id: number } | undefined; readonly limit: number },
): Promise<DeadLetterRow[]> {
  return db.many(
    LetterRow,
    sql`select ${letterColumns} from event_dead_letters
      where (consumer, event_id) > (${after?.consumer ?? ""}, ${after?.id ?? 0}::bigint)
      order by consumer, event_id limit ${limit}`,
  );
}

/** Returns the dead letters to be retried, oldest first. */
export function listRetries(db: Queryable, consumer: string, limit: number): Promise<DeadLetterRow[]> {
  return db.many(
    LetterRow,
    sql`select ${letterColumns} from event_dead_letters
      where consumer = ${consumer} and retry_requested order by event_id limit ${limit}`,
  );
}

/** Requests another try. Returns false if there is no such dead letter. */
export async function requestRetry(db: Queryable, consumer: string, id: number): Promise<boolean> {
  const query = sql`update event_dead_letters set retry_requested = true
    where consumer = ${consumer} and event_id = ${id}`;
  return (await db.run(waking(() => [retryTopic(consumer)], query))) === 1;
}

/** Deletes a dead letter. Returns false if there is no such one. */
export async function dropDeadLetter(db: Queryable, consumer: string, id: number): Promise<boolean> {
  const query = sql`delete from event_dead_letters where consumer = ${consumer} and event_id = ${id}`;
  return (await db.run(query)) === 1;
}
